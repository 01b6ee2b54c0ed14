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
from services.store.hot import Hot, among
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
    rows = await record.ONE(work.connection, tenant=work.tenant, withdrawal=withdrawal_id)
    if not rows:
        raise NotFound("withdrawal")
    (found,) = await _described(work, rows)
    return found


async def count(work: Work, status: str | None) -> int:
    query = sa.select(sa.func.count()).select_from(withdrawals).where(*_ours(work, status))
    return await work.connection.scalar(query) or 0


async def page(work: Work, status: str | None, after: UUID | None, most: int) -> list[Described]:
    """The latest first; `after` is the last one of the page before. Raises NotFound where it is none."""
    order = sa.tuple_(withdrawals.c.created_at, withdrawals.c.id)
    query = record.WHOLE.where(*_ours(work, status))
    if after is not None:
        last = await record.shown(work, after)
        at = sa.literal(last.created_at, withdrawals.c.created_at.type)
        query = query.where(order < sa.tuple_(at, sa.literal(after, sa.Uuid)))
    query = query.order_by(withdrawals.c.created_at.desc(), withdrawals.c.id.desc()).limit(most)
    return await _described(work, (await work.connection.execute(query, {"tenant": work.tenant})).all())


def _ours(work: Work, status: str | None) -> list[sa.ColumnElement[bool]]:
    ours = [withdrawals.c.tenant_id == work.tenant]
    return [*ours, withdrawals.c.status == status] if status else ours


async def _described(work: Work, rows: Sequence[Any]) -> list[Described]:
    """In their order."""
    shown, ids = await record.as_shown(work, rows), [row.id for row in rows]
    lines, approved, held = await _lines(work, ids), await _approved(work, ids), await _held(work, ids)
    return [
        Described(
            withdrawal=each,
            details=masked_details(work.open(row.details_sealed, COLUMN, row.id)),
            approved_by=tuple(approved[row.id]),
            approvals_needed=row.approvals_needed,
            notes=row.notes,
            held=held.get(row.id),
            history=tuple(lines[row.id]),
        )
        for each, row in zip(shown, rows, strict=True)
    ]


def masked_details(details: dict[str, str]) -> dict[str, str]:
    """Its numbers with all but their last four signs as stars, a holder by the initials."""
    hidden = dict.fromkeys(_NUMBERS, masked) | {"account_name": initials}
    return {key: hidden.get(key, str)(value) for key, value in details.items()}


_line, _approval, _payout = withdrawal_history.c, approvals.c, payouts.c
_LINES = Hot(
    sa.select(_line.withdrawal_id, _line.at, _line.status, _line.by_id, _line.reason)
    .where(_line.tenant_id == sa.bindparam("tenant"), among(_line.withdrawal_id, "ids"))
    .order_by(_line.seq)
)
_APPROVED = Hot(
    sa.select(_approval.operation_id, _approval.approver_id)
    .where(_approval.tenant_id == sa.bindparam("tenant"), among(_approval.operation_id, "ids"))
    .order_by(_approval.created_at)
)
_HELD = Hot(
    sa.select(_payout.withdrawal_id, _payout.held).where(
        _payout.tenant_id == sa.bindparam("tenant"),
        among(_payout.withdrawal_id, "ids"),
        _payout.state == "created",
        _payout.held.is_not(None),
    )
)


async def _lines(work: Work, ids: Sequence[UUID]) -> dict[UUID, list[Line]]:
    found: dict[UUID, list[Line]] = defaultdict(list)
    for withdrawal_id, *line in await _LINES(work.connection, tenant=work.tenant, ids=ids):
        found[withdrawal_id].append(Line(*line))
    return found


async def _approved(work: Work, ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for operation_id, approver in await _APPROVED(work.connection, tenant=work.tenant, ids=ids):
        found[operation_id].append(approver)
    return found


async def _held(work: Work, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Why those wait that are approved and not sent yet."""
    return dict(await _HELD(work.connection, tenant=work.tenant, ids=ids))
