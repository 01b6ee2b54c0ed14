"""Lookup: an order as the staff see it, by its number, and as its customer does; a payment by its id. Nothing
of it is locked or changed."""

from uuid import UUID

import sqlalchemy as sa

from services.errors import NotFound
from services.facts import OrderSeen, Standing, Try
from services.money import Money
from services.news import PaymentMethod
from services.payments.asked import number_of
from services.payments.seen import AttemptSeen, PaymentSeen
from services.payments.start import checkout_of
from services.people import people
from services.store.schema import attempts, orders, payments
from services.work import Work

_LATEST = 5  # attempts, which fit into one message


async def order(work: Work, typed: str) -> OrderSeen:
    """Raises NotFound, for another tenant's too."""
    query = sa.select(orders).where(orders.c.tenant_id == work.tenant, orders.c.number == typed)
    row = (await work.connection.execute(query)).first()
    if row is None:
        raise NotFound("order")
    number = await number_of(work, row.person_id)
    lines = ", ".join(f"{line['quantity']} {line['name']}" for line in row.lines)
    return OrderSeen(
        number=row.number,
        customer=f"{await people.name_of(work, row.person_id) or ''} {number}".strip(),
        amount=Money(row.total, row.currency),
        status=row.status,
        summary=lines or row.note,
        created_at=row.created_at,
        tries=await _tries(work, row.id),
        asked=row.asked_by is not None,
        note=row.note if lines else None,
        delivery=row.delivery,
    )


async def standing(work: Work, person_id: UUID, order_id: UUID) -> Standing:
    """Raises NotFound, for another's too."""
    query = (
        sa.select(orders, payments.c.receipt)
        .outerjoin(
            payments, sa.and_(payments.c.tenant_id == orders.c.tenant_id, payments.c.order_id == orders.c.id)
        )
        .where(orders.c.tenant_id == work.tenant, orders.c.id == order_id, orders.c.person_id == person_id)
    )
    row = (await work.connection.execute(query)).first()
    if row is None:
        raise NotFound("order")
    return Standing(
        checkout=checkout_of(row), status=row.status, asked=row.asked_by is not None, receipt=row.receipt
    )


async def payment(work: Work, payment_id: UUID) -> PaymentSeen:
    """Raises NotFound, for another tenant's too."""
    query = sa.select(payments).where(payments.c.tenant_id == work.tenant, payments.c.id == payment_id)
    row = (await work.connection.execute(query)).first()
    if row is None:
        raise NotFound("payment")
    tried = (
        sa.select(attempts)
        .where(attempts.c.tenant_id == work.tenant, attempts.c.payment_id == payment_id)
        .order_by(attempts.c.created_at, attempts.c.id)
    )
    return PaymentSeen(
        id=row.id,
        order_id=row.order_id,
        status=row.status,
        amount=Money(row.amount, row.currency),
        receipt=row.receipt,
        attempts=tuple(
            AttemptSeen(
                id=each.id,
                method=PaymentMethod(provider=each.provider, label=each.label),
                state=each.state,
                because=each.because,
                receipt=each.receipt,
                created_at=each.created_at,
                resolved_at=each.resolved_at,
            )
            for each in await work.connection.execute(tried)
        ),
    )


async def _tries(work: Work, order_id: UUID) -> tuple[Try, ...]:
    """The latest first."""
    query = (
        sa.select(attempts)
        .join(
            payments,
            sa.and_(payments.c.tenant_id == attempts.c.tenant_id, payments.c.id == attempts.c.payment_id),
        )
        .where(payments.c.tenant_id == work.tenant, payments.c.order_id == order_id)
        .order_by(attempts.c.created_at.desc(), attempts.c.id.desc())
        .limit(_LATEST)
    )
    return tuple(
        Try(
            method=PaymentMethod(provider=row.provider, label=row.label),
            state=row.state,
            receipt=row.receipt,
            at=row.resolved_at or row.created_at,
        )
        for row in await work.connection.execute(query)
    )
