"""Held: which payments a provider without a list is asked about one by one, by what we hold of them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.reconciliation.reach import Span
from services.store.schema import attempts, refund_attempts, refunds, reversals
from services.work import Work

_MAY_TAKE = timedelta(days=1)  # of what came to nothing, and may have been paid all the same


async def references(
    work: Work, provider: str, span: Span, after: UUID | None, most: int
) -> list[tuple[UUID, str]]:
    """Attempts that were under way in that time, or of which something went back in it, with what they are
    asked about by; in the order of their ids, from after that one."""
    of = attempts.c
    ended = sa.func.coalesce(of.resolved_at, of.created_at)
    under_way = sa.and_(of.created_at < span.until, ended >= span.since - _MAY_TAKE)
    query = sa.select(of.id, of.reference_sealed).where(
        of.tenant_id == work.tenant,
        of.provider == provider,
        of.reference_sealed.is_not(None),
        sa.or_(under_way, of.id.in_(_given_back(work, span)), of.id.in_(_taken_back(work, span))),
    )
    if after is not None:
        query = query.where(of.id > after)
    rows = (await work.connection.execute(query.order_by(of.id).limit(most))).all()
    return [(row.id, work.open(row.reference_sealed, "attempts.reference", row.id)) for row in rows]


def _given_back(work: Work, span: Span) -> sa.Select[Any]:
    tried = refund_attempts.c
    ended = sa.func.coalesce(tried.resolved_at, tried.created_at)
    same = sa.and_(tried.tenant_id == refunds.c.tenant_id, tried.refund_id == refunds.c.id)
    return (
        sa.select(refunds.c.attempt_id)
        .join(refund_attempts, same)
        .where(refunds.c.tenant_id == work.tenant, tried.created_at < span.until, ended >= span.since)
    )


def _taken_back(work: Work, span: Span) -> sa.Select[Any]:
    at = reversals.c.created_at
    return sa.select(reversals.c.attempt_id).where(
        reversals.c.tenant_id == work.tenant, at < span.until, at >= span.since
    )
