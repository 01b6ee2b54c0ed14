"""Details: what a saved method of each provider holds. All of it is sealed; what names a phone is shown
masked, and codes and tokens of cards are shown to nobody."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.errors import InvalidMethodDetails, InvalidPhone
from services.facts import Shop
from services.news import PaymentMethod
from services.phones import masked, mpesa_number, without_numbers
from services.providers import PROVIDERS
from services.rails import opens_page

_LAST4 = re.compile(r"\d{4}", re.ASCII)
_CODE = re.compile(r"[!-~]{1,200}", re.ASCII)
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])", re.ASCII)
_CARD_NUMBER = re.compile(r"[\d -]{12,}", re.ASCII)
_LONGEST_WORD = 30
_COLLECTING = {name for name, provider in PROVIDERS.items() if provider.collects}


@dataclass(frozen=True)
class _Kind:
    """`fields`: how each is read; `same_by`: what makes two of them the same method; `secret`: what is
    shown to nobody; `more`: what is kept of it where it is told. `told_by`: what the provider tells beside,
    and nobody types, by which it is the same card under another token."""

    fields: Mapping[str, Callable[[str], str | None]]
    same_by: tuple[str, ...]
    secret: frozenset[str] = frozenset()
    told_by: str | None = None
    more: Mapping[str, Callable[[str], str | None]] = field(default_factory=dict)


def _phone(text: str) -> str | None:
    try:
        return mpesa_number(text)
    except InvalidPhone:
        return None


def _last4(text: str) -> str | None:
    return text if _LAST4.fullmatch(text) else None


def _code(text: str) -> str | None:
    """The provider's token of a card; a card's own number must not come here."""
    return text if _CODE.fullmatch(text) and not _CARD_NUMBER.fullmatch(text) else None


def _month(text: str) -> str | None:
    """The last one in which a card can be charged, as "2027-04"."""
    return text if _MONTH.fullmatch(text) else None


def _word(text: str) -> str | None:
    """As the customer reads it: no number of a card or an account in it."""
    legible = text.isprintable() and len(text) <= _LONGEST_WORD
    return text if legible and without_numbers(text) == text else None


# By provider, in the order in which they are offered.
KINDS: Mapping[str, _Kind] = {
    "mpesa": _Kind({"phone_number": _phone}, same_by=("phone_number",)),
    "paystack": _Kind(
        {"authorization_code": _code, "last4": _last4, "bank": _word},
        same_by=("authorization_code",),
        secret=frozenset({"authorization_code"}),
        more={"expires": _month},
    ),
    "pesapal": _Kind({"payment_method": _word, "last4": _last4}, same_by=("payment_method", "last4")),
    "stripe": _Kind(
        {"payment_method_id": _code, "last4": _last4, "brand": _word},
        same_by=("payment_method_id",),
        secret=frozenset({"payment_method_id", "fingerprint"}),
        told_by="fingerprint",
        more={"expires": _month},
    ),
}


def configured(shop: Shop, parts: Mapping[str, Any]) -> tuple[str, ...]:
    """The providers that a tenant has settings for (`parts`), as far as we can try them: one that we
    cannot collect with yet counts, so that its cards can be saved before."""
    return tuple(
        name for name in KINDS if name in parts and (name in shop.collects_by or name not in _COLLECTING)
    )


def read(provider: str, given: Mapping[str, Any]) -> dict[str, str]:
    """As they are kept. Raises InvalidMethodDetails, naming what is missing or wrong."""
    kind = KINDS[provider]
    fields = {**kind.fields, **{name: reads for name, reads in kind.more.items() if name in given}}
    found = {
        name: reads(given[name].strip()) if isinstance(given.get(name), str) else None
        for name, reads in fields.items()
    }
    missing = tuple(name for name in kind.fields if given.get(name) in (None, ""))
    wrong = [name for name, value in found.items() if value is None and name not in missing]
    wrong += [name for name in given if name not in fields]
    details = {name: value for name, value in found.items() if value is not None}
    if missing or wrong:
        raise InvalidMethodDetails(missing, tuple(wrong))
    return details


def read_told(provider: str, told: Mapping[str, Any]) -> dict[str, str]:
    """The same of what the provider tells. Raises InvalidMethodDetails."""
    beside = KINDS[provider].told_by
    details = read(provider, {name: value for name, value in told.items() if name != beside})
    mark = told.get(beside) if beside else None
    return details | ({beside: mark} if beside and isinstance(mark, str) and _CODE.fullmatch(mark) else {})


def same_by(provider: str, details: Mapping[str, str]) -> dict[str, str]:
    """What makes it the same method when it comes again."""
    kind = KINDS.get(provider)
    if kind is None:
        return dict(details)
    if kind.told_by is not None and kind.told_by in details:
        return {kind.told_by: details[kind.told_by]}
    return {name: details[name] for name in kind.same_by}


def token_of(provider: str, details: Mapping[str, str]) -> dict[str, str]:
    """What the provider is asked to charge, or to forget: the same card may have several."""
    kind = KINDS.get(provider)
    return {name: details[name] for name in kind.same_by} if kind else dict(details)


def without_mark(provider: str, details: Mapping[str, str]) -> dict[str, str]:
    """To be known by its token alone."""
    kind = KINDS.get(provider)
    return {name: value for name, value in details.items() if kind is None or name != kind.told_by}


def expired(details: Mapping[str, str], now: datetime) -> bool:
    """Whether the card's last month is over; of one that was saved without it nothing is known."""
    return "expires" in details and details["expires"] < f"{now:%Y-%m}"


def method_of(provider: str, details: Mapping[str, str]) -> PaymentMethod:
    """As the chat shows it: "********5678", or "KCB ****4081"."""
    if is_of_phone(details):
        return PaymentMethod(provider=provider, label=masked(details["phone_number"]))
    word = next(details[name] for name in ("bank", "payment_method", "brand") if name in details)
    return PaymentMethod(provider=provider, label=f"{word} ****{details['last4']}")


def by_phone(provider: str, phone: str) -> PaymentMethod:
    """A phone that is asked: "********5678"; "M-Pesa ********5678" of a provider that takes cards too."""
    label = masked(phone)
    return PaymentMethod(provider=provider, label=f"M-Pesa {label}" if opens_page(provider) else label)


def is_of_phone(details: Mapping[str, str]) -> bool:
    return "phone_number" in details


def can_be_saved(provider: str, details: Mapping[str, str]) -> bool:
    """Whether it is what a saved method of this provider holds: of one that charges cards no phone is."""
    kind = KINDS.get(provider)
    if kind is None or not details:
        return bool(details)
    return without_mark(provider, details).keys() - kind.more.keys() == kind.fields.keys()


def shown(provider: str, details: Mapping[str, str]) -> dict[str, str]:
    """As the API shows them."""
    secret = KINDS[provider].secret
    return {
        name: masked(value) if name == "phone_number" else value
        for name, value in details.items()
        if name not in secret
    }
