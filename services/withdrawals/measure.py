"""Measure: how withdrawals of all tenants went lately, for who watches the installation. Reads only, by the
index of payouts that have ended."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.fees import is_as_told
from services.money import Money
from services.store.schema import approvals, audit, fees, operations, payouts, withdrawals

_OF_THEM = sa.and_(
    withdrawals.c.tenant_id == payouts.c.tenant_id, withdrawals.c.id == payouts.c.withdrawal_id
)
_FEES_CHANGED = ("tenant.created", "tenant.changed", "change_fees.done")


@dataclass(frozen=True)
class Took:
    """Of one way out: how many ended within each bound of seconds, how many in all, and their sum."""

    within: tuple[int, ...]
    count: int
    seconds: float


@dataclass(frozen=True)
class Ended:
    """Of one way out and outcome: how many, and how long they took since the `request` and the `approval`."""

    rail: str
    outcome: str
    count: int
    took: Mapping[str, Took]


async def ended(connection: AsyncConnection, since: datetime, bounds: Sequence[float]) -> list[Ended]:
    """The payouts that have ended since then. A payout is made with the last approval that it needs. In one
    statement, which goes through them once."""
    begins = {"request": withdrawals.c.created_at, "approval": payouts.c.created_at}
    sums: list[Any] = []
    for column in begins.values():
        seconds = _seconds(connection, column, payouts.c.resolved_at)
        sums += [sa.func.sum(seconds)]
        sums += [sa.func.sum(sa.case((seconds <= bound, 1), else_=0)) for bound in bounds]
    query = (
        sa.select(withdrawals.c.method_type, payouts.c.state, sa.func.count(), *sums)
        .join_from(payouts, withdrawals, _OF_THEM)
        .where(payouts.c.resolved_at > since)
        .group_by(withdrawals.c.method_type, payouts.c.state)
    )
    found = []
    for rail, outcome, count, *told in await connection.execute(query):
        halves = (told[: len(told) // 2], told[len(told) // 2 :])
        took = {
            begin: Took(tuple(int(many) for many in half[1:]), count, float(half[0]))
            for begin, half in zip(begins, halves, strict=True)
        }
        found.append(Ended(rail, outcome, count, took))
    return found


async def four_eyes(connection: AsyncConnection, since: datetime) -> tuple[int, int, int]:
    """Of the withdrawals that have arrived since then: how many, by how many approvals in all, and how many
    without the approvals of as many others than their maker as they needed."""
    others = (
        sa.select(sa.func.count(sa.distinct(approvals.c.approver_id)))
        .where(
            approvals.c.tenant_id == operations.c.tenant_id,
            approvals.c.operation_id == operations.c.id,
            approvals.c.round == operations.c.round,
            approvals.c.approver_id != withdrawals.c.maker_id,
            approvals.c.right_of != withdrawals.c.maker_id,
        )
        .scalar_subquery()
    )
    needed = sa.func.coalesce(operations.c.approvals_needed, 1)
    each = (
        sa.select(sa.func.coalesce(others, 0).label("others"), needed.label("needed"))
        .select_from(
            payouts.join(withdrawals, _OF_THEM).outerjoin(
                operations,
                sa.and_(
                    operations.c.tenant_id == withdrawals.c.tenant_id, operations.c.id == withdrawals.c.id
                ),
            )
        )
        .where(payouts.c.resolved_at > since, payouts.c.state == "succeeded")
        .subquery()
    )
    wrong = sa.func.coalesce(sa.func.sum(sa.case((each.c.others < each.c.needed, 1), else_=0)), 0)
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(each.c.others), 0), wrong)
    row = (await connection.execute(query.select_from(each))).one()
    return int(row[0]), int(row[1]), int(row[2])


async def fee_accuracy(connection: AsyncConnection, since: datetime) -> tuple[int, int]:
    """Of the withdrawals that have arrived since then: how many, and how many were charged another fee than
    the tenant's table has for them. Where it was changed after one was asked for, nothing is said of that."""
    query = (
        sa.select(withdrawals)
        .join_from(payouts, withdrawals, _OF_THEM)
        .where(payouts.c.resolved_at > since, payouts.c.state == "succeeded")
    )
    rows = (await connection.execute(query)).all()
    if not rows:
        return 0, 0
    tables: dict[Any, list[sa.Row[Any]]] = defaultdict(list)
    tenants = sorted({row.tenant_id for row in rows})
    for band in await connection.execute(sa.select(fees).where(fees.c.tenant_id.in_(tenants))):
        tables[band.tenant_id, band.method_type, band.currency].append(band)
    wrong = [row for row in rows if not _as_told(row, tables)]
    return len(rows), len([row for row in wrong if not await _changed_since(connection, row)])


def _as_told(row: sa.Row[Any], tables: dict[Any, list[sa.Row[Any]]]) -> bool:
    bands = tables.get((row.tenant_id, row.method_type, row.currency), [])
    gross, fee = Money(row.amount, row.currency), Money(row.fee, row.currency)
    return is_as_told(bands, row.method_type, gross, fee, row.created_at)


async def _changed_since(connection: AsyncConnection, row: sa.Row[Any]) -> bool:
    """Whether the tenant's table may have been another one when it was asked for."""
    query = sa.select(audit.c.seq).where(
        audit.c.tenant_id == row.tenant_id,
        audit.c.action.in_(_FEES_CHANGED),
        audit.c.at >= row.created_at,
    )
    return (await connection.execute(query.limit(1))).first() is not None


def _seconds(connection: AsyncConnection, begin: sa.Column[Any], end: sa.Column[Any]) -> Any:
    """Between two moments, which SQLite has as microseconds."""
    if connection.dialect.name == "postgresql":
        return sa.extract("epoch", end - begin)
    microseconds = sa.type_coerce(end, sa.BigInteger) - sa.type_coerce(begin, sa.BigInteger)
    return microseconds / sa.literal(1_000_000.0, sa.Float)
