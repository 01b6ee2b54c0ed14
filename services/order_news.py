"""Order news: what a customer is told of an order that the staff have closed. Part of `services/news.py`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.money import Money


class _News(BaseModel):
    model_config = ConfigDict(frozen=True)


class OrderFulfilled(_News):
    """What was paid for has been handed over or delivered."""

    kind: Literal["order_fulfilled"] = "order_fulfilled"
    number: str


class OrderCanceled(_News):
    """Nothing was paid for it, and nothing is to be: `reason` is what the staff typed."""

    kind: Literal["order_canceled"] = "order_canceled"
    number: str
    amount: Money
    reason: str
