"""Ways: how a customer can pay, and what is paid, in words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flows.customer.paid import method_shown
from flows.refusals import provider_name
from flows.step import Choice
from flows.teller import Checkout, Teller, Way
from flows.text import Text
from services import phones
from services.errors import InvalidPhone
from services.money import Money
from services.news import PaymentMethod
from services.payments.details import by_phone
from services.rails import asks_phones, charges, opens_page, takes


@dataclass(frozen=True)
class Use(Choice):
    """A saved method, or the number of this chat."""

    exact = True
    way: Way

    @property
    def label(self) -> Text:
        """A row of WhatsApp's takes 24 characters: who asks the phone stands below it."""
        return Text("{way}", way=self.way.method.label) if self._for_another else shown(self.way)

    @property
    def note(self) -> Text | None:
        if self.way.method_id:
            return Text("Saved")
        if self.by_page:
            return Text("On its own page")
        if self._for_another:
            name = provider_name(self.way.method.provider)
            return Text("This chat's number, through {provider}", provider=name)
        return Text("This chat's number")

    @property
    def by_page(self) -> bool:
        return by_page(self.way)

    @property
    def _for_another(self) -> bool:
        """The phone is asked in the name of a provider that takes more than M-Pesa."""
        return self.way.phone is not None and opens_page(self.way.method.provider)


class AnotherNumber(Choice):
    label = Text("Another number")


class ChangeWay(Choice):
    """Typed, where WhatsApp shows no buttons."""

    label = Text("Change")


def what(checkout: Checkout) -> Text:
    """Of an order that exists."""
    if not checkout.summary:
        return Text("Order {number}", number=checkout.number)
    order = Text("Order {number}: {summary}", number=checkout.number, summary=checkout.summary)
    if checkout.delivery is None:
        return order
    getting = handed_over(checkout.note, delivery=checkout.delivery)
    return Text("{order}\n{getting}", order=order, getting=getting)


def handed_over(note: str | None, *, delivery: bool) -> Text:
    """How the person gets what they bought, and what they said about it."""
    if delivery:
        return Text("Deliver to: {note}", note=note or "")
    if note:
        return Text("You pick it up. Note: {note}", note=note)
    return Text("You pick it up at {shop}.")


def shown(way: Way) -> Text:
    return method_shown(way.method)


def with_slow(said: Text, ways: Iterable[Way], *, others: bool = False) -> Text:
    """And which of these are slow. `others`: there are ways that are not."""
    slow = tuple(dict.fromkeys(way.method.provider for way in ways if way.slow))
    if not slow:
        return said
    lines = tuple(Text("{provider} is slow at the moment.", provider=provider_name(name)) for name in slow)
    if others:
        lines = (*lines, Text("*Change method* shows other ways to pay."))
    return Text("{said}\n\n{lines}", said=said, lines=lines)


def with_expired(said: Text, expired: Way | None) -> Text:
    """And, before it, why the preferred card is not offered."""
    if expired is None:
        return said
    return Text(
        "{way} has expired. You can pay with another card on the page of {provider}.\n\n{said}",
        way=shown(expired),
        provider=provider_name(expired.method.provider),
        said=said,
    )


def by_page(way: Way) -> bool:
    """Whether the customer pays on the provider's page. What is saved there is charged, where it can be; and
    a phone is asked, in whoever's name."""
    return opens_page(way.method.provider) and way.phone is None and not charged(way)


def charged(way: Way) -> bool:
    """Whether what is saved is charged, with nothing more to do."""
    return way.method_id is not None and charges(way.method.provider)


def by_number(typed: str, provider: str = "mpesa") -> Way:
    """Raises InvalidPhone."""
    phone = phones.mpesa_number(typed)
    return Way(method=by_phone(provider, phone), phone=phone)


def asking(teller: Teller) -> str | None:
    """The provider that asks phones for this shop."""
    return asks_phones(teller.shop.collects_by, teller.shop.currency)


def possible(way: Way, amount: Money) -> bool:
    return takes(way.method.provider, amount, phone=way.phone is not None)


