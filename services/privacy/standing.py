"""Standing: why a person cannot be erased now. Money is under way, or the record needs them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.payments.record import LIVE
from services.refunds.record import gone
from services.store.schema import attempts, jobs, orders, payments, refund_wishes, refunds, staff, transfers
from services.work import Work

SETTLING = timedelta(hours=24)  # in which a provider may still contradict itself about a payment
HANDING_OVER = timedelta(days=30)  # after which a paid order is taken to be handed over
_ON_THE_STAFF = (
    "They are or were on the staff: what they asked for and approved is part of the record of money, which "
    "names who decided. Take them off the staff in the tenant file (active = false); their record is kept as "
    "long as the books are"
)


async def in_the_way(work: Work, person_id: UUID) -> list[str]:
    """Each reason with what to do; empty where nothing stands in the way."""
    mine = (staff.c.tenant_id == work.tenant, staff.c.person_id == person_id)
    if (await work.connection.execute(sa.select(staff.c.active).where(*mine))).first() is not None:
        return [_ON_THE_STAFF]
    return [
        *await _payments(work, person_id),
        *await _orders(work, person_id),
        *await _refunds(work, person_id),
        *await _twice(work, person_id),
    ]


def _of(person_id: UUID, work: Work) -> tuple[sa.ColumnElement[bool], ...]:
    return (payments.c.tenant_id == work.tenant, payments.c.person_id == person_id)


def _with_payment(table: Any) -> Any:
    of = sa.and_(payments.c.tenant_id == table.c.tenant_id, payments.c.id == table.c.payment_id)
    ordered = sa.and_(orders.c.tenant_id == payments.c.tenant_id, orders.c.id == payments.c.order_id)
    return sa.join(sa.join(table, payments, of), orders, ordered)


async def _payments(work: Work, person_id: UUID) -> list[str]:
    asked_about = sa.exists().where(
        jobs.c.tenant_id == attempts.c.tenant_id,
        jobs.c.target_id == attempts.c.id,
        jobs.c.kind.in_(["collect_check", "payment_check"]),
    )
    open_ = sa.or_(attempts.c.state.in_(LIVE), sa.and_(attempts.c.doubt.is_not(None), asked_about))
    query = (
        sa.select(orders.c.number, attempts.c.created_at, open_.label("open"))
        .select_from(_with_payment(attempts))
        .where(*_of(person_id, work), sa.or_(open_, attempts.c.created_at > work.now - SETTLING))
        .order_by(attempts.c.created_at)
    )
    told = {}
    for row in await work.connection.execute(query):
        until = f"{row.created_at + SETTLING:%Y-%m-%d %H:%M} UTC"
        told[row.number] = (
            f"A payment for order {row.number} is under way: wait until it is decided"
            if row.open
            else f"A payment for order {row.number} was tried within a day, and its provider may still "
            f"contradict itself: wait until {until}"
        )
    return list(told.values())


async def _orders(work: Work, person_id: UUID) -> list[str]:
    query = (
        sa.select(orders.c.number, orders.c.lines)
        .join(
            payments,
            sa.and_(payments.c.tenant_id == orders.c.tenant_id, payments.c.order_id == orders.c.id),
        )
        .where(*_of(person_id, work), orders.c.status == "paid", payments.c.paid_at > work.now - HANDING_OVER)
        .order_by(orders.c.number)
    )
    return [
        f"Order {row.number} is paid and not handed over: hand it over, or give the money back, first"
        for row in await work.connection.execute(query)
        if row.lines  # an amount alone is for nothing that could be handed over
    ]


async def _refunds(work: Work, person_id: UUID) -> list[str]:
    under_way = (
        sa.select(orders.c.number)
        .select_from(_with_payment(refunds))
        .where(*_of(person_id, work), refunds.c.status.in_(["pending", "processing"]))
    )
    wished = (
        sa.select(orders.c.number)
        .select_from(_with_payment(refund_wishes))
        .where(*_of(person_id, work), refund_wishes.c.state == "open")
    )
    return [
        *(
            f"A refund of order {number} is under way: wait until it is decided and done"
            for number in (await work.connection.execute(under_way)).scalars()
        ),
        *(
            f"They have asked for the money of order {number}, and nobody has answered: answer first"
            for number in (await work.connection.execute(wished)).scalars()
        ),
    ]


async def _twice(work: Work, person_id: UUID) -> list[str]:
    """Money that came in twice, and is theirs until it is decided."""
    query = (
        sa.select(attempts.c.id, orders.c.number, transfers.c.amount)
        .select_from(_with_payment(attempts))
        .join(
            transfers,
            sa.and_(
                transfers.c.tenant_id == attempts.c.tenant_id,
                transfers.c.cause_id == attempts.c.id,
                transfers.c.reason == "suspense",
            ),
        )
        .where(*_of(person_id, work))
    )
    return [
        f"Order {row.number} was paid twice, and one payment lies in suspense: give it back, or keep it"
        for row in (await work.connection.execute(query)).all()
        if await gone(work, row.id) < row.amount
    ]
