"""Requested: the shop asks a customer to pay.

Each request is a thread of its own, so that it can be answered amid other talk.

ReviewRequest -> AwaitPayment | ChooseMethod | AskNumber | Declined | AlreadySettled
"""

from __future__ import annotations

from typing import Any

from flows.customer.paid import AlreadySettled
from flows.customer.pay import AskNumber, ChangeMethod, ChooseMethod, Pay, ask_to_pay, choose_method
from flows.customer.waiting import AwaitPayment
from flows.customer.ways import shown, ways
from flows.step import Choice, Step
from flows.teller import Checkout, Teller, Way
from flows.text import Text
from services.errors import AlreadyPaid
from services.request_news import PaymentRequested


class NotNow(Choice):
    exact = True
    label = Text("Not now")


class ReviewRequest(Step):
    """`way`: the preferred one, None where the customer has none and WhatsApp hides the number."""

    checkout: Checkout
    way: Way | None

    @property
    def thread(self) -> str:
        return f"r{self.checkout.order_id}"

    @property
    def reference(self) -> str | None:
        return self.checkout.order_id.hex[-6:].upper()

    def says(self) -> Text:
        facts: dict[str, Any] = {
            "amount": self.checkout.amount,
            "number": self.checkout.number,
            "reason": self.checkout.summary,
        }
        if self.way is None:
            return Text("*{shop}* asks you to pay *{amount}* for: {reason}\nOrder {number}", **facts)
        return Text(
            "*{shop}* asks you to pay *{amount}* for: {reason}\nOrder {number}, with {way}",
            **facts,
            way=shown(self.way),
        )

    def choices(self) -> tuple[Choice, ...]:
        return Pay(), NotNow(), ChangeMethod()

    async def hears(
        self, answer: Pay | NotNow | ChangeMethod, teller: Teller
    ) -> AwaitPayment | ChooseMethod | AskNumber | Declined | AlreadySettled:
        match answer:
            case Pay():
                return await self._pay(teller)
            case NotNow():
                return await decline(self.checkout, teller)
            case ChangeMethod():
                return await choose_method(self.checkout, teller)

    async def _pay(self, teller: Teller) -> AwaitPayment | AskNumber | AlreadySettled:
        if self.way is None:
            return AskNumber(checkout=self.checkout, hidden=teller.me.phone is None)
        return await ask_to_pay(self.checkout, self.way, teller)


class Declined(Step):
    def says(self) -> Text:
        return Text("All right, you pay nothing, and {shop} is told. Type *menu* to go on.")


async def decline(checkout: Checkout, teller: Teller) -> Declined | AlreadySettled:
    """Raises PaymentUnderWay while the phone may still be asked for it."""
    try:
        await teller.decline_request(checkout.order_id)
    except AlreadyPaid as paid:
        return AlreadySettled(number=paid.number, receipt=paid.receipt)
    return Declined()


async def told_requested(news: PaymentRequested, teller: Teller) -> ReviewRequest:
    checkout = Checkout(order_id=news.order_id, amount=news.amount, number=news.number, summary=news.reason)
    known = await ways(teller)
    return ReviewRequest(checkout=checkout, way=known[0] if known else None)
