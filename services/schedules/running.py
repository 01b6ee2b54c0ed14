"""Running: a schedule comes up: it asks for one withdrawal of what is there, which its approvers have
approved already, and which goes the way of every other.

One run a day is the most, whoever runs it: the day is in the key. What was missed while nobody ran comes
once. What cannot be paid is skipped, and not made up for.
"""

from collections.abc import Collection
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from services import approval, audit, fees, jobs, ledger, webhooks
from services.errors import BelowMinimum, OverLimit, Refusal
from services.facts import Destination, Quote
from services.ids import new_id
from services.money import PLACES, Money
from services.news.schedules import ScheduleRan
from services.people import people
from services.people.access import INITIATE
from services.points import point
from services.rails import RAILS
from services.schedules.asking import RUNS
from services.schedules.earlier import over
from services.schedules.record import (
    SCHEDULE,
    destination_of,
    facts,
    locked,
    move,
    moved,
    rule_of,
    shown,
    tell,
)
from services.store.schema import schedule_runs, withdrawals
from services.withdrawals import destinations, limits, low_balance, request, unusual
from services.withdrawals.attempt import ready
from services.withdrawals.decide import refuse_now
from services.withdrawals.record import WITHDRAWAL, advance, note
from services.withdrawals.record import facts as facts_of_withdrawal
from services.withdrawals.record import locked as locked_withdrawal
from services.withdrawals.record import shown as shown_withdrawal
from services.work import Work

_SKIPPED = {  # refusals that skip a run, in our words
    "payouts_frozen": "stopped",
    "payouts_blocked": "blocked",
    "money_owed": "owed",
    "over_limit": "limit",
    "below_minimum": "nothing",
    "provider_not_configured": "closed",
}


async def run(work: Work, schedule_id: UUID) -> None:
    """Its time has come; nothing where it was stopped, or somebody has run it."""
    row = await locked(work, schedule_id)
    if row.state != "active" or row.next_at is None:
        await jobs.finish(work, schedule_id, RUNS)
        return
    if row.next_at > work.now:
        await jobs.schedule(work, RUNS, schedule_id, row.next_at)
        return
    tenant = await people.tenant_of(work)
    zone, rule = ZoneInfo(tenant.timezone), rule_of(row)
    day, _ = rule.before(work.now, zone)
    if day <= row.last_day and await _first_of(work, row, day):
        point("schedule.day")
        await _run(work, tenant, row, day)
    following, at = rule.after(work.now, zone)
    if following <= row.last_day:
        if await move(work, schedule_id, "active", "active", next_at=at):
            await jobs.schedule(work, RUNS, schedule_id, at)
            point("schedule.moved")
        return
    if await move(work, schedule_id, "active", "ended", next_at=None, ended_at=work.now):
        await jobs.finish(work, schedule_id, RUNS)
        await audit.record(work, audit.CLOCK, "schedule.ended", schedule_id, {})
        await moved(work, schedule_id)


async def _first_of(work: Work, row: sa.Row[Any], day: Any) -> bool:
    values = {"tenant_id": work.tenant, "schedule_id": row.id, "day": day, "at": work.now}
    statement = work.insert(schedule_runs).values(**values, outcome="skipped").on_conflict_do_nothing()
    found = await work.connection.execute(statement.returning(schedule_runs.c.day))
    return found.first() is not None


async def _run(work: Work, tenant: sa.Row[Any], row: sa.Row[Any], day: Any) -> None:
    to = destination_of(work, row)
    if (because := await _doubt(work, row, to)) is not None:
        await _outcome(work, row, day, because=because)
        await _rest(work, row, because)
        return
    await ledger.lock_wallet(work, row.currency)
    try:
        await refuse_now(work, tenant, row.currency, row.method_type)
        but = await over(work, row.hour)
        quoted = await _amount(work, tenant, row, to, but)
        await limits.refuse_beyond(work, tenant, quoted.gross, but)
        await limits.refuse_beyond_for(work, tenant, quoted.gross, row.maker_id, to, but)
        because = await _too_strict(work, tenant, row, quoted, to, but)
    except Refusal as refusal:
        because = _SKIPPED.get(refusal.code)
        if because is None:
            raise
    if because is not None:
        await _skip(work, row, day, because)
        return
    withdrawal_id = await _make(work, tenant, row, quoted, to)
    point("schedule.made")
    await _outcome(work, row, day, outcome="made", withdrawal_id=withdrawal_id)
    told = {"day": day.isoformat(), "withdrawal": str(withdrawal_id), "amount": str(quoted.gross)}
    await audit.record(work, audit.CLOCK, "schedule.ran", row.id, told)
    withdrawal = await shown_withdrawal(work, withdrawal_id)
    news = ScheduleRan(schedule=await shown(work, row.id), withdrawal=withdrawal)
    await tell(work, news, row.maker_id, None)


async def _doubt(work: Work, row: sa.Row[Any], to: Destination) -> str | None:
    """Why it no longer stands."""
    if not await approval.stands(work, SCHEDULE, row.id, facts(work, row)):
        return "approver"
    if INITIATE not in (await people.active_staff(work)).get(row.maker_id, frozenset()):
        return "maker"
    now = await destinations.configured_one(work)
    if row.configured and (now is None or not destinations.same(now, to)):
        return "destination"
    return None


