"""Staff news: what is told of the shop's business to those of the staff who want it. Part of
`services/news.py`."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.money import Money


class _News(BaseModel):
    model_config = ConfigDict(frozen=True)


class SaleMade(_News):
    """A customer has paid."""

    kind: Literal["sale_made"] = "sale_made"
    number: str
    amount: Money
    customer: str
    provider: str
    method: str  # masked


class DaySummed(_News):
    """What the day until then has brought."""

    kind: Literal["day_summed"] = "day_summed"
    until: datetime
    sales: int
    sold: Money
    withdrawals: int
    paid_out: Money
    fees: Money
    available: Money


class BalanceLow(_News):
    """A withdrawal has taken the wallet below what the tenant's file says."""

    kind: Literal["balance_low"] = "balance_low"
    available: Money
    limit: Money
