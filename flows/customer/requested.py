"""Requested: the shop asks a customer to pay.

Each request is a thread of its own, so that it can be answered amid other talk.

ReviewRequest -> AwaitPayment | ChooseMethod | AskNumber | Declined | AlreadySettled | RequestSettled
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flows.customer.paid import AlreadySettled
from flows.customer.pay import AskNumber, ChangeMethod, ChooseMethod, Pay, ask_to_pay, choose_method
from flows.customer.waiting import AwaitPayment
from flows.customer.ways import shown, ways
from flows.step import Choice, Step
from flows.teller import Checkout, Teller, Way
from flows.text import Text
from services.errors import AlreadyPaid, Refusal
from services.money import Money
from services.rails import refuse_closed_till, refuse_uncollectable
from services.request_news import PaymentRequested, RequestClosed


class NotNow(Choice):
    exact = True
    label = Text("Not now")


def request_thread(order_id: UUID) -> str:
    return f"r{order_id}"


class ReviewRequest(Step):
    """`way`: the preferred one, None where the customer has none and WhatsApp hides the number."""

    checkout: Checkout
    way: Way | None

    @property
    def thread(self) -> str:
        return request_thread(self.checkout.order_id)

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
    ) -> AwaitPayment | ChooseMethod | AskNumber | Declined | AlreadySettled | RequestSettled:
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
    order_id: UUID

    @property
    def thread(self) -> str:
        return request_thread(self.order_id)

    def says(self) -> Text:
        return Text("All right, you pay nothing, and {shop} is told. Type *menu* to go on.")


class RequestSettled(AlreadySettled):
    order_id: UUID

    @property
    def thread(self) -> str:
        return request_thread(self.order_id)


class RequestGone(Step):
    """Nobody pays it any more. `expired`: its time is over; else it was taken back, or declined."""

    order_id: UUID
    number: str
    amount: Money
    expired: bool = False

    @property
    def thread(self) -> str:
        return request_thread(self.order_id)

    def says(self) -> Text:
        if self.expired:
            return Text(
                "Order {number} for {amount} was not paid in time and is closed. You pay nothing.",
                number=self.number,
                amount=self.amount,
            )
        return Text(
            "{shop} no longer asks you for {amount}: order {number} is closed, and you pay nothing.",
            number=self.number,
            amount=self.amount,
        )


async def decline(checkout: Checkout, teller: Teller) -> Declined | RequestSettled:
    """Raises PaymentUnderWay while the phone may still be asked for it."""
    try:
        await teller.decline_request(checkout.order_id)
    except AlreadyPaid as paid:
        return RequestSettled(order_id=checkout.order_id, number=paid.number, receipt=paid.receipt)
    return Declined(order_id=checkout.order_id)


class OrderToldOnly(Step):
    """The shop takes nothing here that could pay it: it collects by nothing now, or not such an amount."""

    order_id: UUID
    number: str
    amount: Money
    reason: str

    @property
    def thread(self) -> str:
        return request_thread(self.order_id)

    def says(self) -> Text:
        return Text(
            "*{shop}* has made an order of *{amount}* for you: {reason}\n"
            "Order {number}. Please ask them how to pay it.",
            number=self.number,
            amount=self.amount,
            reason=self.reason,
        )


async def told_requested(news: PaymentRequested, teller: Teller) -> ReviewRequest | OrderToldOnly:
    try:
        refuse_closed_till(teller.shop)
        refuse_uncollectable("mpesa", news.amount)
    except Refusal:
        return OrderToldOnly(
            order_id=news.order_id, number=news.number, amount=news.amount, reason=news.reason
        )
    checkout = Checkout(order_id=news.order_id, amount=news.amount, number=news.number, summary=news.reason)
    return await _review(checkout, teller)


async def told_closed(news: RequestClosed, _teller: Teller) -> RequestGone:
    return RequestGone(order_id=news.order_id, number=news.number, amount=news.amount, expired=news.expired)


async def look(order_id: UUID, teller: Teller) -> ReviewRequest | RequestSettled | RequestGone | None:
    """Where a request stands whose buttons are tapped late; None while it is being paid, which is a thread
    of its own. Raises NotFound."""
    order = await teller.standing(order_id)
    number = order.checkout.number or ""
    match order.status:
        case "open":
            return await _review(order.checkout, teller)
        case "awaiting_payment":
            return None
        case "canceled":
            return RequestGone(order_id=order_id, number=number, amount=order.checkout.amount)
        case _:
            return RequestSettled(order_id=order_id, number=number, receipt=order.receipt)


async def _review(checkout: Checkout, teller: Teller) -> ReviewRequest:
    known = await ways(teller)
    return ReviewRequest(checkout=checkout, way=known[0] if known else None)
