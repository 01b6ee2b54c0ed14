"""Order: the staff look up an order by its number, and end it.

EnterNumber        -> OrderFound | NoSuchOrder | NotLooking
OrderFound         -> OrderFound | OrderHandedOver | EnterClosingReason | RequestTakenBack | RequestBeingPaid
OrderFound         -> EnterRefundAmount | OrderCode
EnterClosingReason -> OrderFound | OrderClosed | NotClosedYet
"""

from __future__ import annotations

from typing import Any

from flows.refusals import provider_name
from flows.reply import Said
from flows.staff.asked import RequestBeingPaid, RequestTakenBack, TakeBack, take_back
from flows.staff.order_code import OrderCode, ShowCode, payable_to
from flows.staff.refund_ask import EnterRefundAmount, GiveBack
from flows.step import Choice, Step
from flows.teller import OrderSeen, Teller, Try
from flows.text import Text, Typed
from services.errors import NotFound, PaymentUnderWay
from services.people.access import EDIT_ORDERS, RECONCILE

_MOST_NUMBER = 20
_MOST_REASON = 100
ORDER_STATUSES = {
    "open": Text("waits to be paid"),
    "awaiting_payment": Text("is being paid"),
    "paid": Text("is paid"),
    "fulfilled": Text("is paid and handed over"),
    "canceled": Text("is closed, unpaid"),
    "refunded": Text("was refunded"),
}
_OPEN = Text("not decided yet")
TRY_STATES = {
    **dict.fromkeys(("created", "submitting", "pending", "unknown"), _OPEN),
    "succeeded": Text("paid"),
    "failed": Text("failed"),
    "expired": Text("not answered in time"),
}


class Cancel(Choice):
    label = Text("Cancel")


class HandOver(Choice):
    exact = True
    label = Text("Handed over")


class CloseOrder(Choice):
    exact = True
    label = Text("Close order")


class EnterNumber(Step):
    def says(self) -> Text:
        return Text("Which order? Type its number, such as K7Q2X0.")

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> OrderFound | NoSuchOrder | NotLooking:
        match answer:
            case Said(text=typed):
                return await look_up(typed, teller)
            case Cancel():
                return NotLooking()


class OrderFound(Step):
    """`may_end`: this person may; `paybill`: where it can be paid by its number."""

    order: OrderSeen
    paybill: str | None = None
    may_end: bool = False
    may_refund: bool = False

    @property
    def reference(self) -> str | None:
        return self.order.number

    def says(self) -> Text:
        return Text(
            "Order *{number}* {status}\n{customer}, *{amount}*, {at}\n{lines}",
            number=self.order.number,
            status=ORDER_STATUSES[self.order.status],
            customer=self.order.customer,
            amount=self.order.amount,
            at=self.order.created_at,
            lines=(
                *((self.order.summary,) if self.order.summary else ()),
                *self._handing_over(),
                *self._tries(),
            ),
        )

    def _handing_over(self) -> tuple[Text, ...]:
        note = Typed(self.order.note or "")
        if self.order.delivery:
            return (Text("📍 To be delivered to: {note}", note=note or "?"),)
        return (Text("Note: {note}", note=note),) if note else ()

    def choices(self) -> tuple[Choice, ...]:
        refund = (GiveBack(),) if self.may_refund and self.order.status in ("paid", "fulfilled") else ()
        code = (ShowCode(),) if self.paybill is not None else ()
        if not self.may_end:
            return refund or code
        match self.order.status:
            case "paid":
                return HandOver(), *refund
            case "open" if self.order.asked:
                return *code, TakeBack()
            case "open" | "awaiting_payment":
                return *code, CloseOrder()
        return refund

    async def hears(
        self, answer: HandOver | TakeBack | CloseOrder | GiveBack | ShowCode, teller: Teller
    ) -> (
        OrderFound
        | OrderHandedOver
        | EnterClosingReason
        | RequestTakenBack
        | RequestBeingPaid
        | EnterRefundAmount
        | OrderCode
    ):
        match answer:
            case HandOver():
                if await teller.fulfil_order(self.order.number):
                    return OrderHandedOver(number=self.order.number)
                return await look(self.order.number, teller)
            case TakeBack():
                return await take_back(self.order.number, teller)
            case CloseOrder():
                return EnterClosingReason(number=self.order.number)
            case GiveBack():
                return EnterRefundAmount(of=await teller.refunds.refundable(self.order.number))
            case ShowCode():
                return await _coded(self.order.number, teller)

    def _tries(self) -> tuple[Text, ...]:
        return tuple(_line(each) for each in self.order.tries) or (Text("Nobody has tried to pay it yet."),)


class OrderHandedOver(Step):
    number: str

    def says(self) -> Text:
        return Text(
            "📦 Order {number} is marked as handed over, and the customer is told.", number=self.number
        )


class EnterClosingReason(Step):
    any_words = True
    number: str

    def says(self) -> Text:
        return Text(
            "Why is order {number} closed unpaid? Type a few words; the customer will read them.",
            number=self.number,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> OrderClosed | NotClosedYet | OrderFound:
        match answer:
            case Said(text=typed):
                reason = " ".join(typed.split())[:_MOST_REASON]
                try:
                    canceled = await teller.cancel_order(self.number, reason)
                except PaymentUnderWay:
                    return NotClosedYet(number=self.number)
                if canceled:
                    return OrderClosed(number=self.number)
            case Cancel():
                pass
        return await look(self.number, teller)


class OrderClosed(Step):
    number: str

    def says(self) -> Text:
        return Text("Order {number} is closed, and the customer is told why.", number=self.number)


class NotClosedYet(Step):
    number: str

    def says(self) -> Text:
        return Text(
            "The customer may be paying order {number} at this moment, so it stays open. Look again in a "
            "few minutes.",
            number=self.number,
        )


class NoSuchOrder(Step):
    number: str

    def says(self) -> Text:
        return Text("{shop} has no order {number}. Check the number and type it again.", number=self.number)


class NotLooking(Step):
    def says(self) -> Text:
        return Text("All right. Type *menu* to go on.")


def _line(tried: Try) -> Text:
    known: dict[str, Any] = {
        "provider": provider_name(tried.method.provider),
        "label": tried.method.label,
        "state": TRY_STATES[tried.state],
        "at": tried.at,
    }
    if tried.receipt:
        return Text("{at}: {provider} {label}, {state}, receipt {receipt}", **known, receipt=tried.receipt)
    return Text("{at}: {provider} {label}, {state}", **known)


async def look_up(typed: str, teller: Teller) -> OrderFound | NoSuchOrder:
    number = number_of(typed)
    try:
        return await look(number, teller)
    except NotFound:
        return NoSuchOrder(number=number)


def number_of(typed: str) -> str:
    """As orders have it."""
    return typed.strip().upper()[:_MOST_NUMBER]


async def look(number: str, teller: Teller) -> OrderFound:
    """Where it stands now. Raises NotFound."""
    scopes = teller.me.scopes
    found = await teller.find_order(number)
    return OrderFound(
        order=found,
        paybill=payable_to(found, teller.shop),
        may_end=EDIT_ORDERS in scopes,
        may_refund=RECONCILE in scopes,
    )


async def _coded(number: str, teller: Teller) -> OrderCode | OrderFound:
    """Unless it has been paid meanwhile."""
    now = await look(number, teller)
    if now.paybill is None:
        return now
    return OrderCode(number=number, amount=now.order.amount, paybill=now.paybill)


async def order(teller: Teller, rest: str = "") -> EnterNumber | OrderFound | NoSuchOrder:
    return await look_up(rest, teller) if rest else EnterNumber()
