"""Closing: a person says why a break needs nothing more. No money is moved by it."""

from uuid import UUID

import sqlalchemy as sa

from services import audit
from services.errors import NotFound
from services.errors.reconciliation import NotOpen, StillLate
from services.people import people
from services.people.access import RECONCILE
from services.phones import without_numbers
from services.readable import refuse_blank
from services.reconciliation.compare import LATE
from services.reconciliation.facts import State, Type
from services.reconciliation.record import shown
from services.reconciliation.seen import Seen
from services.store.schema import breaks
from services.work import Work

MOST_REASON = 500


async def close(work: Work, person: UUID, break_id: UUID, reason: str) -> Seen:
    """Raises MissingScope, BlankReason, NotFound, NotOpen, StillLate."""
    await people.require(work, person, RECONCILE)
    refuse_blank(reason)
    mine = (breaks.c.tenant_id == work.tenant, breaks.c.id == break_id)
    row = (await work.connection.execute(sa.select(breaks).where(*mine).with_for_update())).first()
    if row is None:
        raise NotFound("break")
    if row.state != State.OPEN:
        raise NotOpen(row.state)
    if row.type == Type.LATE:
        raise StillLate(row.at + LATE)
    kept = without_numbers(reason)[:MOST_REASON]
    await work.connection.execute(
        sa.update(breaks)
        .where(*mine)
        .values(state=State.CLOSED, closed_at=work.now, closed_by=person, reason=kept)
    )
    seen = await shown(work, break_id)
    facts = {
        "provider": row.provider,
        "type": row.type,
        "amount": str(seen.amount),
        "receipt": row.receipt,
        "reason": kept,
    }
    await audit.record(work, person, "break.closed", break_id, facts)
    return seen
