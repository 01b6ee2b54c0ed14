"""Order: the staff look up an order by its number.

EnterNumber -> OrderFound | NoSuchOrder | NotLooking
OrderFound  -> RequestTakenBack | RequestBeingPaid
"""

from __future__ import annotations

from typing import Any

from flows.refusals import provider_name
from flows.reply import Said
from flows.staff.asked import RequestBeingPaid, RequestTakenBack, TakeBack, take_back
from flows.step import Choice, Step
from flows.teller import OrderSeen, Teller, Try
from flows.text import Text
from services.errors import NotFound
from services.people.access import EDIT_ORDERS

_MOST_NUMBER = 20
ORDER_STATUSES = {
    "open": Text("waits to be paid"),
    "awaiting_payment": Text("is being paid"),
    "paid": Text("is paid"),
    "fulfilled": Text("is paid and done"),
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
    """`may_take_back`: it is a request that is not paid, and this person may end it."""

    order: OrderSeen
    may_take_back: bool = False

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
            lines=(*((self.order.summary,) if self.order.summary else ()), *self._tries()),
        )

    def choices(self) -> tuple[Choice, ...]:
        return (TakeBack(),) if self.may_take_back else ()

    async def hears(self, answer: TakeBack, teller: Teller) -> RequestTakenBack | RequestBeingPaid:  # noqa: ARG002  the only choice
        return await take_back(self.order.number, teller)

    def _tries(self) -> tuple[Text, ...]:
        return tuple(_line(each) for each in self.order.tries) or (Text("Nobody has tried to pay it yet."),)


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
    number = typed.strip().upper()[:_MOST_NUMBER]
    try:
        return await look(number, teller)
    except NotFound:
        return NoSuchOrder(number=number)


async def look(number: str, teller: Teller) -> OrderFound:
    """Raises NotFound."""
    found = await teller.find_order(number)
    may_take_back = found.asked and found.status == "open" and EDIT_ORDERS in teller.me.scopes
    return OrderFound(order=found, may_take_back=may_take_back)


async def order(teller: Teller, rest: str = "") -> EnterNumber | OrderFound | NoSuchOrder:
    return await look_up(rest, teller) if rest else EnterNumber()
