"""Deciding: others approve or reject a schedule; any owner stops it, lets it go on, or ends it, at once."""

from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from services import approval, audit, inbox, jobs
from services.errors import FourEyesViolation, MissingScope, NotPending
from services.news.schedules import Schedule, ScheduleSelfApprovalTried
from services.people import people
from services.people.access import INITIATE
from services.schedules.asking import EXPIRES, RUNS
from services.schedules.record import SCHEDULE, facts, locked, move, moved, rule_of, shown
from services.withdrawals import limits
from services.work import Work


async def approve(
    work: Work, approver: UUID, schedule_id: UUID, shown_digest: str, code: str | None = None
) -> Schedule:
    """Exactly what was shown, once for all its runs. Raises what `approval.may_approve` raises; a tried
    self-approval is recorded and a wrong code counted, so the transaction must still be committed."""
    row = await locked(work, schedule_id)
    tenant = await people.tenant_of(work)
    try:
        operation = await approval.may_approve(
            work,
            SCHEDULE,
            approver,
            schedule_id,
            shown_digest,
            facts(work, row),
            code=code,
            step_up=limits.takes_step_up(tenant, row.most),
            guessed=partial(_end, work, schedule_id, "pending", "canceled", None),
        )
    except FourEyesViolation:
        news = ScheduleSelfApprovalTried(schedule=await shown(work, schedule_id))
        await inbox.tell_people(work, await people.owners(work), news)
        raise
    if not await approval.add(work, SCHEDULE, approver, operation, {"most": row.most}):
        return await shown(work, schedule_id)
    await jobs.finish(work, schedule_id, EXPIRES)
    await _begin(work, row, "pending", tenant.timezone)
    return await moved(work, schedule_id, approver)


async def reject(work: Work, approver: UUID, schedule_id: UUID, reason: str) -> Schedule:
    """Raises MissingScope, NotFound, NotPending, BlankReason."""
    await locked(work, schedule_id)
    await approval.reject(work, SCHEDULE, approver, schedule_id, reason)
    return await _end(work, schedule_id, "pending", "rejected", approver, reason)


async def stop(work: Work, person: UUID, schedule_id: UUID) -> Schedule:
    """Nothing comes until somebody lets it go on. Raises MissingScope, NotFound, NotPending."""
    row = await _owned(work, person, schedule_id)
    if not await move(work, schedule_id, "active", "stopped", next_at=None):
        raise NotPending(row.state)
    await jobs.finish(work, schedule_id, RUNS)
    await audit.record(work, person, "schedule.stopped", schedule_id, {})
    return await moved(work, schedule_id, person)


async def resume(work: Work, person: UUID, schedule_id: UUID) -> Schedule:
    """From now on: what would have come in the meantime does not. Raises as `stop` does."""
    row = await _owned(work, person, schedule_id)
    if row.state != "stopped":
        raise NotPending(row.state)
    await _begin(work, row, "stopped", (await people.tenant_of(work)).timezone)
    await audit.record(work, person, "schedule.resumed", schedule_id, {})
    return await moved(work, schedule_id, person)


async def cancel(work: Work, person: UUID, schedule_id: UUID) -> Schedule:
    """For ever: its maker while it waits for approval, any owner at any time. Raises as `stop` does."""
    row = await locked(work, schedule_id)
    if row.state == "pending":
        await approval.cancel(work, SCHEDULE, person, schedule_id)
        return await _end(work, schedule_id, "pending", "canceled", person)
    await _owned(work, person, schedule_id)
    if row.state not in ("active", "stopped", "resting"):
        raise NotPending(row.state)
    await audit.record(work, person, "schedule.canceled", schedule_id, {})
    return await _end(work, schedule_id, row.state, "canceled", person)


async def expire(work: Work, schedule_id: UUID) -> None:
    """Nobody approved it in time; nothing where somebody decided."""
    row = await locked(work, schedule_id)
    if await approval.expire(work, SCHEDULE, schedule_id):
        await _end(work, schedule_id, "pending", "expired", None)
    elif row.state != "pending":
        await jobs.finish(work, schedule_id, EXPIRES)


async def _owned(work: Work, person: UUID, schedule_id: UUID) -> sa.Row[Any]:
    row = await locked(work, schedule_id)
    if person not in await people.owners(work):
        raise MissingScope(INITIATE)
    return row


async def _begin(work: Work, row: sa.Row[Any], before: str, timezone: str) -> None:
    day, at = rule_of(row).after(work.now, ZoneInfo(timezone))
    if day > row.last_day:
        await move(work, row.id, before, "ended", ended_at=work.now)
        return
    await move(work, row.id, before, "active", next_at=at)
    await jobs.schedule(work, RUNS, row.id, at)


async def _end(
    work: Work, schedule_id: UUID, before: str, state: str, by: UUID | None, reason: str | None = None
) -> Schedule:
    await jobs.finish(work, schedule_id, EXPIRES, RUNS)
    await move(work, schedule_id, before, state, next_at=None, ended_at=work.now)
    return await moved(work, schedule_id, by, reason)
