"""Record: a refund with the payment that it is of, read under the order's lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import approval, inbox, jobs, ledger, webhooks
from services.approval import Kind
from services.errors import NotFound, NotPaid
from services.ledger import SUSPENSE, WALLET
from services.money import Money
from services.news import News
from services.news.refunds import Refund, Way
from services.payments.asked import all_called
from services.payments.record import Attempt
from services.payments.record import locked as locked_attempt
from services.people import people
from services.people.access import RECONCILE
from services.refunds.came_back import STILL_GONE
from services.store.schema import attempts, operations, orders, payments, refunds, reversals, transfers
from services.transitions import transition
from services.work import Work

KIND = Kind("refund", ask=RECONCILE, approve=RECONCILE)
OPEN = ("pending", "processing")
COUNTED = (*OPEN, "completed")
_TOLD_AS = {"processing": "approved"}  # to the tenant's systems; the others as they are called


@dataclass(frozen=True)
class Refunding:
    """A refund's row, and the attempt of the payment that it is of."""

    row: sa.Row[Any]
    attempt: Attempt

    @property
    def amount(self) -> Money:
        return Money(self.row.amount, self.row.currency)


def facts_of(row: Any) -> dict[str, Any]:
    """What an approval approves: every fact that decides who gets how much back, and how."""
    return {
        "payment": str(row.payment_id),
        "attempt": str(row.attempt_id),
        "source": row.source,
        "way": row.way,
        "amount": row.amount,
        "currency": row.currency,
        "reason": row.reason,
    }


async def locked(work: Work, refund_id: UUID) -> Refunding:
    """The order first, then the refund: what is decided about an order is decided one after the other.

    Raises NotFound.
    """
    mine = (refunds.c.tenant_id == work.tenant, refunds.c.id == refund_id)
    attempt_id = await work.connection.scalar(sa.select(refunds.c.attempt_id).where(*mine))
    if attempt_id is None:
        raise NotFound("refund")
    attempt = await locked_attempt(work, attempt_id)
    query = sa.select(refunds).where(*mine).with_for_update(key_share=True)
    return Refunding((await work.connection.execute(query)).one(), attempt)


async def move(work: Work, refund_id: UUID, *statuses: str, **values: Any) -> bool:
    """From one of these statuses, with these values; False where it stands in another."""
    if not await transition(work, refunds.c.status, refund_id, statuses, values):
        return False
    if status := values.get("status"):
        webhooks.tell(work, f"refund.{_TOLD_AS.get(status, status)}", refund_id)
    return True


async def credited(work: Work, payment_id: UUID) -> UUID | None:
    """The attempt that paid for the order; None where nothing did."""
    return await _moved_by(work, payment_id, "sale")


async def unpaid(work: Work, payment_id: UUID) -> NotFound | NotPaid:
    """Why there is nothing of a payment to give back."""
    query = (
        sa.select(orders.c.number)
        .join(
            payments, sa.and_(payments.c.tenant_id == orders.c.tenant_id, payments.c.order_id == orders.c.id)
        )
        .where(payments.c.tenant_id == work.tenant, payments.c.id == payment_id)
    )
    number = await work.connection.scalar(query)
    return NotFound("payment") if number is None else NotPaid(number)


async def suspended(work: Work, attempt_id: UUID) -> bool:
    """Whether this attempt's money came into suspense."""
    query = sa.select(transfers.c.id).where(
        transfers.c.tenant_id == work.tenant,
        transfers.c.cause_id == attempt_id,
        transfers.c.reason == "suspense",
    )
    return (await work.connection.execute(query)).first() is not None


async def left_in_suspense(work: Work, attempt: Attempt) -> Money:
    """Of what was paid twice, what lies there still and nothing is asked for."""
    if not await suspended(work, attempt.id):
        return Money(0, attempt.amount.currency)
    return Money(max(attempt.amount.minor - await gone(work, attempt.id), 0), attempt.amount.currency)


async def _moved_by(work: Work, payment_id: UUID, reason: str) -> UUID | None:
    query = (
        sa.select(attempts.c.id)
        .join(
            transfers,
            sa.and_(transfers.c.tenant_id == attempts.c.tenant_id, transfers.c.cause_id == attempts.c.id),
        )
        .where(
            attempts.c.tenant_id == work.tenant,
            attempts.c.payment_id == payment_id,
            transfers.c.reason == reason,
        )
        .limit(1)
    )
    found: UUID | None = await work.connection.scalar(query)
    return found


async def gone(work: Work, attempt_id: UUID, *statuses: str) -> int:
    """Minor units of an attempt that are given back, or on their way; and what its provider took back."""
    asked = sa.select(sa.func.coalesce(sa.func.sum(refunds.c.amount), 0)).where(
        refunds.c.tenant_id == work.tenant,
        refunds.c.attempt_id == attempt_id,
        refunds.c.status.in_(statuses or COUNTED),
    )
    taken = sa.select(sa.func.coalesce(sa.func.sum(reversals.c.amount), 0)).where(
        reversals.c.tenant_id == work.tenant, reversals.c.attempt_id == attempt_id, STILL_GONE
    )
    return int(await work.connection.scalar(asked) or 0) + int(await work.connection.scalar(taken) or 0)


