"""Requested: the shop asks a customer to pay.

Each request is a thread of its own, so that it can be answered amid other talk.

ReviewRequest -> AwaitPayment | PayOnPage | ChooseMethod | AskNumber
ReviewRequest -> Declined | AlreadySettled | RequestSettled
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from flows.customer.page import PayOnPage
from flows.customer.paid import AlreadySettled
from flows.customer.pay import AskNumber, ChangeMethod, ChooseMethod, Pay, ask_to_pay, choose_method
from flows.customer.waiting import AwaitPayment
from flows.customer.ways import asks_number, proposed, shown, usable, with_expired, with_slow
from flows.step import Choice, Step
from flows.teller import Checkout, Teller, Way
from flows.text import Text
from services.errors import AlreadyPaid, Refusal
from services.money import Money
from services.news.requests import PaymentRequested, RequestClosed
from services.rails import refuse_unpayable


class NotNow(Choice):
    exact = True
    label = Text("Not now")


def request_thread(order_id: UUID) -> str:
    return f"r{order_id}"


class ReviewRequest(Step):
    """`way`: the preferred one, None where the customer has none and WhatsApp hides the number; `expired`:
    the card that would have been."""

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
        facts: dict[str, Any] = {
            "amount": self.checkout.amount,
            "number": self.checkout.number,
            "reason": self.checkout.summary,
        }
        if self.way is None:
            return Text("*{shop}* asks you to pay *{amount}* for: {reason}\nOrder {number}", **facts)
        asked = Text(
            "*{shop}* asks you to pay *{amount}* for: {reason}\nOrder {number}, with {way}",
            **facts,
            way=shown(self.way),
        )
        return with_expired(with_slow(asked, (self.way,)), self.expired)

    def choices(self) -> tuple[Choice, ...]:
        return Pay(), NotNow(), ChangeMethod()

    async def hears(
        self, answer: Pay | NotNow | ChangeMethod, teller: Teller
    ) -> AwaitPayment | PayOnPage | ChooseMethod | AskNumber | Declined | AlreadySettled | RequestSettled:
        match answer:
            case Pay():
                return await pay_in_one_tap(self.checkout, self.way, teller)
            case NotNow():
                return await decline(self.checkout, teller)
            case ChangeMethod():
                return await choose_method(self.checkout, teller)


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
    """Nobody pays it any more. `why`: what is known of it; a customer may have closed it themselves."""

    order_id: UUID
    number: str
    amount: Money
    why: Literal["expired", "taken_back", "closed"]

    @property
    def thread(self) -> str:
        return request_thread(self.order_id)

    def says(self) -> Text:
        facts: dict[str, Any] = {"number": self.number, "amount": self.amount}
        match self.why:
            case "expired":
                return Text(
                    "Order {number} for {amount} was not paid in time and is closed. You pay nothing.",
                    **facts,
                )
            case "taken_back":
                return Text(
                    "{shop} no longer asks you for {amount}: order {number} is closed, and you pay nothing.",
                    **facts,
                )
            case "closed":
                return Text("Order {number} is closed, unpaid. Type *menu* to go on.", number=self.number)


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
        refuse_unpayable(teller.shop, news.amount)
    except Refusal:
        return OrderToldOnly(
            order_id=news.order_id, number=news.number, amount=news.amount, reason=news.reason
        )
    checkout = Checkout(order_id=news.order_id, amount=news.amount, number=news.number, summary=news.reason)
    known = usable(await teller.ways(), teller, news.amount)
    card = next((way for way in known if way.method_id == news.method_id), None)
    return ReviewRequest(checkout=checkout, way=card) if card else await review(checkout, teller)


async def told_closed(news: RequestClosed, _teller: Teller) -> RequestGone:
    return RequestGone(
        order_id=news.order_id,
        number=news.number,
        amount=news.amount,
        why="expired" if news.expired else "taken_back",
    )


async def pay_in_one_tap(
    checkout: Checkout, way: Way | None, teller: Teller
) -> AwaitPayment | PayOnPage | AskNumber | AlreadySettled:
    """Raises what `Teller.pay` raises."""
    if way is None:
        return AskNumber(checkout=checkout, hidden=teller.me.phone is None)
    return await ask_to_pay(checkout, way, teller)


async def review(checkout: Checkout, teller: Teller) -> ReviewRequest:
    way, expired = await with_what(checkout, teller)
    return ReviewRequest(checkout=checkout, way=way, expired=expired)


async def with_what(checkout: Checkout, teller: Teller) -> tuple[Way | None, Way | None]:
    """As `proposed`; no way where a number is to be asked for first."""
    way, expired = await proposed(teller, checkout.amount)
    return (None if way is None or asks_number(way) else way), expired
