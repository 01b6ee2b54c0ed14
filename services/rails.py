"""Rails: what the ways of collecting and of paying out take, known without asking anybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.errors import ProviderNotConfigured, Refusal
from services.facts import Shop
from services.money import Money
from services.providers import PROVIDERS, Provider, WrongSettings, settings_of


@dataclass(frozen=True)
class Rail:
    """A way out for money: `provider`, who carries it first where a tenant has several that do
    (`Provider.pays_out`), what it costs unless the tenant has bands of its own, and what it takes. The
    minimum and the maximum count for the net. Minor units of KES.

    `alone`: the carrier takes no id of ours, so that nothing guards against paying twice but that one of a
    tenant's payouts is under way at a time."""

    provider: str
    fee: int
    minimum: int
    maximum: int | None = None
    whole: bool = False  # whole shillings only
    alone: bool = False


# The defaults. Daraja's B2C takes 10 to 250,000: https://developer.safaricom.co.ke/faqs
RAILS = {
    "mpesa": Rail("mpesa", fee=33_00, minimum=10_00, maximum=250_000_00, whole=True),
    "bank_transfer": Rail("paystack", fee=50_00, minimum=100_00),
    "till": Rail("mpesa", fee=27_00, minimum=10_00, whole=True, alone=True),
}


def carriers(way: str, providers: Mapping[str, Provider] = PROVIDERS) -> tuple[str, ...]:
    """The providers that carry it: the usual one, then the others in the order of their lines."""
    able = [name for name, provider in providers.items() if way in provider.pays_out]
    return tuple(sorted(able, key=lambda name: name != RAILS[way].provider))


def carrier(
    way: str, parts: Mapping[str, Mapping[str, Any]], providers: Mapping[str, Provider] = PROVIDERS
) -> str:
    """Who carries it for a tenant with these settings: the first with all that it takes; the usual one where
    none has, which then says what it lacks."""
    for name in carriers(way, providers):
        if name in parts and not _lacks_to_pay_out(providers[name], parts[name]):
            return name
    return RAILS[way].provider


def _lacks_to_pay_out(provider: Provider, facts: Mapping[str, Any]) -> tuple[str, ...]:
    try:
        return settings_of(provider, facts).missing_to_pay_out
    except WrongSettings as wrong:
        return wrong.keys


def refuse_uncollectable(provider: str, amount: Money, *, phone: bool = False) -> None:
    """Raises NotWholeShillings, BelowMinimum or OverLimit where the provider cannot take the amount,
    ProviderNotConfigured where it takes none of this currency, or asks no phone that is to be asked."""
    known = PROVIDERS.get(provider)
    taken = known.collects if known else {}
    if known and phone and known.by == "page":
        taken = known.prompts
    limits = taken.get(amount.currency)
    if limits is None:
        raise ProviderNotConfigured(provider)
    limits.refuse_beyond(amount)


def refuse_unpayable(shop: Shop, amount: Money) -> None:
    """Raises what the usual provider refuses where customers can pay this amount by none."""
    refuse_closed_till(shop)
    if not any(takes(provider, amount) for provider in shop.collects_by):
        usual = "mpesa" if "mpesa" in shop.collects_by else shop.collects_by[0]
        refuse_uncollectable(usual, amount)


def takes(provider: str, amount: Money, *, phone: bool = False) -> bool:
    """Whether the provider can take the amount at once; `phone`: by asking a phone for it."""
    try:
        refuse_uncollectable(provider, amount, phone=phone)
    except Refusal:
        return False
    return True


def asks_phones(by: Sequence[str], currency: str) -> str | None:
    """The provider that asks customers' phones, of those by which a shop collects: one that does nothing
    else, before one that opens pages; None where there is none."""
    able = [name for name in by if not opens_page(name) or currency in PROVIDERS[name].prompts]
    return min(able, key=opens_page, default=None)


def opens_page(provider: str) -> bool:
    """Whether customers pay by it on a page of its own; what else it does, see `asks_phones`."""
    known = PROVIDERS.get(provider)
    return known is not None and known.by == "page"


def charges(provider: str) -> bool:
    """Whether what is saved of it is charged, with no page."""
    known = PROVIDERS.get(provider)
    return known is not None and known.charges


def refuse_closed_till(shop: Shop, provider: str = "mpesa") -> None:
    """Raises ProviderNotConfigured where customers can pay by nothing."""
    if not shop.collects_by:
        raise ProviderNotConfigured(provider)


def refuse_closed_way_out(shop: Shop, method_type: str) -> None:
    """Raises ProviderNotConfigured, with what is missing, where nothing can be paid out this way."""
    if method_type not in shop.pays_out_by:
        raise ProviderNotConfigured(method_type, shop.payout_lacks.get(method_type, ()), paying_out=True)


def refuse_closed_ways_out(shop: Shop, usual: str = "mpesa") -> None:
    """Raises ProviderNotConfigured, with what the usual way lacks, where nothing can be paid out at all."""
    if not shop.pays_out_by:
        refuse_closed_way_out(shop, usual)


def abilities(
    parts: Mapping[str, Mapping[str, Any]], currency: str, providers: Mapping[str, Provider] = PROVIDERS
) -> dict[str, Any]:
    """What a tenant's settings let it do, as a Shop has it: in the order of `providers`."""
    collects_by: list[str] = []
    pays_out_by: list[str] = []
    lacks: dict[str, tuple[str, ...]] = {}
    paybill: str | None = None
    for name, provider in providers.items():
        if name not in parts:
            continue
        out = provider.pays_out if provider.currency == currency else frozenset[str]()
        try:
            settings = settings_of(provider, parts[name])
        except WrongSettings as wrong:
            lacks |= dict.fromkeys(out, wrong.keys)
            continue
        if currency in provider.collects and not settings.missing_to_collect:
            collects_by.append(name)
            paybill = paybill or settings.paybill
        if settings.missing_to_pay_out:
            lacks |= dict.fromkeys(out, settings.missing_to_pay_out)
        else:
            pays_out_by += sorted(out)
    return {
        "collects_by": tuple(collects_by),
        "pays_out_by": tuple(dict.fromkeys(pays_out_by)),
        "payout_lacks": {way: missing for way, missing in lacks.items() if way not in pays_out_by},
        "paybill": paybill,
    }
