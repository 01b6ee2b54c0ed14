"""The category and type that WhatsApp charges a message under, as its statuses tell them.

https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing
"""

import re
from typing import Any, NamedTuple

_WORD = re.compile(r"[a-z_-]{1,40}", re.ASCII)
CATEGORIES = frozenset(
    ("service", "utility", "marketing", "marketing_lite", "authentication", "authentication-international")
)
TYPES = frozenset(("regular", "free_customer_service", "free_entry_point"))


class Price(NamedTuple):
    """What is known of one; empty words where WhatsApp does not say."""

    category: str
    type: str


def price_of(status: Any) -> Price | None:
    """None where the status tells none."""
    match status:
        case {"pricing": {"category": str(category)} as pricing} if _WORD.fullmatch(category):
            type_ = pricing.get("type")
            return Price(category, type_ if isinstance(type_, str) and _WORD.fullmatch(type_) else "")
    return None
