"""News of reconciliation: what the books and a provider do not agree on."""

from datetime import datetime
from typing import Literal

from services.money import Money
from services.news.base import BaseNews


class BreaksAged(BaseNews):
    """To those who reconcile, once for each: so many breaks are more than a day old. `total` sums up those in
    the shop's currency; `oldest` is when the first of them happened."""

    kind: Literal["breaks_aged"] = "breaks_aged"
    provider: str
    count: int
    total: Money
    oldest: datetime


class BreakReopened(BaseNews):
    """To those who reconcile: what a person had closed, for this reason, has other sums now; `amount` is what
    is at stake."""

    kind: Literal["break_reopened"] = "break_reopened"
    provider: str
    amount: Money
    by: str | None
    reason: str
