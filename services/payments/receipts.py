"""Receipts: what a person has paid, told again whenever they ask. Never what another one has."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.errors import NotFound, NotPaid
from services.facts import PaidOrder, Receipt
from services.money import Money
from services.news import PaymentMethod
from services.refunds.queue import refunded_of
from services.shop.facts import read_lines
from services.store.schema import attempts, orders, payments
from services.work import Work

_LATEST = 50

_QUERY = sa.select(
    orders.c.id,
    orders.c.number,
    orders.c.status,
    orders.c.lines,
    orders.c.note,
    orders.c.delivery,
    orders.c.total,
    orders.c.currency,
    payments.c.id.label("payment_id"),
    payments.c.receipt,
    payments.c.paid_at,
).join(
    payments,
    sa.and_(payments.c.tenant_id == orders.c.tenant_id, payments.c.order_id == orders.c.id),
    isouter=True,
)


async def paid(work: Work, person_id: UUID) -> tuple[PaidOrder, ...]:
    """What the person has paid, the latest first."""
    query = (
        _QUERY.where(*_of(work, person_id), payments.c.paid_at.is_not(None))
        .order_by(payments.c.paid_at.desc(), payments.c.id.desc())
        .limit(_LATEST)
    )
    return tuple(
        PaidOrder(number=row.number, amount=Money(row.total, row.currency), paid_at=row.paid_at)
        for row in await work.connection.execute(query)
    )


async def receipt(work: Work, person_id: UUID, typed: str) -> Receipt:
    """By the order's number, or by the receipt code that the provider told. Raises NotFound, NotPaid."""
    named = sa.or_(orders.c.number == typed, payments.c.receipt == typed)
    return await _read(work, _QUERY.where(*_of(work, person_id), named))


async def of_payment(work: Work, person_id: UUID, payment_id: UUID) -> Receipt:
    """Raises NotFound, NotPaid."""
    return await _read(work, _QUERY.where(*_of(work, person_id), payments.c.id == payment_id))


def _of(work: Work, person_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return orders.c.tenant_id == work.tenant, orders.c.person_id == person_id


async def _read(work: Work, query: sa.Select[Any]) -> Receipt:
    row = (await work.connection.execute(query)).first()
    if row is None:
        raise NotFound("receipt")
    if row.paid_at is None:
        raise NotPaid(row.number, closed=row.status == "canceled")
    return Receipt(
        payment_id=row.payment_id,
        number=row.number,
        amount=Money(row.total, row.currency),
        paid_at=row.paid_at,
        lines=read_lines(row.lines, row.currency),
        note=row.note,
        method=await _method(work, row.payment_id),
        code=row.receipt,
        refunded=await refunded_of(work, row.payment_id),
        delivery=bool(row.delivery),
    )


async def _method(work: Work, payment_id: UUID) -> PaymentMethod:
    """Of the attempt that was credited: a second success came later, and is kept apart."""
    query = (
        sa.select(attempts.c.provider, attempts.c.label)
        .where(
            attempts.c.tenant_id == work.tenant,
            attempts.c.payment_id == payment_id,
            attempts.c.state == "succeeded",
        )
        .order_by(attempts.c.resolved_at, attempts.c.id)
        .limit(1)
    )
    row = (await work.connection.execute(query)).one()
    return PaymentMethod(provider=row.provider, label=row.label)
