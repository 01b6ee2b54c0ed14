"""Orders told: what a customer hears when the shop has closed an order of theirs."""

from __future__ import annotations

from flows.step import Step
from flows.teller import Teller
from flows.text import Text
from services.money import Money
from services.news.orders import OrderCanceled, OrderFulfilled


class _Told(Step):
    number: str

    @property
    def thread(self) -> str:
        return "order"


class OrderFulfilledTold(_Told):
    def says(self) -> Text:
        return Text(
            "📦 {shop} has marked your order {number} as handed over. If you did not get it, please tell "
            "the shop.",
            number=self.number,
        )


class OrderCanceledTold(_Told):
    amount: Money
    reason: str

    def says(self) -> Text:
        return Text(
            "{shop} has cancelled your order {number} for {amount}: {reason}\n"
            "You need not pay anything for it.",
            number=self.number,
            amount=self.amount,
            reason=self.reason,
        )


async def told_fulfilled(news: OrderFulfilled, _teller: Teller) -> OrderFulfilledTold:
    return OrderFulfilledTold(number=news.number)


async def told_canceled(news: OrderCanceled, _teller: Teller) -> OrderCanceledTold:
    return OrderCanceledTold(number=news.number, amount=news.amount, reason=news.reason)
