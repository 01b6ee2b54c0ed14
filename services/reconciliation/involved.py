"""Involved: who asked for or approved what a break is about. They do not say that it needs nothing more."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.providers.listing import Kind
from services.store.schema import (
    approvals,
    operations,
    payouts,
    refund_attempts,
    refunds,
    reversals,
    settlements,
    transfers,
)
from services.work import Work


async def involved(work: Work, row: Any) -> frozenset[UUID]:
    """Of a break's row: makers and approvers, and whose rights these have used, of the withdrawal or refund,
    and of whatever was said of it. A payment of a customer has none; one that was given back has those of
    its refunds."""
    if row.item_id is None:
        return frozenset()
    asked = await _asked(work, row.item_id, back=row.kind == Kind.BACK)
    makers = sa.select(operations.c.maker_id.label("person")).where(
        operations.c.tenant_id == work.tenant, operations.c.id.in_(asked)
    )
    mine = (approvals.c.tenant_id == work.tenant, approvals.c.operation_id.in_(asked))
    query = sa.union(
        makers,
        *(sa.select(column).where(*mine) for column in (approvals.c.approver_id, approvals.c.right_of)),
    )
    return frozenset((await work.connection.execute(query)).scalars())


async def _asked(work: Work, item: UUID, *, back: bool) -> set[UUID]:
    """The operations that have moved it, or said what became of it."""
    payout, refund = _one_of(payouts.c.withdrawal_id, item), _one_of(refund_attempts.c.refund_id, item)
    said = sa.or_(
        settlements.c.refund_attempt_id.in_(_ids(work, refund_attempts, refund_attempts.c.id, refund)),
        settlements.c.payout_id.in_(_ids(work, payouts, payouts.c.id, payout)),
    )
    queries = [
        _ids(work, payouts, payouts.c.withdrawal_id, payout),
        _ids(work, refund_attempts, refund_attempts.c.refund_id, refund),
        _ids(work, settlements, settlements.c.id, said),
        _ids(work, transfers, transfers.c.cause_id, transfers.c.id == item),
    ]
    if back:
        payment = _ids(work, reversals, reversals.c.attempt_id, reversals.c.id == item)
        of_payment = sa.or_(refunds.c.attempt_id == item, refunds.c.attempt_id.in_(payment))
        queries.append(_ids(work, refunds, refunds.c.id, of_payment))
    return {item, *(await work.connection.execute(sa.union(*queries))).scalars()}


def _one_of(asked: sa.Column[Any], item: UUID) -> sa.ColumnElement[bool]:
    """A payout or the attempt of a refund, or those of what was asked: what came back is called by that."""
    return sa.or_(asked.table.c.id == item, asked == item)


def _ids(
    work: Work, table: sa.Table, column: sa.Column[Any], where: sa.ColumnElement[bool]
) -> sa.Select[tuple[UUID]]:
    return sa.select(column.label("id")).where(table.c.tenant_id == work.tenant, where)
