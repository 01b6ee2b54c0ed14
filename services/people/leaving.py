"""Leaving: who is no longer on the staff. What was theirs as one of it does not come back with them: nothing
that waits is told to them, and the rights that they lent or had borrowed are over."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from services import audit
from services.people import untold
from services.store.schema import conversations, lendings
from services.work import Work


async def leave(work: Work, persons: Collection[UUID], by: str) -> None:
    """`by`: as in the audit, for what ends with it."""
    await untold.forget(work, conversations.c.person_id.in_(persons))
    theirs = sa.or_(lendings.c.lender_id.in_(persons), lendings.c.borrower_id.in_(persons))
    ending = (
        sa.update(lendings)
        .where(
            lendings.c.tenant_id == work.tenant,
            lendings.c.begins_at.is_not(None),
            lendings.c.ended_at.is_(None),
            lendings.c.until > work.now,
            theirs,
        )
        .values(ended_at=work.now)
        .returning(lendings.c.id)
    )
    for lending_id in sorted((await work.connection.execute(ending)).scalars()):
        await audit.record(work, by, "lending.ended", lending_id, {"because": "left"})
