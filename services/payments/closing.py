"""Closing: how a request ends that nobody paid. The customer declines it, the staff take it back, or its
time is over."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox, jobs
from services.errors import AlreadyPaid, NotFound, OrderClosed
from services.money import Money
from services.news.requests import RequestClosed, RequestDeclined, RequestUnpaid
from services.payments import waiting
from services.payments.asked import called, tell_asker
from services.payments.record import lock_order, refuse_being_paid, under_way
from services.people import people
from services.people.access import EDIT_ORDERS
from services.people.window import is_open
from services.shop import orders as shop_orders
from services.shop.facts import UNPAID
from services.store.schema import conversations, orders, payments
from services.work import Work

OPEN_FOR = timedelta(days=7)
_LATER = timedelta(minutes=10)
_ASKED = orders.c.asked_by.is_not(None)  # by one of the staff
_MADE = orders.c.conversation_id.is_(None)  # by a program of the shop's


async def decline(work: Work, person_id: UUID, order_id: UUID) -> None:
    """Close it and tell who asked, where it was not a program. Raises NotFound, AlreadyPaid,
    PaymentUnderWay."""
    mine = (orders.c.id == order_id, orders.c.person_id == person_id)
    order = await _locked(work, *mine, among=sa.or_(_ASKED, _MADE))
    await waiting.drop_order(work, person_id, order_id)
    if await _close(work, order) and order.asked_by is not None:
        news = RequestDeclined(number=order.number, amount=_amount(order), customer=await _payer(work, order))
        await tell_asker(work, order.asked_by, news)


async def take_back(work: Work, by: UUID, number: str) -> None:
    """Close it and tell the customer, and who asked where that was another one.

    Raises MissingScope, NotFound, AlreadyPaid, OrderClosed, and PaymentUnderWay.
    """
    await people.require(work, by, EDIT_ORDERS)
    order = await _locked(work, orders.c.number == number)
    await _refuse_paid(work, order)
    await refuse_being_paid(work, order.id, number)
    if not await _close(work, order):
        raise OrderClosed(number)
    await audit.record(work, by, "payment.request_taken_back", order.id, {"number": number})
    await _tell_payer(work, order, expired=False)
    if order.asked_by != by:
        await _tell_asker(work, order, await people.name_of(work, by))


async def expire(work: Work, order_id: UUID) -> None:
    """Nobody paid it in time. While a payment may still succeed, it waits. The customer is told as long as
    we may write to them; else they hear it when they tap."""
    order = await _locked(work, orders.c.id == order_id)
    if await under_way(work, order.id):
        await jobs.schedule(work, "request_expire", order_id, work.now + _LATER)
    elif not await _close(work, order):
        await jobs.finish(work, order_id, "request_expire")
    else:
        if await _is_there(work, order.conversation_id):
            await _tell_payer(work, order, expired=True)
        await _tell_asker(work, order, None)


async def _locked(
    work: Work,
    *which: sa.ColumnElement[bool],
    among: sa.ColumnElement[bool] = _ASKED,
) -> Any:
    """What the staff asked for, locked as whoever starts a payment does. Raises NotFound."""
    order = await lock_order(work, among, *which)
    if order is None:
        raise NotFound("order")
    return order


async def _refuse_paid(work: Work, order: Any) -> None:
    """Raises AlreadyPaid."""
    if order.status in (*UNPAID, "canceled"):
        return
    query = sa.select(payments.c.receipt).where(
        payments.c.tenant_id == work.tenant, payments.c.order_id == order.id
    )
    raise AlreadyPaid(order.number, await work.connection.scalar(query))


async def _close(work: Work, order: Any) -> bool:
    """False where it is closed or paid already."""
    closed = await shop_orders.cancel(work, order.id)
    if closed:
        await jobs.finish(work, order.id, "request_expire")
    return closed


async def _is_there(work: Work, conversation_id: UUID) -> bool:
    query = sa.select(conversations.c.heard_at).where(
        conversations.c.tenant_id == work.tenant, conversations.c.id == conversation_id
    )
    return is_open(await work.connection.scalar(query), work.now)


async def _tell_payer(work: Work, order: Any, *, expired: bool) -> None:
    """Where they were asked."""
    news = RequestClosed(order_id=order.id, number=order.number, amount=_amount(order), expired=expired)
    if order.conversation_id is not None:
        await inbox.tell(work, order.conversation_id, news)
    else:
        await inbox.tell_people(work, [order.person_id], news)


async def _tell_asker(work: Work, order: Any, by: str | None) -> None:
    customer = await _payer(work, order)
    news = RequestUnpaid(number=order.number, amount=_amount(order), customer=customer, by=by)
    await tell_asker(work, order.asked_by, news)


async def _payer(work: Work, order: Any) -> str:
    return await called(work, order.person_id)


def _amount(order: Any) -> Money:
    return Money(order.total, order.currency)
