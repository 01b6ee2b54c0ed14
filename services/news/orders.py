"""Order news: what a customer is told of an order that the staff have closed."""

from typing import Literal

from services.money import Money
from services.news.base import BaseNews


class OrderFulfilled(BaseNews):
    """What was paid for has been handed over or delivered."""

    kind: Literal["order_fulfilled"] = "order_fulfilled"
    number: str


class OrderCanceled(BaseNews):
    """Nothing was paid for it, and nothing is to be: `reason` is what the staff typed."""

    kind: Literal["order_canceled"] = "order_canceled"
    number: str
    amount: Money
    reason: str
