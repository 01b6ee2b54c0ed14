"""Changing: a change is asked for, approved, rejected, taken back, and takes effect.

pending -> cooling (approved; waits a day) -> done, or at once done where it only makes things safer. Whatever
no longer holds when it would take effect is void: an approver or the maker who may no longer do so, a setting
that was changed in between, too few people left.
"""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import approval, audit, jobs
from services.errors import InvalidMethodDetails, MissingScope, NotPending
from services.errors.settings import ChangesNothing, InvalidChange, LeavesNoTwo, OwnRights
from services.news.settings import Change, ChangeAsked
from services.people import people
from services.settings import policy, staffing
from services.settings.kinds import SETTINGS, Facts, Setting
from services.settings.record import COLUMN, facts_of, hashed, locked, move, moved, shown, tell
from services.store.schema import changes, tenants
from services.work import Work

COOL_DOWN = timedelta(hours=24)
_ASKED_FOR = timedelta(hours=24)
_FOR_APPROVAL, _FOR_EFFECT = "change_expire", "change_due"


async def ask(work: Work, maker: UUID, change_id: UUID, kind: str, wanted: Facts) -> Change:
    """Raises MissingScope, InvalidChange, InvalidMethodDetails, ChangesNothing, LeavesNoTwo."""
    setting = SETTINGS.get(kind)
    if setting is None:
        raise InvalidChange("kind", f"is one of {', '.join(SETTINGS)}")
    await people.require(work, maker, setting.kind.ask)
    after = await setting.checked(work, wanted)
    now = await setting.now(work, after)
    if _same(now, after):
        raise ChangesNothing
    await _try(work, setting, after)
    facts = {"after": after, "upon": hashed(now)}
    expires_at = work.now + _ASKED_FOR
    takes = await policy.policy(work, setting, maker, after)
    needed, step_up = takes.approvals, takes.step_up
    await approval.ask(
        work, setting.kind, change_id, maker, facts, needed=needed, expires_at=expires_at, step_up=step_up
    )
    row = {
        "tenant_id": work.tenant,
        "id": change_id,
        "kind": kind,
        "facts_sealed": work.seal(facts, COLUMN, change_id),
        "before": setting.masked(now),
        "after": setting.masked(after),
        "keys": setting.keys(after),
        "cools": not setting.safer(now, after),
        "state": "pending",
        "created_at": work.now,
    }
    await work.connection.execute(sa.insert(changes).values(row))
    await jobs.schedule(work, _FOR_APPROVAL, change_id, expires_at)
    told = {"kind": kind, "cools": row["cools"], "approvals": needed, "step_up": step_up}
    action = f"{setting.kind.name}.asked"
    before, masked = setting.masked(now), setting.masked(after)
    await audit.record(
        work, maker, action, change_id, told, before=before, after=masked, alert=setting.alerts
    )
    change = await shown(work, change_id)
    await tell(work, ChangeAsked(change=change), maker, maker)
    return change


async def approve(
    work: Work, approver: UUID, change_id: UUID, shown_digest: str, code: str | None = None
) -> Change:
    """Nobody approves what gives rights to themselves, nor by a right of who gains them. Raises what
    `approval.may_approve` raises."""
    await _lock_tenant(work)
    row, setting = await locked(work, change_id)
    facts = facts_of(work, row)

    async def unless() -> None:
        gains = staffing.whose(facts["after"]) if row.kind == "staff" and row.cools else None
        if gains is None:
            return
        if gains in (approver, await approval.whose_right(work, setting.kind, change_id, approver)):
            tried = {"maker": str(row.maker_id), "for": str(gains)}
            action = f"{setting.kind.name}.self_approval"
            await audit.record(work, approver, action, change_id, tried, alert=True)
            raise OwnRights

    operation = await approval.may_approve(
        work,
        setting.kind,
        approver,
        change_id,
        shown_digest,
        facts,
        code=code,
        step_up=await policy.takes_code(work, setting),
        guessed=partial(_guessed, work, change_id),
        unless=unless,
    )
    known = (await shown(work, change_id)).approved_by
    if not await approval.add(work, setting.kind, approver, operation, {"after": row.after}):
        again = approver in known
        return await (shown(work, change_id) if again else moved(work, change_id, approver))
    await jobs.finish(work, change_id, _FOR_APPROVAL)
    due_at = work.now + COOL_DOWN if row.cools else work.now
    await move(work, change_id, "pending", "cooling", due_at=due_at)
    if not row.cools:
        return await _take_effect(work, change_id, approver)
    await jobs.schedule(work, _FOR_EFFECT, change_id, due_at)
    return await moved(work, change_id, approver)


async def _guessed(work: Work, change_id: UUID) -> None:
    await move(work, change_id, "pending", "void", because="guessed", ended_at=work.now)
    await moved(work, change_id)


