"""Bodies: what Daraja sends, read without trusting the type of anything in it.

The same field is a number in one body and a string in the next, a list of one item an object, an
empty item has no value.
Source: https://developer.safaricom.co.ke/apis/TransactionStatus and live bodies, which differ from it.
"""

from decimal import Decimal
from typing import Any

from services.money import Money
from services.providers.bodies import Json

_CURRENCY = "KES"


def items_of(items: Any, name: str) -> Json:
    """{name: value} of a list of items or of a single one; an item without a value is left out."""
    many = items if isinstance(items, list) else [items]
    return {
        item[name]: item["Value"]
        for item in many
        if isinstance(item, dict) and isinstance(item.get(name), str) and "Value" in item
    }


def money_of(value: Any) -> Money | None:
    """A positive amount of shillings (300, "300.00", 1.0, 1.000), exactly; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    whole, point, cents = str(value).partition(".")
    try:
        return Money.parse(whole + point + cents[:2] + cents[2:].rstrip("0"), _CURRENCY)
    except ValueError:
        return None
