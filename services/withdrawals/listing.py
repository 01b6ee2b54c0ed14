"""Listing: withdrawals with their details and history, a page at a time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.banks import initials
from services.errors import NotFound
from services.news import Withdrawal
from services.phones import masked
from services.store.schema import approvals, payouts, withdrawal_history, withdrawals
from services.withdrawals import record
from services.withdrawals.destinations import COLUMN
from services.work import Work

_NUMBERS = ("phone_number", "till_number", "account_number")


@dataclass(frozen=True)
class Line:
    """Of the history."""

    at: datetime
    status: str
    by: UUID | None
    reason: str | None


@dataclass(frozen=True)
class Described:
    """A withdrawal with all that is told of it; `details` are masked, `held` is why it waits to be sent."""

    withdrawal: Withdrawal
    details: dict[str, str]
    approved_by: tuple[UUID, ...]
    approvals_needed: int
    notes: str | None
    held: str | None
    history: tuple[Line, ...]


async def one(work: Work, withdrawal_id: UUID) -> Described:
    """Raises NotFound."""
    found = await _described(work, withdrawals.c.id == withdrawal_id)
    if not found:
        raise NotFound("withdrawal")
    return found[0]


async def count(work: Work, status: str | None) -> int:
    query = sa.select(sa.func.count()).select_from(withdrawals).where(*_ours(work, status))
    return await work.connection.scalar(query) or 0


async def page(work: Work, status: str | None, after: UUID | None, most: int) -> list[Described]:
    """The latest first; `after` is the last one of the page before. Raises NotFound where it is none."""
    order = sa.tuple_(withdrawals.c.created_at, withdrawals.c.id)
    query = sa.select(withdrawals.c.id).where(*_ours(work, status))
    if after is not None:
        last = await record.shown(work, after)
        at = sa.literal(last.created_at, withdrawals.c.created_at.type)
        query = query.where(order < sa.tuple_(at, sa.literal(after, sa.Uuid)))
    query = query.order_by(withdrawals.c.created_at.desc(), withdrawals.c.id.desc()).limit(most)
    ids = (await work.connection.execute(query)).scalars().all()
    found = await _described(work, withdrawals.c.id.in_(ids))
    return found[::-1]


def _ours(work: Work, status: str | None) -> list[sa.ColumnElement[bool]]:
    ours = [withdrawals.c.tenant_id == work.tenant]
    return [*ours, withdrawals.c.status == status] if status else ours


async def _described(work: Work, where: sa.ColumnElement[bool]) -> list[Described]:
    """The oldest first."""
    shown = await record.read(work, where)
    ids = [each.id for each in shown]
    rows = {row.id: row for row in await work.connection.execute(record.whole(work, where))}
    lines, approved, held = await _lines(work, ids), await _approved(work, ids), await _held(work, ids)
    return [
        Described(
            withdrawal=each,
            details=masked_details(work.open(rows[each.id].details_sealed, COLUMN, each.id)),
            approved_by=tuple(approved[each.id]),
            approvals_needed=rows[each.id].approvals_needed,
            notes=rows[each.id].notes,
            held=held.get(each.id),
            history=tuple(lines[each.id]),
        )
        for each in shown
    ]


def masked_details(details: dict[str, str]) -> dict[str, str]:
    """Its numbers with all but their last four signs as stars, a holder by the initials."""
    hidden = dict.fromkeys(_NUMBERS, masked) | {"account_name": initials}
    return {key: hidden.get(key, str)(value) for key, value in details.items()}


async def _lines(work: Work, ids: Sequence[UUID]) -> dict[UUID, list[Line]]:
    query = (
        sa.select(withdrawal_history)
        .where(withdrawal_history.c.tenant_id == work.tenant, withdrawal_history.c.withdrawal_id.in_(ids))
        .order_by(withdrawal_history.c.seq)
    )
    found: dict[UUID, list[Line]] = defaultdict(list)
    for row in await work.connection.execute(query):
        found[row.withdrawal_id].append(Line(row.at, row.status, row.by_id, row.reason))
    return found


async def _approved(work: Work, ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    query = (
        sa.select(approvals.c.operation_id, approvals.c.approver_id)
        .where(approvals.c.tenant_id == work.tenant, approvals.c.operation_id.in_(ids))
        .order_by(approvals.c.created_at)
    )
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in await work.connection.execute(query):
        found[row.operation_id].append(row.approver_id)
    return found


async def _held(work: Work, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Why those wait that are approved and not sent yet."""
    query = sa.select(payouts.c.withdrawal_id, payouts.c.held).where(
        payouts.c.tenant_id == work.tenant,
        payouts.c.withdrawal_id.in_(ids),
        payouts.c.state == "created",
        payouts.c.held.is_not(None),
    )
    return {row.withdrawal_id: row.held for row in await work.connection.execute(query)}
