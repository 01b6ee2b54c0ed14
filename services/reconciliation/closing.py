"""Closing: a person says why a break needs nothing more, of what others have asked for and approved. No money
is moved by it."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit
from services.errors import NotFound
from services.errors.reconciliation import NotOpen, OwnBreak, StillLate
from services.people import people
from services.people.access import RECONCILE
from services.phones import without_numbers
from services.readable import refuse_blank
from services.reconciliation.compare import LATE
from services.reconciliation.facts import State, Type
from services.reconciliation.involved import involved
from services.reconciliation.record import shown
from services.reconciliation.seen import Seen
from services.store.schema import breaks
from services.work import Work

MOST_REASON = 500


async def close(work: Work, person: UUID, break_id: UUID, reason: str) -> Seen:
    """Raises MissingScope, BlankReason, NotFound, NotOpen, StillLate; OwnBreak for who has asked for or
    approved what it is about."""
    await people.require(work, person, RECONCILE)
    refuse_blank(reason)
    row = await _open(work, break_id)
    await _refuse_own(work, person, row)
    return await _close(work, row, person, reason)


async def close_as_operator(work: Work, break_id: UUID, reason: str) -> Seen:
    """Where nobody of the business is left who may: with nobody's name.

    Raises BlankReason, NotFound, NotOpen, StillLate.
    """
    refuse_blank(reason)
    return await _close(work, await _open(work, break_id), None, reason)


async def _open(work: Work, break_id: UUID) -> sa.Row[Any]:
    """Its row, locked."""
    query = sa.select(breaks).where(breaks.c.tenant_id == work.tenant, breaks.c.id == break_id)
    row = (await work.connection.execute(query.with_for_update())).first()
    if row is None:
        raise NotFound("break")
    if row.state != State.OPEN:
        raise NotOpen(row.state)
    if row.type == Type.LATE:
        raise StillLate(row.at + LATE)
    return row


async def _refuse_own(work: Work, person: UUID, row: sa.Row[Any]) -> None:
    concerned = await involved(work, row)
    if person not in concerned:
        return
    others = await people.reconcilers(work) - concerned
    names = await people.names_of(work, others)
    raise OwnBreak(tuple(sorted(names[each] for each in others)))


async def _close(work: Work, row: sa.Row[Any], person: UUID | None, reason: str) -> Seen:
    kept = without_numbers(reason)[:MOST_REASON]
    await work.connection.execute(
        sa.update(breaks)
        .where(breaks.c.tenant_id == work.tenant, breaks.c.id == row.id)
        .values(state=State.CLOSED, closed_at=work.now, closed_by=person, reason=kept)
    )
    seen = await shown(work, row.id)
    facts = {
        "provider": row.provider,
        "type": row.type,
        "amount": str(seen.amount),
        "receipt": row.receipt,
        "reason": kept,
    }
    await audit.record(work, person or audit.OPERATOR, "break.closed", row.id, facts)
    return seen
