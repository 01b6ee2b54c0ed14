"""Reminded: an order that a customer left unpaid, in the thread in which the shop asked for it, if it did.

Reminded -> AwaitPayment | PayOnPage | ChooseMethod | AskNumber | NotReminded | AlreadySettled
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flows.customer.page import PayOnPage
from flows.customer.paid import AlreadySettled
from flows.customer.pay import AskNumber, ChangeMethod, ChooseMethod, Pay, choose_method
from flows.customer.requested import (
    NotNow,
    RequestGone,
    RequestSettled,
    ReviewRequest,
    pay_in_one_tap,
    request_thread,
    review,
    with_what,
)
from flows.customer.waiting import AwaitPayment
from flows.customer.ways import shown, what, with_expired, with_slow
from flows.step import Choice, Step
from flows.teller import Checkout, Standing, Teller, Way
from flows.text import Text
from services.errors import NotFound
from services.news.requests import PaymentReminder


class Reminded(Step):
    checkout: Checkout
    way: Way | None
    expired: Way | None = None

    @property
    def thread(self) -> str:
        return request_thread(self.checkout.order_id)

    @property
    def reference(self) -> str | None:
        return self.checkout.order_id.hex[-6:].upper()

    def says(self) -> Text:
        facts: dict[str, Any] = {"what": what(self.checkout), "amount": self.checkout.amount}
        if self.way is None:
            return Text("This is not paid yet at *{shop}*:\n{what}\n*{amount}*", **facts)
        asked = Text(
            "This is not paid yet at *{shop}*:\n{what}\n*{amount}*, with {way}", **facts, way=shown(self.way)
        )
        return with_expired(with_slow(asked, (self.way,)), self.expired)

    def choices(self) -> tuple[Choice, ...]:
        return Pay(), NotNow(), ChangeMethod()

    async def hears(
        self, answer: Pay | NotNow | ChangeMethod, teller: Teller
    ) -> AwaitPayment | PayOnPage | ChooseMethod | AskNumber | NotReminded | AlreadySettled:
        match answer:
            case Pay():
                return await pay_in_one_tap(self.checkout, self.way, teller)
            case NotNow():
                await teller.remind_no_more(self.checkout.order_id)
                return NotReminded(order_id=self.checkout.order_id)
            case ChangeMethod():
                return await choose_method(self.checkout, teller)


class NotReminded(Step):
    """The order stays open: only the reminders end."""

    order_id: UUID

    @property
    def thread(self) -> str:
        return request_thread(self.order_id)

    def says(self) -> Text:
        return Text("All right, I won't remind you of it again. To pay it later, type *pay*.")


async def told_reminder(news: PaymentReminder, teller: Teller) -> Reminded | None:
    """Nothing is said of an order that is being paid by now, or closed, nor while nobody could pay it."""
    if not teller.shop.collects_by:
        return None
    try:
        order = await teller.standing(news.order_id)
    except NotFound:
        return None
    return await _reminded(order, teller) if order.status == "open" else None


async def look(
    order_id: UUID, teller: Teller
) -> ReviewRequest | Reminded | RequestSettled | RequestGone | None:
    """Where an order stands whose buttons are tapped late; None while it is being paid, which is a thread
    of its own. Raises NotFound."""
    order = await teller.standing(order_id)
    number = order.checkout.number or ""
    match order.status:
        case "open" if order.asked:
            return await review(order.checkout, teller)
        case "open":
            return await _reminded(order, teller)
        case "awaiting_payment":
            return None
        case "canceled":
            return RequestGone(
                order_id=order_id,
                number=number,
                amount=order.checkout.amount,
                why="taken_back" if order.asked else "closed",
            )
        case _:
            return RequestSettled(order_id=order_id, number=number, receipt=order.receipt)


async def _reminded(order: Standing, teller: Teller) -> Reminded:
    way, expired = await with_what(order.checkout, teller)
    return Reminded(checkout=order.checkout, way=way, expired=expired)
