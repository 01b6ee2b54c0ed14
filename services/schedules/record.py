"""Record: a schedule's row, what an approval approves of it, how it is shown, and who hears of it."""

import hashlib
from collections import defaultdict
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import approval, inbox
from services.errors import NotFound
from services.facts import Destination
from services.money import Money
from services.news import News
from services.news.schedules import Run, Schedule, ScheduleMoved
from services.people import people
from services.people.access import APPROVE, INITIATE
from services.schedules.calendar import Rule
from services.store.schema import operations, schedule_runs, schedules
from services.transitions import transition
from services.withdrawals import destinations
from services.work import Work, canonical

# Whoever borrowed the right to approve gives it back within two weeks; a schedule goes on for longer.
SCHEDULE = approval.Kind("schedule", ask=INITIATE, approve=APPROVE, lendable=False)
COLUMN = "schedules.details"
STANDING = ("pending", "active", "stopped")
_OF_ROW = ("name", "every", "hour", "keep", "most", "currency", "method_type", "configured")
_RUNS = 5


def facts(work: Work, row: Any) -> dict[str, Any]:
    """Everything that decides how much goes where, and when."""
    sealed = work.open(row.details_sealed, COLUMN, row.id)
    told = {name: getattr(row, name) for name in _OF_ROW} | {"days": list(row.days)}
    where = hashlib.sha256(canonical(sealed).encode()).hexdigest()
    return told | {"last_day": row.last_day.isoformat(), "destination": where}


def destination_of(work: Work, row: Any) -> Destination:
    details = work.open(row.details_sealed, COLUMN, row.id)["details"]
    return destinations.of(row.method_type, details, configured=row.configured)


def rule_of(row: Any) -> Rule:
    return Rule(row.every, tuple(row.days), row.hour)


async def locked(work: Work, schedule_id: UUID) -> sa.Row[Any]:
    """The operation first, then the row. Raises NotFound."""
    await approval.locked(work, SCHEDULE, schedule_id)
    mine = (schedules.c.tenant_id == work.tenant, schedules.c.id == schedule_id)
    query = sa.select(schedules).where(*mine).with_for_update(key_share=True)
    return (await work.connection.execute(query)).one()


async def move(work: Work, schedule_id: UUID, before: str, state: str, **values: Any) -> bool:
    """False where it stood in another state."""
    return await transition(work, schedules.c.state, schedule_id, (before,), {"state": state, **values})


async def shown(work: Work, schedule_id: UUID) -> Schedule:
    """Raises NotFound."""
    for found in await read(work, schedules.c.id == schedule_id):
        return found
    raise NotFound("schedule")


async def read(work: Work, *where: sa.ColumnElement[bool]) -> list[Schedule]:
    """The latest first."""
    mine = sa.and_(operations.c.tenant_id == schedules.c.tenant_id, operations.c.id == schedules.c.id)
    query = (
        sa.select(schedules, operations.c.digest, operations.c.expires_at, operations.c.approvals_needed)
        .join(operations, mine)
        .where(schedules.c.tenant_id == work.tenant, *where)
        .order_by(schedules.c.created_at.desc(), schedules.c.id.desc())
    )
    rows = (await work.connection.execute(query)).all()
    names = await people.names_of(work, {row.maker_id for row in rows})
    runs = await _runs(work, [row.id for row in rows])
    return [_shown(row, names.get(row.maker_id) or "", tuple(runs[row.id][:_RUNS])) for row in rows]


async def tell(work: Work, news: News, maker: UUID, by: UUID | None) -> None:
    """The owners, the maker and the approvers. Who has done it in chat has the answer on the screen."""
    known = by if work.via.channel != "api" else None
    concerned = await people.owners(work) | await people.with_scope(work, APPROVE) | {maker}
    await inbox.tell_people(work, concerned - {known}, news)


async def moved(work: Work, schedule_id: UUID, by: UUID | None = None, reason: str | None = None) -> Schedule:
    """As it is now; those whom it concerns are told."""
    schedule = await shown(work, schedule_id)
    news = ScheduleMoved(schedule=schedule, by=await people.name_of(work, by), reason=reason)
    await tell(work, news, schedule.maker_id, by)
    return schedule


async def _runs(work: Work, ids: list[UUID]) -> dict[UUID, list[Run]]:
    table = schedule_runs.c
    query = (
        sa.select(schedule_runs)
        .where(table.tenant_id == work.tenant, table.schedule_id.in_(ids))
        .order_by(table.day.desc())
    )
    found: dict[UUID, list[Run]] = defaultdict(list)
    for row in await work.connection.execute(query):
        run = Run(day=row.day, outcome=row.outcome, because=row.because, withdrawal_id=row.withdrawal_id)
        found[row.schedule_id].append(run)
    return found


def _shown(row: sa.Row[Any], maker: str, runs: tuple[Run, ...]) -> Schedule:
    keys = ("id", "name", "every", "hour", "last_day", "method_type", "destination", "maker_id", "state")
    more = ("because", "digest", "created_at", "expires_at", "next_at")
    return Schedule(
        days=tuple(row.days),
        keep=Money(row.keep, row.currency),
        most=Money(row.most, row.currency),
        maker=maker,
        needed=row.approvals_needed,
        runs=runs,
        **{key: getattr(row, key) for key in (*keys, *more)},
    )
