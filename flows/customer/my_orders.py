"""My orders: what a customer has ordered, how it stands, and what can still be done about it.

MyOrders -> OneOrder
OneOrder -> ReviewOrder | AskNumber | OneOrder | MyOrders
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flows.customer.cart import lines_shown
from flows.customer.pay import AskNumber, ReviewOrder, review
from flows.customer.ways import handed_over
from flows.step import Choice, Step
from flows.teller import Order, OrderRow, Teller
from flows.text import Text

STATUSES = {
    "open": Text("not paid"),
    "awaiting_payment": Text("being paid"),
    "paid": Text("paid"),
    "fulfilled": Text("handed over"),
    "canceled": Text("cancelled"),
    "refunded": Text("refunded"),
}


@dataclass(frozen=True)
class Which(Choice):
    order: OrderRow

    @property
    def label(self) -> Text:
        return Text("{number}", number=self.order.number)

    @property
    def note(self) -> Text:
        return Text(
            "{total} · {status} · {at}",
            total=self.order.total,
            status=STATUSES[self.order.status],
            at=self.order.created_at,
        )


class MyOrders(Step):
    """The latest first."""

    orders: tuple[OrderRow, ...]

    def says(self) -> Text:
        latest = self.orders[0]
        return Text(
            "Your latest order with {shop} is {number}: {total}, {status}. Choose one to see more.",
            number=latest.number,
            total=latest.total,
            status=STATUSES[latest.status],
        )

    def choices(self) -> tuple[Choice, ...]:
        return tuple(Which(order) for order in self.orders)

    def menu(self) -> Text | None:
        return Text("Orders")

    async def hears(self, answer: Which, teller: Teller) -> OneOrder:
        return OneOrder(order=await teller.my_order(answer.order.id))


class PayIt(Choice):
    exact = True
    label = Text("Pay")


class CancelIt(Choice):
    exact = True
    label = Text("Cancel order")


class ToOrders(Choice):
    label = Text("All orders")


class OneOrder(Step):
    order: Order

    def says(self) -> Text:
        return Text("{lines}", lines=tuple(self._lines()))

    def _lines(self) -> Iterator[Text]:
        order = self.order
        yield Text("*Order {number}*, {at}: *{status}*", **self._facts())
        yield from lines_shown(order.lines)
        yield Text("Total: *{total}*", total=order.total)
        if order.delivery is not None:
            yield handed_over(order.note, delivery=order.delivery)
        elif order.note:
            yield Text("Note: {note}", note=order.note)

    def _facts(self) -> dict[str, Any]:
        return {
            "number": self.order.number,
            "at": self.order.created_at,
            "status": STATUSES[self.order.status],
        }

    def choices(self) -> tuple[Choice, ...]:
        paying: list[Choice] = [PayIt()] if self.order.unpaid else []
        if self.order.unpaid and self.order.by_person:
            paying.append(CancelIt())
        return (*paying, ToOrders())

    async def hears(
        self, answer: PayIt | CancelIt | ToOrders, teller: Teller
    ) -> ReviewOrder | AskNumber | OneOrder | MyOrders:
        match answer:
            case PayIt():
                return await review(await teller.checkout_of(self.order.id), teller)
            case CancelIt():
                await teller.drop_order(self.order.id)
                return OneOrder(order=await teller.my_order(self.order.id))
            case ToOrders():
                return MyOrders(orders=await teller.my_orders())


class NoOrders(Step):
    def says(self) -> Text:
        return Text("You have not ordered anything from {shop} yet. Type *menu* to go on.")


async def my_orders(teller: Teller, _rest: str = "") -> MyOrders | NoOrders:
    mine = await teller.my_orders()
    return MyOrders(orders=mine) if mine else NoOrders()
