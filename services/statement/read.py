"""Read: a statement out of the ledger, which alone decides it.

Every sum is one of transfers, none of a balance that is kept beside them: so a statement is a proof of its
own. What must agree is read in one snapshot (`Database.snapshot`), its lines a page at a time, in the order
of their time and ids.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.errors.statement import EmptyPeriod
from services.ledger import OWED, WALLET, account_id
from services.money import Money
from services.statement.facts import KINDS, Line, Statement, Sum
from services.statement.period import Period
from services.store.schema import (
    attempts,
    holds,
    orders,
    payments,
    payouts,
    refunds,
    reversals,
    transfers,
    withdrawals,
)
from services.work import Work

_PAGE = 2_000


class DoesNotAddUp(Exception):
    """The lines of a statement do not lead from its opening to its closing balance: a bug, and no file."""


@dataclass(frozen=True)
class After:
    """The last line that was read, and the balance after it."""

    at: datetime
    id: UUID
    balance: int


async def statement(work: Work, period: Period, currency: str) -> Statement:
    """Its sums. Raises EmptyPeriod."""
    wallet = account_id(work.tenant, WALLET, currency)
    opening = await _before(work, wallet, period.since)
    rows = await _sums(work, wallet, period)
    closing = opening + sum(each.amount if each.entered else -each.amount for each in rows)
    if not rows:
        raise EmptyPeriod(period.since, period.until, Money(opening, currency))
    return Statement(
        since=period.since,
        until=period.until,
        opening=Money(opening, currency),
        closing=Money(closing, currency),
        held=Money(await _held(work, wallet, period.until), currency),
        owed=Money(-await _before(work, account_id(work.tenant, OWED, currency), period.until), currency),
        sums=tuple(
            Sum(
                kind=KINDS.get(each.reason, each.reason),
                count=each.number,
                amount=Money(each.amount if each.entered else -each.amount, currency),
            )
            for each in rows
        ),
    )


async def page(
    work: Work, period: Period, currency: str, after: After | None, most: int = _PAGE
) -> list[Line]:
    """The next lines, the oldest first; `after` None: the first ones."""
    wallet = account_id(work.tenant, WALLET, currency)
    balance = after.balance if after else await _before(work, wallet, period.since)
    query = _LINES.where(*_within(work, wallet, period))
    if after is not None:
        query = query.where(transfers.c.created_at >= after.at, _key() > _key_of(after.at, after.id))
    query = query.order_by(transfers.c.created_at, transfers.c.id).limit(most)
    found = []
    for row in await work.connection.execute(query):
        amount = row.amount if row.target_id == wallet else -row.amount
        balance += amount
        found.append(_line(row, Money(amount, currency), Money(balance, currency)))
    return found


async def after(work: Work, period: Period, currency: str, line_id: UUID) -> After | None:
    """To go on behind this line; None where the period has no such line."""
    wallet = account_id(work.tenant, WALLET, currency)
    query = sa.select(transfers.c.created_at).where(*_within(work, wallet, period), transfers.c.id == line_id)
    at = await work.connection.scalar(query)
    if at is None:
        return None
    until = sa.and_(transfers.c.created_at <= at, _key() <= _key_of(at, line_id))
    return After(at, line_id, await _total(work, wallet, until))


async def pages(work: Work, told: Statement) -> AsyncIterator[list[Line]]:
    """All its lines, and never more than a page in memory. Raises DoesNotAddUp at the end."""
    period, currency = Period(told.since, told.until), told.opening.currency
    last, count = None, 0
    while lines := await page(work, period, currency, last):
        yield lines
        last, count = After(lines[-1].at, lines[-1].id, lines[-1].balance.minor), count + len(lines)
    if last is None or last.balance != told.closing.minor or count != told.count:
        raise DoesNotAddUp(f"{work.tenant}: {count} lines lead to {last and last.balance}, not {told}")


_LINES = (
    sa.select(
        transfers.c.id,
        transfers.c.created_at,
        transfers.c.target_id,
        transfers.c.amount,
        transfers.c.reason,
        orders.c.number,
        attempts.c.provider,
        attempts.c.label,
        attempts.c.receipt,
        withdrawals.c.id.label("withdrawal_id"),
        withdrawals.c.method_type,
        withdrawals.c.destination,
        sa.func.coalesce(payouts.c.receipt, withdrawals.c.receipt).label("payout_receipt"),
        refunds.c.id.label("refund_id"),
        refunds.c.receipt.label("refund_receipt"),
    )
    .outerjoin(
        refunds, sa.and_(refunds.c.tenant_id == transfers.c.tenant_id, refunds.c.id == transfers.c.cause_id)
    )
    .outerjoin(
        reversals,
        sa.and_(reversals.c.tenant_id == transfers.c.tenant_id, reversals.c.id == transfers.c.cause_id),
    )
    .outerjoin(  # what came in, or what came in and goes back
        attempts,
        sa.and_(
            attempts.c.tenant_id == transfers.c.tenant_id,
            attempts.c.id
            == sa.func.coalesce(refunds.c.attempt_id, reversals.c.attempt_id, transfers.c.cause_id),
        ),
    )
    .outerjoin(
        payments,
        sa.and_(payments.c.tenant_id == attempts.c.tenant_id, payments.c.id == attempts.c.payment_id),
    )
    .outerjoin(
        orders, sa.and_(orders.c.tenant_id == payments.c.tenant_id, orders.c.id == payments.c.order_id)
    )
    .outerjoin(  # what was paid after all
        payouts, sa.and_(payouts.c.tenant_id == transfers.c.tenant_id, payouts.c.id == transfers.c.cause_id)
    )
    .outerjoin(
        withdrawals,
        sa.and_(
            withdrawals.c.tenant_id == transfers.c.tenant_id,
            withdrawals.c.id == sa.func.coalesce(payouts.c.withdrawal_id, transfers.c.cause_id),
        ),
    )
)


def _line(row: Any, amount: Money, balance: Money) -> Line:
    return Line(
        id=row.id,
        at=row.created_at,
        kind=KINDS.get(row.reason, row.reason),
        number=row.number,
        withdrawal_id=row.withdrawal_id,
        provider=row.provider or row.method_type,
        account=row.label or row.destination,
        receipt=row.refund_receipt if row.refund_id else row.receipt or row.payout_receipt,
        amount=amount,
        balance=balance,
    )


def _key() -> Any:
    return sa.tuple_(transfers.c.created_at, transfers.c.id)


def _key_of(at: datetime, line_id: UUID) -> Any:
    return sa.tuple_(sa.literal(at, transfers.c.created_at.type), sa.literal(line_id, sa.Uuid))


def _touches(work: Work, account: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        transfers.c.tenant_id == work.tenant,
        sa.or_(transfers.c.source_id == account, transfers.c.target_id == account),
    )


def _within(work: Work, account: UUID, period: Period) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        *_touches(work, account),
        transfers.c.created_at >= period.since,
        transfers.c.created_at < period.until,
    )


async def _sums(work: Work, account: UUID, period: Period) -> list[sa.Row[Any]]:
    """By reason, what came in first."""
    entered = transfers.c.target_id == account
    query = (
        sa.select(
            transfers.c.reason,
            entered.label("entered"),
            sa.func.count().label("number"),
            sa.cast(sa.func.sum(transfers.c.amount), sa.BigInteger).label("amount"),
        )
        .where(*_within(work, account, period))
        .group_by(transfers.c.reason, entered)
    )
    rows = (await work.connection.execute(query)).all()
    return sorted(rows, key=lambda row: (not row.entered, row.reason))


async def _before(work: Work, account: UUID, moment: datetime) -> int:
    return await _total(work, account, transfers.c.created_at < moment)


async def _total(work: Work, account: UUID, where: sa.ColumnElement[bool]) -> int:
    signed = sa.case((transfers.c.target_id == account, transfers.c.amount), else_=-transfers.c.amount)
    query = sa.select(sa.cast(sa.func.coalesce(sa.func.sum(signed), 0), sa.BigInteger))
    return await work.connection.scalar(query.where(*_touches(work, account), where)) or 0


async def _held(work: Work, account: UUID, moment: datetime) -> int:
    query = sa.select(sa.cast(sa.func.coalesce(sa.func.sum(holds.c.amount), 0), sa.BigInteger)).where(
        holds.c.tenant_id == work.tenant,
        holds.c.account_id == account,
        holds.c.created_at < moment,
        sa.or_(holds.c.resolved_at.is_(None), holds.c.resolved_at >= moment),
    )
    return await work.connection.scalar(query) or 0
