"""Staff news: what is told of the shop's business to those of the staff who want it."""

from datetime import datetime
from typing import Literal

from services.money import Money
from services.news.base import BaseNews


class SaleMade(BaseNews):
    """A customer has paid."""

    kind: Literal["sale_made"] = "sale_made"
    number: str
    amount: Money
    customer: str
    provider: str
    method: str  # masked


class DaySummed(BaseNews):
    """What the day until then has brought."""

    kind: Literal["day_summed"] = "day_summed"
    until: datetime
    sales: int
    sold: Money
    withdrawals: int
    paid_out: Money
    fees: Money
    available: Money


class BalanceLow(BaseNews):
    """A withdrawal has taken the wallet below what the tenant's file says."""

    kind: Literal["balance_low"] = "balance_low"
    available: Money
    limit: Money
