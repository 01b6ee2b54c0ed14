"""Stop: a person stops all payouts of a tenant at once. Nothing is lost: what is approved waits.

Stopping takes one person, since every minute may count. To start again takes two from inside (a change of
its own kind, see `services/settings/resume.py`), or the operator. A stop of ours because of a provider
(`freeze`) is another thing: neither lifts the other.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox, jobs
from services.facts import Stopped
from services.news.settings import StoppedByPerson
from services.people import people
from services.people.access import APPROVE, INITIATE, RECONCILE
from services.store.schema import tenants
from services.work import Work


async def stop(work: Work, person: UUID | None) -> bool:
    """`person` None: the operator, whose stop takes the place of one from inside. False where nothing
    changes. Raises MissingScope."""
    if person is not None and person not in await people.owners(work):
        await people.require(work, person, RECONCILE)
    before = {"stopped": False}
    if not await _stopped(work, person, tenants.c.stopped_at.is_(None)):
        # What one of the staff has stopped two of them may lift; what the operator has, they may not.
        if person is not None or not await _stopped(work, None, tenants.c.stopped_by.is_not(None)):
            return False
        before = {"stopped": True}
    after, by = {"stopped": True}, person or audit.OPERATOR
    action = "payouts.stopped"
    await audit.record(work, by, action, work.tenant, {}, before=before, after=after, alert=True)
    await _tell(work, StoppedByPerson(by=await people.name_of(work, person), stopped=True), person)
    return True


async def _stopped(work: Work, person: UUID | None, where: sa.ColumnElement[bool]) -> bool:
    statement = (
        sa.update(tenants)
        .where(tenants.c.id == work.tenant, where)
        .values(stopped_at=work.now, stopped_by=person, version=tenants.c.version + 1)
        .returning(tenants.c.id)
    )
    return (await work.connection.execute(statement)).first() is not None


async def start_again(work: Work, by: str | None = None) -> bool:
    """What waits is due now. `by`: the operator, where it was no change of the staff's that led here. False
    where nothing was stopped."""
    statement = (
        sa.update(tenants)
        .where(tenants.c.id == work.tenant, tenants.c.stopped_at.is_not(None))
        .values(stopped_at=None, stopped_by=None, version=tenants.c.version + 1)
        .returning(tenants.c.id)
    )
    if (await work.connection.execute(statement)).first() is None:
        return False
    await jobs.hasten(work, "payout", "payout_check", "refund")
    if by is not None:
        before, after = {"stopped": True}, {"stopped": False}
        await audit.record(work, by, "payouts.started_again", work.tenant, {}, before=before, after=after)
    await _tell(work, StoppedByPerson(by=None, stopped=False), None)
    return True


async def described(work: Work, tenant: sa.Row[Any]) -> Stopped | None:
    """Who stopped them and when; None where nobody has."""
    if tenant.stopped_at is None:
        return None
    return Stopped(by=await people.name_of(work, tenant.stopped_by), at=tenant.stopped_at)


async def _tell(work: Work, news: StoppedByPerson, but: UUID | None) -> None:
    """Everybody whom it concerns: who asks, approves and reconciles; owners are among them."""
    active = await people.active_staff(work)
    concerned = {one for one, scopes in active.items() if scopes & {INITIATE, APPROVE, RECONCILE}}
    await inbox.tell_people(work, concerned - {but}, news)