async def why_gone(work: Work, attempt_id: UUID) -> str:
    """Of an attempt of which nothing is left; as `AlreadyRefunded.because` has it."""
    query = sa.select(refunds.c.way, refunds.c.status).where(
        refunds.c.tenant_id == work.tenant,
        refunds.c.attempt_id == attempt_id,
        refunds.c.status.in_(COUNTED),
    )
    counted = (await work.connection.execute(query)).all()
    if any(row.status in OPEN for row in counted):
        return "waits"
    if any(row.way == Way.SALE for row in counted):
        return "kept"
    return "refunded" if counted else "taken_back"


async def open_of(work: Work, attempt_id: UUID) -> Sequence[sa.Row[Any]]:
    query = sa.select(refunds).where(
        refunds.c.tenant_id == work.tenant,
        refunds.c.attempt_id == attempt_id,
        refunds.c.status.in_(OPEN),
    )
    return (await work.connection.execute(query)).all()


async def read(work: Work, *where: sa.ColumnElement[bool], latest: int | None = None) -> list[Refund]:
    """As shown; the oldest first, or the latest so many, the newest first."""
    fee = sa.select(transfers.c.amount).where(
        transfers.c.tenant_id == refunds.c.tenant_id,
        transfers.c.cause_id == refunds.c.attempt_id,
        transfers.c.reason == "sale_fee",
    )
    query = (
        sa.select(
            refunds,
            operations.c.digest,
            attempts.c.provider,
            attempts.c.label,
            payments.c.amount.label("paid"),
            payments.c.person_id,
            orders.c.number,
            fee.scalar_subquery().label("fee"),
        )
        .join(operations, _same(operations, refunds.c.id))
        .join(attempts, _same(attempts, refunds.c.attempt_id))
        .join(payments, _same(payments, refunds.c.payment_id))
        .join(orders, _same(orders, payments.c.order_id))
        .where(refunds.c.tenant_id == work.tenant, *where)
    )
    if latest is None:
        query = query.order_by(refunds.c.created_at, refunds.c.id)
    else:
        query = query.order_by(refunds.c.created_at.desc(), refunds.c.id.desc()).limit(latest)
    rows = (await work.connection.execute(query)).all()
    names = await people.names_of(work, {row.maker_id for row in rows})
    customers = await all_called(work, {row.person_id for row in rows})
    return [_shown(row, names.get(row.maker_id, ""), customers[row.person_id]) for row in rows]


async def shown(work: Work, refund_id: UUID) -> Refund:
    """Raises NotFound."""
    found = await read(work, refunds.c.id == refund_id)
    if not found:
        raise NotFound("refund")
    return found[0]


async def tell(work: Work, maker: UUID, but: UUID | None, news: News) -> None:
    """The maker and those who reconcile; who did it has the answer on the screen."""
    await inbox.tell_people(work, (await people.reconcilers(work) | {maker}) - {but}, news)


async def free(work: Work, row: sa.Row[Any], state: str = "voided") -> None:
    """What it kept of the wallet is available again."""
    if row.source == WALLET:
        await ledger.release(work, row.id, state, row.currency)


async def withdraw(work: Work, one: Refunding) -> None:
    """Nobody has to decide it any more."""
    await transition(
        work,
        operations.c.state,
        one.row.id,
        ("pending",),
        {"state": "canceled", "decided_at": work.now},
    )
    await jobs.finish(work, one.row.id, "refund_expire")


async def still_approved(work: Work, row: sa.Row[Any], window: timedelta) -> bool:
    """By as many as it took, who may approve now, exactly this, and not too long ago."""
    query = sa.select(operations.c.decided_at).where(
        operations.c.tenant_id == work.tenant, operations.c.id == row.id
    )
    decided = await work.connection.scalar(query)
    return (
        await approval.stands(work, KIND, row.id, facts_of(row))
        and decided is not None
        and work.now - decided <= window
    )


def _same(table: sa.Table, column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.tenant_id == refunds.c.tenant_id, table.c.id == column)


def _shown(row: sa.Row[Any], maker: str, customer: str) -> Refund:
    return Refund(
        id=row.id,
        payment_id=row.payment_id,
        number=row.number,
        customer=customer,
        amount=Money(row.amount, row.currency),
        paid=Money(row.paid, row.currency),
        fee=Money(row.fee or 0, row.currency),
        twice=row.source == SUSPENSE,
        way=Way(row.way),
        provider=row.provider,
        label=row.label,
        reason=row.reason,
        maker_id=row.maker_id,
        maker=maker,
        status=row.status,
        digest=row.digest,
        receipt=row.receipt,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
