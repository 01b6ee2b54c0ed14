"""Fulfilment: how the staff end an order, and what the customer is told of it."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox
from services.errors import NotFound
from services.money import Money
from services.news import News
from services.news.orders import OrderCanceled, OrderFulfilled
from services.payments.record import lock_order, refuse_being_paid
from services.people import people
from services.people.access import EDIT_ORDERS
from services.phones import without_numbers
from services.readable import refuse_blank
from services.shop import orders
from services.store import schema
from services.work import Work


async def fulfil(work: Work, by: UUID, number: str) -> bool:
    """The customer has what they paid for, and is told so. False where the order is not paid, or somebody
    was first. Raises MissingScope, NotFound."""
    await people.require(work, by, EDIT_ORDERS)
    order = await _locked(work, number)
    if not await orders.fulfil(work, order.id):
        return False
    await _tell(work, order, OrderFulfilled(number=order.number))
    before, after = {"status": "paid"}, {"status": "fulfilled"}
    told = {"number": order.number}
    await audit.record(work, by, "order.fulfilled", order.id, told, before=before, after=after)
    return True


async def cancel(work: Work, by: UUID, number: str, reason: str) -> bool:
    """Close an unpaid order; the customer is told why. False where it is paid or closed already.

    Raises MissingScope, BlankReason, NotFound, and PaymentUnderWay while an attempt may still succeed.
    """
    await people.require(work, by, EDIT_ORDERS)
    refuse_blank(reason)
    order = await _locked(work, number)
    await refuse_being_paid(work, order.id, order.number)
    if not await orders.cancel(work, order.id):
        return False
    news = OrderCanceled(number=order.number, amount=Money(order.total, order.currency), reason=reason)
    await _tell(work, order, news)
    private = audit.Private(order.person_id, {"reason": without_numbers(reason)})
    await audit.record(work, by, "order.canceled", order.id, {"number": order.number}, private=private)
    return True


async def _locked(work: Work, number: str) -> sa.Row[Any]:
    """Raises NotFound."""
    row = await lock_order(work, schema.orders.c.number == number)
    if row is None:
        raise NotFound("order")
    return row


async def _tell(work: Work, order: sa.Row[Any], news: News) -> None:
    """The conversation that ordered; where none did, every one of the person's."""
    if order.conversation_id is not None:
        await inbox.tell(work, order.conversation_id, news)
    else:
        await inbox.tell_people(work, [order.person_id], news)
