"""The category and type that WhatsApp charges a message under, as its statuses tell them, and the country of
who gets it, on which its price depends.

https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing
"""

import re
from typing import Any, NamedTuple

from services.costs import messages
from services.phones import country_of

_WORD = re.compile(r"[a-z_-]{1,40}", re.ASCII)
_USER_ID = re.compile(r"([A-Z]{2})\.[A-Za-z0-9.]+", re.ASCII)
_DIGITS = re.compile(r"\d{1,15}", re.ASCII)
CATEGORIES = frozenset(messages.CATEGORIES)
TYPES = frozenset((messages.REGULAR, *messages.FREE))


class Price(NamedTuple):
    """What is known of one; empty words where WhatsApp does not say. `country`: of who gets it ("KE")."""

    category: str
    type: str
    country: str


def price_of(status: Any) -> Price | None:
    """None where the status tells none."""
    match status:
        case {"pricing": {"category": str(category)} as pricing} if _WORD.fullmatch(category):
            type_ = pricing.get("type")
            told = type_ if isinstance(type_, str) and _WORD.fullmatch(type_) else ""
            return Price(category, told, _country(status))
    return None


def _country(status: dict[str, Any]) -> str:
    """A user id begins with it; a phone is only told by who has not hidden it."""
    user_id, phone = status.get("recipient_user_id"), status.get("recipient_id")
    if isinstance(user_id, str) and (found := _USER_ID.fullmatch(user_id)):
        return found[1]
    return country_of(f"+{phone}") if isinstance(phone, str) and _DIGITS.fullmatch(phone) else ""
