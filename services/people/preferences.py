"""Preferences: what a person wants of us. The one place that is asked before writing unasked."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from services import audit
from services.store.schema import people
from services.work import Work

CHAT = "chat"  # they typed it; else it is audit.WHATSAPP, whose own switch they used


async def may_write_unasked(work: Work, person_id: UUID) -> bool:
    """Whether the shop may write to this person without having been written to."""
    return await work.connection.scalar(sa.select(people.c.stopped_at).where(*_one(work, person_id))) is None


async def stop(work: Work, person_id: UUID, by: str) -> None:
    """From now on nothing unasked, except what is about their own money. The first time is kept."""
    if await _set(work, person_id, people.c.stopped_at.is_(None), work.now, by):
        await audit.record(work, person_id, "unasked.stopped", person_id, {"by": by})


async def start(work: Work, person_id: UUID, by: str) -> bool:
    """They want it again; False where they never said otherwise."""
    stopped = await _set(work, person_id, people.c.stopped_at.is_not(None), None, None)
    if stopped:
        await audit.record(work, person_id, "unasked.started", person_id, {"by": by})
    return stopped


async def _set(
    work: Work, person_id: UUID, where: sa.ColumnElement[bool], at: datetime | None, by: str | None
) -> bool:
    changing = (
        sa.update(people)
        .where(*_one(work, person_id), where)
        .values(stopped_at=at, stopped_by=by)
        .returning(people.c.id)
    )
    return (await work.connection.execute(changing)).first() is not None


def _one(work: Work, person_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return people.c.tenant_id == work.tenant, people.c.id == person_id
