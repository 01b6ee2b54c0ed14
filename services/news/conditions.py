"""News of what lasts and should not: to those who reconcile, and of keys to who holds them."""

from datetime import datetime
from typing import Literal

from services.news.base import BaseNews


class StillPending(BaseNews):
    """So many have been under way at their provider for more than a day."""

    kind: Literal["still_pending"] = "still_pending"
    what: Literal["payment", "payout", "refund"]
    count: int


class ProviderDown(BaseNews):
    """It leaves what is asked for this shop unanswered."""

    kind: Literal["provider_down"] = "provider_down"
    provider: str


class KeyExpiring(BaseNews):
    """A key of the API that is in use ends soon."""

    kind: Literal["key_expiring"] = "key_expiring"
    prefix: str
    at: datetime
