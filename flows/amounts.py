"""Amounts, as people type them: "500", "1,250.50", "KES 500", "500/="."""

import re

from services.errors import InvalidAmount
from services.money import Money, NotAnAmount

_GROUPED = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_TOO_LOW = re.compile(r"-\s?\d[\d,]*(\.\d+)?|0+(\.0+)?", re.ASCII)
_LOOKALIKES = str.maketrans("oil", "011")
# The longer before those that they begin or end with.
_UNITS = {"KES": ("kshs", "ksh", "kes", "shs", "sh", "/=", "/-"), "USD": ("usd", "$")}


def amount_of(text: str, currency: str) -> Money:
    """Raises InvalidAmount for whatever is not plainly one positive amount."""
    bare = text.strip().casefold()
    for unit in _UNITS.get(currency, (currency.casefold(),)):
        bare = bare.removeprefix(unit).removesuffix(unit).strip(" .") if unit in bare else bare
    if _GROUPED.fullmatch(bare):
        bare = bare.replace(",", "")
    try:
        return Money.parse(bare, currency)
    except NotAnAmount:
        too_low, letters = bool(_TOO_LOW.fullmatch(bare)), _is_amount(bare.translate(_LOOKALIKES), currency)
        raise InvalidAmount(text.strip()[:40], too_low=too_low, letters=letters) from None


def _is_amount(text: str, currency: str) -> bool:
    try:
        Money.parse(text, currency)
    except NotAnAmount:
        return False
    return True