async def ways(teller: Teller, amount: Money) -> tuple[Way, ...]:
    """Those that take this amount. Of providers that answer before those that are slow; the preferred one,
    what else is saved, then what is not, each by what has worked best. Where WhatsApp hides the number,
    M-Pesa is one without a number."""
    return await _arranged(usable(await teller.ways(), teller, amount), teller, amount)


async def proposed(teller: Teller, amount: Money) -> tuple[Way | None, Way | None]:
    """What is offered first, None where nothing takes this amount: the preferred one, be it slow or not. And
    the preferred card where that has expired: it is paid anew then, on the page of its provider."""
    mine = await teller.ways()
    if mine and mine[0].expired and takes(mine[0].method.provider, amount):
        return noted(_new(mine[0].method.provider), teller), mine[0]
    saved = usable(mine, teller, amount)
    known = saved or await _arranged(saved, teller, amount)
    return (known[0] if known else None), None


def usable(saved: Iterable[Way], teller: Teller, amount: Money) -> tuple[Way, ...]:
    """Of the saved ones those that can pay it."""
    return tuple(noted(way, teller) for way in saved if not way.expired and possible(way, amount))


async def _arranged(saved: tuple[Way, ...], teller: Teller, amount: Money) -> tuple[Way, ...]:
    """`saved`: the preferred one first."""
    known = (*saved, *_unsaved(saved, teller, amount))
    ranks: tuple[str, ...] = ()
    if len({way.method.provider for way in (known[1:] if saved else known)}) > 1:
        ranks = await teller.ranked(amount)

    def place(way: Way) -> tuple[bool, bool, bool, int]:
        provider = way.method.provider
        rank = ranks.index(provider) if provider in ranks else len(ranks)
        return way.slow, way not in saved[:1], way.method_id is None, rank

    return tuple(sorted(known, key=place))


def noted(way: Way, teller: Teller) -> Way:
    """With what is known of its provider."""
    return way.model_copy(update={"slow": way.method.provider in teller.shop.slow})


def asks_number(way: Way) -> bool:
    """Whether it is not known yet whom M-Pesa is to ask."""
    return not way.method_id and not way.phone and not opens_page(way.method.provider)


def able(teller: Teller, total: Money) -> tuple[str, ...]:
    """The providers that take it, in whatever way."""
    asks = asking(teller)
    return tuple(
        name
        for name in teller.shop.collects_by
        if takes(name, total) or (name == asks and takes(name, total, phone=True))
    )


def others(way: Way, teller: Teller) -> bool:
    """Whether there are providers that are not slow, where this one is."""
    return way.slow and bool(set(teller.shop.collects_by) - teller.shop.slow)


def usual(teller: Teller) -> str:
    """The provider that asks a number where it can be had, else the first."""
    by = teller.shop.collects_by
    return asking(teller) or (by[0] if by else "mpesa")


def _unsaved(saved: tuple[Way, ...], teller: Teller, amount: Money) -> Iterator[Way]:
    asks = asking(teller)
    if asks is not None and takes(asks, amount, phone=True):
        yield from _asked(asks, saved, teller)
    for provider in teller.shop.collects_by:
        if opens_page(provider) and takes(provider, amount):
            yield noted(_new(provider), teller)


def _asked(provider: str, saved: tuple[Way, ...], teller: Teller) -> Iterator[Way]:
    """The number of this chat, unless it is saved; where WhatsApp hides it, one that is still to be told."""
    if teller.me.phone is not None:
        own = _own(teller.me.phone, provider)
        if own is not None and all(way.method != own.method for way in saved):
            yield noted(own, teller)
    elif not opens_page(provider) and all(way.method.provider != provider for way in saved):
        yield noted(_new(provider), teller)


def _new(provider: str) -> Way:
    """By its page, or by a number that is still to be told."""
    return Way(method=PaymentMethod(provider=provider, label=""))


def _own(phone: str, provider: str) -> Way | None:
    try:
        return by_number(phone, provider)
    except InvalidPhone:  # a number of another country
        return None
