"""Change typed: limits, steps of approvals and fees as people type them.

50000                               an amount
2 above 50000; 3 above 1000000      steps of approvals (Swahili: zaidi ya; French: au-dessus de)
40 | 1.5% | 40 + 1%                 a fee of all amounts
20 up to 1000; 50                   fees by amounts, the last for all above (Swahili: hadi; French: jusqu'à)
"""

import re
from typing import Any

from flows.amounts import amount_of
from services.errors import InvalidAmount
from services.errors.settings import InvalidChange
from services.money import Money

_AMOUNTS = ("per_withdrawal", "per_day", "per_destination", "per_maker", "totp_above")
_PARTS = re.compile(r"[;\n]")
_ABOVE = r"(?:above|over|zaidi\s+ya|au[ -]dessus\s+de|plus\s+de|>)"
_BELOW = r"(?:up\s+to|until|hadi|jusqu['\u2019]?\s?[àa]|<=)"
_STEP = re.compile(rf"(\d{{1,2}})\s+{_ABOVE}\s*(.+)", re.IGNORECASE | re.ASCII)
_UP_TO = re.compile(rf"(.+?)\s+{_BELOW}\s*(.+)", re.IGNORECASE | re.ASCII)
_PERCENT = re.compile(r"(?:(.+?)\s*\+\s*)?(\d{1,3}(?:\.\d{1,4})?)\s*%", re.ASCII)
_NUMBER = re.compile(r"\d{1,5}", re.ASCII)


def limit_typed(key: str, typed: str, currency: str) -> Any:
    """As the tenant file has it. Raises InvalidAmount, InvalidChange."""
    text = typed.strip()
    if key in _AMOUNTS:
        return str(amount_of(text, currency))
    if key == "approvals_above":
        return [_step(part, currency) for part in _parts(text)]
    if key == "blocked_hours":
        return text[:20]
    if not _NUMBER.fullmatch(text):
        raise InvalidChange(key, "is a number")
    return int(text)


def _step(part: str, currency: str) -> dict[str, Any]:
    found = _STEP.fullmatch(part)
    if found is None:
        raise InvalidChange("approvals_above", "is typed like: 2 above 50000")
    return {"amount": str(amount_of(found[2], currency)), "approvals": int(found[1])}


def fee_bands(typed: str, currency: str) -> list[dict[str, str]]:
    """Bands without a gap between them. Raises InvalidAmount, InvalidChange."""
    *below, last = _parts(typed)
    bands, low = [], "0"
    for part in below:
        found = _UP_TO.fullmatch(part)
        if found is None:
            raise InvalidChange("bands", "each but the last says up to which amount it is")
        high = amount_of(found[2], currency)
        bands.append({"from": low, "to": str(high)} | _fee(found[1], currency))
        low = str(Money(high.minor + 1, currency))
    return [*bands, {"from": low} | _fee(last, currency)]


def _fee(typed: str, currency: str) -> dict[str, str]:
    found = _PERCENT.fullmatch(typed.strip())
    if found is None:
        return {"flat": _flat(typed, currency)}
    return {"flat": _flat(found[1], currency) if found[1] else "0", "percent": found[2]}


def _flat(typed: str, currency: str) -> str:
    """Nothing is a fee too."""
    return "0" if typed.strip() == "0" else str(amount_of(typed, currency))


def _parts(typed: str) -> list[str]:
    """At least one."""
    found = [part.strip() for part in _PARTS.split(typed) if part.strip()]
    if not found:
        raise InvalidAmount(typed.strip()[:40])
    return found
