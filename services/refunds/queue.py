"""Queue: what of a payment can go back, and what waits for the staff: wishes, decisions, suspense."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.errors import NotFound, NotPaid
from services.errors.refunds import AlreadyRefunded
from services.facts import PaidTwice, Refundable, RefundQueue, RefundWish
from services.ledger import SUSPENSE
from services.money import Money
from services.news import PaymentMethod
from services.payments.asked import all_called, called
from services.payments.record import SETTLED
from services.refunds.came_back import STILL_GONE
from services.refunds.record import COUNTED, credited, gone, read, why_gone
from services.store.schema import attempts, orders, payments, refund_wishes, refunds, reversals, transfers
from services.work import Work


async def refundable(work: Work, number: str) -> Refundable:
    """Raises NotFound, NotPaid, AlreadyRefunded."""
    query = _payments(payments.c.id, payments.c.amount, payments.c.status).where(
        payments.c.tenant_id == work.tenant, orders.c.number == number
    )
    row = (await work.connection.execute(query)).first()
    if row is None:
        raise NotFound("order")
    attempt_id = await credited(work, row.id) if row.status in SETTLED else None
    if attempt_id is None:
        raise NotPaid(number)
    left = row.amount - await gone(work, attempt_id)
    if left <= 0:
        raise AlreadyRefunded(number, await why_gone(work, attempt_id))
    fee = sa.select(transfers.c.amount).where(
        transfers.c.tenant_id == work.tenant,
        transfers.c.cause_id == attempt_id,
        transfers.c.reason == "sale_fee",
    )
    return Refundable(
        payment_id=row.id,
        number=number,
        customer=await called(work, row.person_id),
        paid=Money(row.amount, row.currency),
        left=Money(left, row.currency),
        fee=Money(await work.connection.scalar(fee) or 0, row.currency),
    )


async def queue(work: Work) -> RefundQueue:
    return RefundQueue(
        refunds=tuple(await read(work, refunds.c.status == "pending")),
        wishes=tuple(await _wishes(work)),
        twice=tuple(await paid_twice(work)),
    )


async def paid_twice(work: Work) -> list[PaidTwice]:
    """What lies in suspense and nobody has asked anything for yet, the oldest first."""
    asked = sa.exists().where(
        refunds.c.tenant_id == attempts.c.tenant_id,
        refunds.c.attempt_id == attempts.c.id,
        refunds.c.source == SUSPENSE,
        refunds.c.status.in_(COUNTED),
    )
    taken_back = (
        sa.select(sa.func.coalesce(sa.func.sum(reversals.c.amount), 0))
        .where(
            reversals.c.tenant_id == attempts.c.tenant_id,
            reversals.c.attempt_id == attempts.c.id,
            STILL_GONE,
        )
        .scalar_subquery()
    )
    query = (
        _payments(
            attempts.c.id,
            attempts.c.payment_id,
            attempts.c.provider,
            attempts.c.label,
            attempts.c.receipt,
            transfers.c.amount,
            sa.cast(taken_back, sa.BigInteger).label("taken_back"),
            transfers.c.created_at,
        )
        .join(
            attempts,
            sa.and_(attempts.c.tenant_id == payments.c.tenant_id, attempts.c.payment_id == payments.c.id),
        )
        .join(
            transfers,
            sa.and_(
                transfers.c.tenant_id == attempts.c.tenant_id,
                transfers.c.cause_id == attempts.c.id,
                transfers.c.reason == "suspense",
            ),
        )
        .where(payments.c.tenant_id == work.tenant, sa.not_(asked), taken_back < transfers.c.amount)
        .order_by(transfers.c.created_at, attempts.c.id)
    )
    rows = (await work.connection.execute(query)).all()
    customers = await all_called(work, {row.person_id for row in rows})
    return [
        PaidTwice(
            attempt_id=row.id,
            payment_id=row.payment_id,
            number=row.number,
            amount=Money(row.amount - row.taken_back, row.currency),
            customer=customers[row.person_id],
            method=PaymentMethod(provider=row.provider, label=row.label),
            receipt=row.receipt,
            at=row.created_at,
        )
        for row in rows
    ]


async def _wishes(work: Work) -> list[RefundWish]:
    query = (
        _payments(refund_wishes.c.id, refund_wishes.c.reason, refund_wishes.c.created_at, payments.c.amount)
        .join(
            refund_wishes,
            sa.and_(
                refund_wishes.c.tenant_id == payments.c.tenant_id,
                refund_wishes.c.payment_id == payments.c.id,
            ),
        )
        .where(payments.c.tenant_id == work.tenant, refund_wishes.c.state == "open")
        .order_by(refund_wishes.c.created_at, refund_wishes.c.id)
    )
    rows = (await work.connection.execute(query)).all()
    customers = await all_called(work, {row.person_id for row in rows})
    return [
        RefundWish(
            id=row.id,
            number=row.number,
            amount=Money(row.amount, row.currency),
            customer=customers[row.person_id],
            reason=row.reason,
            at=row.created_at,
        )
        for row in rows
    ]


async def refunded_of(work: Work, payment_id: UUID) -> Money | None:
    """What of a payment has gone back; None where nothing has."""
    attempt_id = await credited(work, payment_id)
    if attempt_id is None:
        return None
    currency = await work.connection.scalar(
        sa.select(payments.c.currency).where(payments.c.tenant_id == work.tenant, payments.c.id == payment_id)
    )
    minor = await gone(work, attempt_id, "completed")
    return Money(minor, currency) if minor and currency else None


def _payments(*columns: Any) -> sa.Select[Any]:
    """With the order's number, the customer and the currency."""
    return (
        sa.select(*columns, orders.c.number, payments.c.person_id, payments.c.currency)
        .select_from(payments)
        .join(orders, sa.and_(orders.c.tenant_id == payments.c.tenant_id, orders.c.id == payments.c.order_id))
    )
