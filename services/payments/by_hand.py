"""By hand: who pays to the till without being asked on the phone, and types the order's number, has paid
that order.

Only what the provider itself lists counts, and only once nothing else can explain it: an attempt of ours that
may still be told of, or that has succeeded without a receipt, is that very payment as far as anybody knows.
What does not fit (another amount, an order that is paid) moves nothing, and is left to who reconciles.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.ids import new_id
from services.money import Money
from services.payments.record import in_the_way, lock_order
from services.payments.settle import settle
from services.providers.base import Succeeded
from services.providers.listing import Kind, Line
from services.store.schema import attempts, jobs, orders, payments
from services.work import Work

PROVIDERS = frozenset({"mpesa"})  # that take money of whom nobody has asked
# Longer than the provider is asked about an attempt of ours, and than a person needs to type.
SETTLED = timedelta(minutes=20)
_CLOCKS = timedelta(minutes=10)  # how far theirs and ours may be apart
_UNPAID = ("open", "awaiting_payment")


def may_be(line: Line) -> bool:
    """Whether it is worth looking for an order."""
    return line.kind == Kind.PAID and line.reference is not None and line.receipt is not None


async def take(work: Work, provider: str, line: Line) -> bool:
    """Whether the line has paid an order now."""
    if not may_be(line) or work.now - line.at < SETTLED:
        return False
    order = await lock_order(work, orders.c.number == line.reference, orders.c.status.in_(_UNPAID))
    if order is None or Money(order.total, order.currency) != line.amount:
        return False
    if line.at < order.created_at - _CLOCKS or await _known(work, provider, line.receipt):
        return False
    payment_id = await _payment(work, order)
    if await _explained(work, provider, payment_id):
        return False
    attempt_id = await _attempt(work, provider, payment_id, line)
    return await settle(work, attempt_id, Succeeded(line.receipt, line.amount))


async def _known(work: Work, provider: str, receipt: str | None) -> bool:
    """Of a payment that was told to us."""
    query = sa.select(attempts.c.id).where(
        attempts.c.tenant_id == work.tenant, attempts.c.provider == provider, attempts.c.receipt == receipt
    )
    return (await work.connection.execute(query)).first() is not None


async def _explained(work: Work, provider: str, payment_id: UUID) -> bool:
    """By an attempt whose end is not known, or whose receipt is not."""
    if await in_the_way(work, payment_id):
        return True
    asked_about = sa.exists().where(
        jobs.c.tenant_id == attempts.c.tenant_id,
        jobs.c.target_id == attempts.c.id,
        jobs.c.kind == "collect_check",
    )
    nameless = sa.and_(attempts.c.state == "succeeded", attempts.c.receipt.is_(None))
    query = sa.select(attempts.c.id).where(
        attempts.c.tenant_id == work.tenant,
        attempts.c.payment_id == payment_id,
        attempts.c.provider == provider,
        sa.or_(nameless, asked_about),
    )
    return (await work.connection.execute(query)).first() is not None


async def _payment(work: Work, order: sa.Row[Any]) -> UUID:
    """The order's one; made where nobody has tried to pay it. The order is locked."""
    query = sa.select(payments.c.id).where(
        payments.c.tenant_id == work.tenant, payments.c.order_id == order.id
    )
    known: UUID | None = await work.connection.scalar(query)
    if known is not None:
        return known
    row = {
        "tenant_id": work.tenant,
        "id": new_id(),
        "order_id": order.id,
        "person_id": order.person_id,
        "conversation_id": order.conversation_id,
        "status": "pending",
        "amount": order.total,
        "currency": order.currency,
        "created_at": work.now,
    }
    await work.connection.execute(sa.insert(payments).values(row))
    return UUID(str(row["id"]))


async def _attempt(work: Work, provider: str, payment_id: UUID, line: Line) -> UUID:
    """Of a payment that nobody was asked for: there is nothing to ask by, and nothing to charge again."""
    attempt_id = new_id()
    await work.connection.execute(
        sa.insert(attempts).values(
            tenant_id=work.tenant,
            id=attempt_id,
            payment_id=payment_id,
            provider=provider,
            details_sealed=b"",
            label=line.party or "",
            state="pending",
            created_at=line.at,
        )
    )
    return attempt_id
