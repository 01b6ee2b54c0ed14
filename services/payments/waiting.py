"""Waiting: what a customer may do about a payment that is under way, or done."""

from uuid import UUID

import sqlalchemy as sa

from services import jobs, webhooks
from services.errors import AlreadyPaid, NotFound
from services.news import PaymentMethod
from services.payments import methods
from services.payments.details import can_be_saved
from services.payments.record import (
    LIVE,
    NOT_SUCCEEDED,
    Attempt,
    locked,
    move,
    move_order,
    move_payment,
    refuse_being_paid,
    still_open,
    tell,
)
from services.payments.settle import expire
from services.shop import orders as shop_orders
from services.store.schema import attempts, orders, payments
from services.work import Work


async def check(work: Work, person_id: UUID, payment_id: UUID) -> None:
    """Have the provider asked now; its word is told in any case. Where there is nothing to ask by, the
    payment is told as open. Raises NotFound, AlreadyPaid."""
    attempt = await _latest(work, person_id, payment_id)
    if attempt.paid:
        raise AlreadyPaid(attempt.number, attempt.receipt)
    if attempt.reference is None:
        await tell(work, attempt, still_open(attempt))
        return
    await move(work, attempt, *NOT_SUCCEEDED, asked=True)
    await jobs.schedule(work, "collect_check", attempt.id, work.now)


async def leave(work: Work, person_id: UUID, payment_id: UUID) -> None:
    """The person no longer waits. What was not sent yet never will be; money that still arrives is
    honoured and told. Raises NotFound."""
    attempt = await _latest(work, person_id, payment_id)
    if not await move_payment(work, attempt, "awaiting_customer", "pending", status="canceled"):
        return
    webhooks.tell(work, "payment.canceled", payment_id)
    await move_order(work, attempt.order_id, "awaiting_payment", to="open")
    if attempt.state == "created":
        await expire(work, attempt.id)
    elif attempt.page is not None:
        await jobs.schedule(work, "page_close", attempt.id, work.now)


async def drop_order(work: Work, person_id: UUID, order_id: UUID) -> None:
    """The person will not pay it: what they made in chat is closed, an order of the merchant's stays open.
    Raises AlreadyPaid, and PaymentUnderWay while an attempt may still succeed."""
    query = sa.select(payments.c.id).where(
        payments.c.tenant_id == work.tenant,
        payments.c.order_id == order_id,
        payments.c.person_id == person_id,
    )
    payment_id = await work.connection.scalar(query)
    if payment_id is None:  # another's, or nobody tried to pay it yet
        await shop_orders.drop(work, person_id, order_id)
        return
    attempt = await _latest(work, person_id, payment_id)
    if attempt.paid:
        raise AlreadyPaid(attempt.number, attempt.receipt)
    await refuse_being_paid(work, order_id, attempt.number)
    await _close_own(work, orders.c.id == order_id)
    await shop_orders.drop(work, person_id, order_id)


async def close_left(work: Work, person_id: UUID) -> None:
    """Close orders of the person's own amounts that they left while an attempt was live, and whose
    attempts have all ended unpaid since. One that was left is open: where it is no longer, somebody pays
    it again at this moment."""
    of_order = sa.and_(payments.c.tenant_id == orders.c.tenant_id, payments.c.order_id == orders.c.id)
    left = sa.exists().where(of_order, payments.c.status == "canceled")
    live = sa.exists().where(
        of_order,
        attempts.c.tenant_id == payments.c.tenant_id,
        attempts.c.payment_id == payments.c.id,
        attempts.c.state.in_(LIVE),
    )
    await _close_own(work, orders.c.person_id == person_id, orders.c.status == "open", left, ~live)


async def save_method(work: Work, person_id: UUID, payment_id: UUID) -> PaymentMethod:
    """Save what this payment was paid with, as the preferred method. Raises NotFound, also of what is never
    saved."""
    attempt = await _latest(work, person_id, payment_id, "succeeded")
    if not can_be_saved(attempt.provider, attempt.details):
        raise NotFound("payment_method")
    return await methods.save(work, person_id, attempt.method, attempt.details)


async def _close_own(work: Work, *which: sa.ColumnElement[bool]) -> None:
    """Made by typing an amount in chat: no lines, and no note of the merchant's."""
    await work.connection.execute(
        sa.update(orders)
        .where(
            orders.c.tenant_id == work.tenant,
            orders.c.status.in_(["open", "awaiting_payment"]),
            orders.c.conversation_id.is_not(None),
            orders.c.note.is_(None),
            sa.cast(orders.c.lines, sa.Text) == "[]",
            *which,
        )
        .values(status="canceled")
    )


async def _latest(work: Work, person_id: UUID, payment_id: UUID, *states: str) -> Attempt:
    query = (
        sa.select(attempts.c.id)
        .join(
            payments,
            sa.and_(payments.c.tenant_id == attempts.c.tenant_id, payments.c.id == attempts.c.payment_id),
        )
        .where(
            attempts.c.tenant_id == work.tenant,
            attempts.c.payment_id == payment_id,
            payments.c.person_id == person_id,
        )
        .order_by(attempts.c.created_at.desc(), attempts.c.id.desc())
        .limit(1)
    )
    if states:
        query = query.where(attempts.c.state.in_(states))
    attempt_id = await work.connection.scalar(query)
    if attempt_id is None:
        raise NotFound("payment")
    return await locked(work, attempt_id)
