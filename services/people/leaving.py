"""Leaving: who is no longer on the staff. What was theirs as one of it does not come back with them: nothing
that waits is told to them, their keys are revoked, the rights that they lent or had borrowed are over, and
what was to be lent is not lent. What they have approved counts no more; once they are back it has to be
approved anew."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from services import approval, audit
from services.approval.lending import LENDING
from services.people import apikeys, untold
from services.store.schema import conversations, lendings, operations
from services.work import Work


async def leave(work: Work, persons: Collection[UUID], by: str) -> None:
    """`by`: as in the audit, for what ends with it."""
    await untold.forget(work, conversations.c.person_id.in_(persons))
    await apikeys.let_go(work, persons, by)
    theirs = sa.or_(lendings.c.lender_id.in_(persons), lendings.c.borrower_id.in_(persons))
    await _end_lent(work, by, lendings.c.tenant_id == work.tenant, theirs)
    await _void_asked(work, lendings.c.tenant_id == work.tenant, theirs)


async def come_back(work: Work, person: UUID) -> None:
    """Whoever let them go may have had no reason to trust what they had approved until then."""
    await approval.forget(work, person)


async def _end_lent(work: Work, by: str, *which: sa.ColumnElement[bool]) -> None:
    ending = (
        sa.update(lendings)
        .where(
            *which,
            lendings.c.begins_at.is_not(None),
            lendings.c.ended_at.is_(None),
            lendings.c.until > work.now,
        )
        .values(ended_at=work.now)
        .returning(lendings.c.id)
    )
    for lending_id in sorted((await work.connection.execute(ending)).scalars()):
        await audit.record(work, by, "lending.ended", lending_id, {"because": "left"})


async def _void_asked(work: Work, *which: sa.ColumnElement[bool]) -> None:
    """Nobody has agreed to it yet."""
    mine = sa.and_(operations.c.tenant_id == lendings.c.tenant_id, operations.c.id == lendings.c.id)
    query = sa.select(lendings.c.id).join(operations, mine).where(*which, operations.c.state == "pending")
    for lending_id in sorted((await work.connection.execute(query)).scalars()):
        await approval.void(work, LENDING, lending_id)