async def reject(work: Work, approver: UUID, change_id: UUID, reason: str) -> Change:
    """Raises MissingScope, NotFound, NotPending, BlankReason."""
    _, setting = await locked(work, change_id)
    await approval.reject(work, setting.kind, approver, change_id, reason)
    return await _end(work, change_id, "rejected", approver, reason)


async def take_back(work: Work, person: UUID, change_id: UUID, reason: str | None = None) -> Change:
    """The maker, or any owner, until it has taken effect. Raises MissingScope, NotFound, NotPending."""
    row, setting = await locked(work, change_id)
    active = await people.active_staff(work)
    if person not in await people.owners(work) and (person != row.maker_id or person not in active):
        raise MissingScope(setting.kind.ask)
    if row.state == "pending":
        await approval.cancel(work, setting.kind, person, change_id, reason)
        return await _end(work, change_id, "canceled", person, reason)
    if row.state != "cooling":
        raise NotPending(row.state, None, row.ended_at)
    facts = {"after": row.after}
    await audit.record(work, person, f"{setting.kind.name}.taken_back", change_id, facts)
    return await _end(work, change_id, "taken_back", person, reason)


async def expire(work: Work, change_id: UUID) -> None:
    """Nobody approved it in time; nothing where somebody decided."""
    _, setting = await locked(work, change_id)
    if await approval.expire(work, setting.kind, change_id):
        await _end(work, change_id, "expired", None)
    await jobs.finish(work, change_id, _FOR_APPROVAL)


async def take_effect(work: Work, change_id: UUID) -> None:
    """The day is over; nothing where it was taken back."""
    await _lock_tenant(work)
    row, _ = await locked(work, change_id)
    if row.state == "cooling" and row.due_at <= work.now:
        await _take_effect(work, change_id, None)
    elif row.state != "cooling":
        await jobs.finish(work, change_id, _FOR_EFFECT)


async def _lock_tenant(work: Work) -> None:
    """Of two changes the second finds the first. Before all that is open, as the operator's file does."""
    tenant = sa.select(tenants.c.id).where(tenants.c.id == work.tenant).with_for_update()
    await work.connection.execute(tenant)


async def _take_effect(work: Work, change_id: UUID, by: UUID | None) -> Change:
    """Everything that was approved is checked once more."""
    await jobs.finish(work, change_id, _FOR_EFFECT)
    row, setting = await locked(work, change_id)
    facts = facts_of(work, row)
    because = await _doubt(work, row, setting, facts)
    if because is None:
        because = await _put(work, setting, facts["after"])
    state, action = ("void", "voided") if because else ("done", "done")
    await move(work, change_id, "cooling", state, because=because, ended_at=work.now)
    told = {"because": because} if because else {}
    actor, what = by or audit.CLOCK, f"{setting.kind.name}.{action}"
    alert = setting.alerts and because is None
    await audit.record(work, actor, what, change_id, told, before=row.before, after=row.after, alert=alert)
    return await moved(work, change_id, by)


async def _doubt(work: Work, row: Any, setting: Setting, facts: Facts) -> str | None:
    if not await approval.stands(work, setting.kind, row.id, facts):
        return "approver"
    operation = await approval.locked(work, setting.kind, row.id)
    takes = await policy.policy(work, setting, row.maker_id, facts["after"])  # by now
    if len(await approval.approvers(work, setting.kind, operation)) < takes.approvals:
        return "approver"
    if setting.kind.ask not in (await people.active_staff(work)).get(row.maker_id, frozenset()):
        return "maker"
    try:
        now = await setting.now(work, facts["after"])
    except InvalidChange:
        return "changed"
    return None if hashed(now) == facts["upon"] else "changed"


async def _put(work: Work, setting: Setting, after: Facts) -> str | None:
    """Why not, where it is no longer possible; then nothing was written."""
    version = sa.update(tenants).where(tenants.c.id == work.tenant).values(version=tenants.c.version + 1)
    try:
        async with work.connection.begin_nested():
            await setting.put(work, after)
            await work.connection.execute(version)
    except LeavesNoTwo:
        return "two_people"
    except (InvalidChange, InvalidMethodDetails):
        return "changed"
    return None


async def _try(work: Work, setting: Setting, after: Facts) -> None:
    """What would leave too few people is refused when it is asked for. Raises LeavesNoTwo."""
    if setting.kind.name in ("change_limits", "change_staff"):
        attempt = await work.connection.begin_nested()
        try:
            await setting.put(work, after)
        finally:
            await attempt.rollback()


def _same(now: Facts, after: Facts) -> bool:
    """Nothing of it would be another one. What is only said to find it does not count."""
    if "action" in after:
        return after["action"] == "set" and all(now[key] == after[key] for key in ("role", "scopes"))
    return now == after


async def _end(work: Work, change_id: UUID, state: str, by: UUID | None, reason: str | None = None) -> Change:
    await jobs.finish(work, change_id, _FOR_APPROVAL, _FOR_EFFECT)
    for before in ("pending", "cooling"):
        await move(work, change_id, before, state, ended_at=work.now)
    return await moved(work, change_id, by, reason)
