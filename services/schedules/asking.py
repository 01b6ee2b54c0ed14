"""Asking: one of the staff wants withdrawals to come by themselves; others approve it once."""

import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from services import approval, audit, fees, jobs, ledger
from services.errors import NotFound
from services.errors.schedules import InvalidSchedule
from services.facts import Destination
from services.money import Money
from services.news.schedules import Schedule, ScheduleAsked
from services.people import people
from services.people.access import INITIATE
from services.phones import without_numbers
from services.schedules.calendar import Rule
from services.schedules.record import COLUMN, SCHEDULE, STANDING, facts, shown, tell
from services.store.schema import schedules
from services.withdrawals import destinations, limits
from services.work import Work

EXPIRES, RUNS = "schedule_expire", "schedule_run"
_ASKED_FOR = timedelta(hours=72)
_LONGEST = timedelta(days=366)
_MOST_NAME, _MOST_STANDING = 40, 20
_DAYS = {"day": range(0), "week": range(1, 8), "month": range(1, 32)}
_LAST_HOUR = 23


@dataclass(frozen=True)
class Wanted:
    """`keep` stays in the wallet; of what is above it at most `most` goes each time, until `last_day`."""

    name: str
    rule: Rule
    keep: Money
    most: Money
    last_day: date
    destination: Destination


async def ask(work: Work, maker: UUID, schedule_id: UUID, wanted: Wanted) -> Schedule:
    """The same id again returns the same schedule. Raises MissingScope, InvalidSchedule, and what
    its rail refuses of the most."""
    await people.require(work, maker, INITIATE)
    tenant = await people.tenant_of(work)
    name = _checked(work, tenant, wanted)
    # With the wallet locked, nobody asks between the sums read here and the schedule written here.
    await ledger.lock_wallet(work, tenant.currency)
    known = sa.select(schedules.c.maker_id).where(
        schedules.c.tenant_id == work.tenant, schedules.c.id == schedule_id
    )
    before = await work.connection.scalar(known)
    if before is not None and before != maker:
        raise NotFound("schedule")
    if before is not None:
        return await shown(work, schedule_id)
    await fees.quote(work, wanted.most, wanted.destination.method_type)
    row = await _row(work, maker, schedule_id, wanted, name)
    # What stands already may come up in the same 24 hours: many small ones take what a large one would.
    policy = await limits.policy(work, tenant, wanted.most + await _standing(work, tenant.currency))
    expires_at = work.now + _ASKED_FOR
    digest = await approval.ask(
        work,
        SCHEDULE,
        schedule_id,
        maker,
        facts(work, SimpleNamespace(**row)),
        needed=policy.approvals,
        expires_at=expires_at,
        step_up=policy.step_up,
    )
    await work.connection.execute(sa.insert(schedules).values(row))
    await jobs.schedule(work, EXPIRES, schedule_id, expires_at)
    told = {"name": name, "most": str(wanted.most), "digest": digest}
    await audit.record(work, maker, "schedule.asked", schedule_id, told)
    schedule = await shown(work, schedule_id)
    await tell(work, ScheduleAsked(schedule=schedule), maker, maker)
    return schedule


def _checked(work: Work, tenant: sa.Row[Any], wanted: Wanted) -> str:
    """The name as it is kept. Raises InvalidSchedule."""
    rule = wanted.rule
    name = without_numbers(" ".join(wanted.name.split()))
    today = work.now.astimezone(ZoneInfo(tenant.timezone)).date()
    allowed = _DAYS.get(rule.every)
    if not name or len(name) > _MOST_NAME or not name.isprintable():
        raise InvalidSchedule("name", f"has 1 to {_MOST_NAME} letters, on one line")
    if allowed is None:
        raise InvalidSchedule("every", "is day, week or month")
    if len(set(rule.days)) != len(rule.days) or any(day not in allowed for day in rule.days):
        raise InvalidSchedule("days", "are 1 to 7 of a week or 1 to 31 of a month, each once")
    if (not rule.days) != (rule.every == "day"):
        raise InvalidSchedule("days", "are named for a week or a month, and not for every day")
    if not 0 <= rule.hour <= _LAST_HOUR:
        raise InvalidSchedule("hour", "is 0 to 23")
    if wanted.keep.minor < 0:
        raise InvalidSchedule("keep", "is not below zero")
    if not today < wanted.last_day <= today + _LONGEST:
        raise InvalidSchedule("until", "is after today, and within a year")
    return name


async def _standing(work: Work, currency: str) -> Money:
    """The most of all that stand. Raises InvalidSchedule where there are too many."""
    table = schedules.c
    query = sa.select(table.most).where(
        table.tenant_id == work.tenant, table.currency == currency, table.state.in_(STANDING)
    )
    most = (await work.connection.execute(query)).scalars().all()
    if len(most) >= _MOST_STANDING:
        raise InvalidSchedule("schedules", f"are {_MOST_STANDING} at most: cancel one first")
    return Money(sum(most), currency)


async def _row(work: Work, maker: UUID, schedule_id: UUID, wanted: Wanted, name: str) -> dict[str, Any]:
    to, configured = wanted.destination, await destinations.configured_one(work)
    sealed = {"details": dict(to.details), "salt": secrets.token_hex(16)}
    return {
        "tenant_id": work.tenant,
        "id": schedule_id,
        "maker_id": maker,
        "name": name,
        "every": wanted.rule.every,
        "days": sorted(wanted.rule.days),
        "hour": wanted.rule.hour,
        "keep": wanted.keep.minor,
        "most": wanted.most.minor,
        "currency": wanted.most.currency,
        "last_day": wanted.last_day,
        "method_type": to.method_type,
        "details_sealed": work.seal(sealed, COLUMN, schedule_id),
        "destination": to.label,
        "configured": configured is not None and destinations.same(configured, to),
        "state": "pending",
        "created_at": work.now,
    }