async def _amount(
    work: Work, tenant: sa.Row[Any], row: sa.Row[Any], to: Destination, but: Collection[UUID]
) -> Quote:
    """All above what is kept, as far as it may go. Raises BelowMinimum, OverLimit, ProviderNotConfigured."""
    available = (await ledger.balance(work, row.currency)).available
    left = [available.minor - row.keep, row.most, *await _left(work, tenant, row, to, but)]
    gross = min(left)
    if RAILS[row.method_type].whole:
        unit = 10 ** PLACES[row.currency]
        gross = gross // unit * unit
    if gross <= 0:
        limited = min(left[2:], default=gross + 1) <= 0 < left[0]
        nothing = Money(0, row.currency)
        raise OverLimit(nothing, nothing) if limited else BelowMinimum(nothing, nothing)
    return await fees.quote(work, Money(gross, row.currency), row.method_type)


async def _left(
    work: Work, tenant: sa.Row[Any], row: sa.Row[Any], to: Destination, but: Collection[UUID]
) -> list[int]:
    """What each limit of the tenant's leaves."""
    left = [] if tenant.per_withdrawal is None else [tenant.per_withdrawal]
    if tenant.per_day is not None:
        left.append(tenant.per_day - (await limits.all_of_a_day(work, row.currency, but=but))[0])
    if tenant.per_maker is not None:
        taken, _ = await limits.all_of_a_day(work, row.currency, row.maker_id, but)
        left.append(tenant.per_maker - taken)
    if tenant.per_destination is not None:
        left.append(tenant.per_destination - (await limits.to_one(work, row.currency, to, but))[0])
    return left


async def _too_strict(
    work: Work,
    tenant: sa.Row[Any],
    row: sa.Row[Any],
    quoted: Quote,
    to: Destination,
    but: Collection[UUID],
) -> str | None:
    """What was approved once is not enough for today: stricter rules, or a sum that takes more."""
    policy = await limits.policy(work, tenant, quoted.gross, but)
    operation = await approval.locked(work, SCHEDULE, row.id)
    given = await approval.approvers(work, SCHEDULE, operation)
    if policy.approvals > len(given) or (policy.step_up and not operation.step_up):
        return "approvals"
    until = row.created_at + timedelta(hours=tenant.new_destination_hours)
    return "new" if work.now < until and await destinations.is_new(work, to) else None


async def _make(work: Work, tenant: sa.Row[Any], row: sa.Row[Any], quoted: Quote, to: Destination) -> UUID:
    """A withdrawal like any other, approved by those who have approved the schedule."""
    withdrawal_id = new_id()
    made = await request.row_of(work, tenant, row.maker_id, withdrawal_id, quoted, to, None)
    await ledger.hold(work, withdrawal_id, quoted.gross)
    await low_balance.tell(work, quoted.gross)
    operation = await approval.locked(work, SCHEDULE, row.id)
    passed = {withdrawal_id: facts_of_withdrawal(SimpleNamespace(**made))}
    await approval.pass_on(work, operation, SCHEDULE, WITHDRAWAL, passed)
    await work.connection.execute(sa.insert(withdrawals).values(made))
    told = await _told(work, row, operation)
    await note(work, withdrawal_id, "pending", row.maker_id, told)
    withdrawal = await shown_withdrawal(work, withdrawal_id)
    known = request.facts_of(withdrawal) | {"schedule": str(row.id)}
    await audit.record(work, row.maker_id, "withdrawal.requested", withdrawal_id, known)
    await unusual.record(work, row.maker_id, withdrawal_id, withdrawal.flags)
    whole = await locked_withdrawal(work, withdrawal_id)
    webhooks.tell(work, "withdrawal.requested", withdrawal_id)
    await advance(work, whole, "pending", "processing", None, told)
    webhooks.tell(work, "withdrawal.approved", withdrawal_id)
    await jobs.schedule(work, "payout", await ready(work, whole, work.now), work.now)
    return withdrawal_id


async def _told(work: Work, row: sa.Row[Any], operation: sa.Row[Any]) -> str:
    names = await people.names_of(work, await approval.approvers(work, SCHEDULE, operation))
    return f"by the schedule {row.name}, approved by {' and '.join(sorted(filter(None, names.values())))}"


async def _skip(work: Work, row: sa.Row[Any], day: Any, because: str) -> None:
    """Told once: not again while it is skipped for the same reason."""
    before = (await shown(work, row.id)).runs[1:2]
    await _outcome(work, row, day, because=because)
    told = {"day": day.isoformat(), "because": because}
    await audit.record(work, audit.CLOCK, "schedule.skipped", row.id, told)
    if not (before and before[0].because == because):
        news = ScheduleRan(schedule=await shown(work, row.id), because=because)
        await tell(work, news, row.maker_id, None)


async def _rest(work: Work, row: sa.Row[Any], because: str) -> None:
    await jobs.finish(work, row.id, RUNS)
    await move(work, row.id, "active", "resting", because=because, next_at=None)
    await audit.record(work, audit.CLOCK, "schedule.rests", row.id, {"because": because}, alert=True)
    await moved(work, row.id)


async def _outcome(work: Work, row: sa.Row[Any], day: Any, **values: Any) -> None:
    table = schedule_runs.c
    mine = (table.tenant_id == work.tenant, table.schedule_id == row.id, table.day == day)
    await work.connection.execute(sa.update(schedule_runs).where(*mine).values(**values))
