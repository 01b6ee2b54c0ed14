"""Ordered: an order that was put together in WhatsApp's own catalogue, as far as it can be read.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/order
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from bot.whatsapp.clean import clean
from flows.reply import Item, Ordered

_MOST_ITEMS, _MOST_ID = 200, 100
_FIGURE = re.compile(r"\d{1,9}", re.ASCII)


def ordered(items: list[Any], note: Any) -> Ordered:
    """What cannot be read is kept as such: it is answered, and never guessed."""
    return Ordered(
        items=tuple(_item(each) for each in items[:_MOST_ITEMS]),
        note=clean(note) if isinstance(note, str) else None,
    )


def _item(item: Any) -> Item:
    if not isinstance(item, dict):
        return Item(sku="?", quantity=None, price=None)
    sku = item.get("product_retailer_id")
    return Item(
        sku=clean(sku)[:_MOST_ID] if isinstance(sku, str) and sku else "?",
        quantity=_whole(item.get("quantity")),
        price=_decimal(item.get("item_price")),
    )


def _whole(quantity: Any) -> int | None:
    if isinstance(quantity, str) and _FIGURE.fullmatch(quantity):
        return int(quantity)
    return quantity if isinstance(quantity, int) and not isinstance(quantity, bool) else None


def _decimal(price: Any) -> Decimal | None:
    """Meta tells a float, whose shortest spelling is what was meant."""
    if isinstance(price, bool) or not isinstance(price, int | float | str):
        return None
    try:
        return Decimal(str(price)[:40])
    except InvalidOperation:
        return None
