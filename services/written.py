"""Written: amounts and percentages as people write them in files, quoted or bare."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

from services.money import PLACES, Money

_AMOUNT = re.compile(r"\d{1,12}(\.\d{1,4})?", re.ASCII)
_PERCENT = re.compile(r"(100(\.0{1,4})?|\d{1,2}(\.\d{1,4})?)", re.ASCII)
_PPM_OF_ONE_PERCENT = 10_000


def _text(value: Any) -> Any:
    """Numbers as they are written: TOML's fractions are read as Decimal, never as float."""
    bare = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return str(value) if bare else value


def _amount(value: Any) -> str:
    text = _text(value)
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise ValueError('not an amount like 5000 or "99.50"; it is never negative')
    return text


def _percent(value: Any) -> str:
    text = _text(value)
    if not isinstance(text, str) or not _PERCENT.fullmatch(text):
        raise ValueError('not a percentage from 0 to 100 like "1.5", with four places at most')
    return text


Amount = Annotated[str, BeforeValidator(_amount)]
Percent = Annotated[str, BeforeValidator(_percent)]


def minor_of(amount: str, currency: str) -> int:
    """Zero is an amount here. Raises ValueError where it has more places than the currency."""
    if len(amount.partition(".")[2]) > PLACES[currency]:
        raise ValueError(f"{amount} has more places than {currency}")
    return int(Decimal(amount).scaleb(PLACES[currency]))


def amount_of(minor: int, currency: str) -> str:
    """With the currency's places: "99.50"."""
    return str(Money(minor, currency))


def ppm_of(percent: str) -> int:
    """Parts of a million."""
    return int(Decimal(percent) * _PPM_OF_ONE_PERCENT)


def percent_of(ppm: int) -> str:
    """Without zeros at the end: "1.5"."""
    return f"{(Decimal(ppm) / _PPM_OF_ONE_PERCENT).normalize():f}"
