"""Queue doctor: what failed and waits for a person, and what waits although it should be done."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.doctor.finding import Finding, warning
from bot.parts import Parts
from bot.sending.held import is_dead
from services import breakers
from services.store.schema import NOBODY, inbox, is_open, jobs, outbox
from services.store.scope import AUDITOR

_LONG = timedelta(minutes=5)
_LATELY = timedelta(days=7)
_LOOK = "look: python main.py events list"
WORKER = "start a worker: python main.py work, or serve without --no-worker"


async def queues(parts: Parts) -> AsyncIterator[Finding]:
    now = parts.clock()
    async with parts.database.reading(AUDITOR) as connection:
        parked = await connection.scalar(_count(inbox, inbox.c.state == "parked")) or 0
        held = (await connection.execute(_held())).all()
        dead = await connection.scalar(_count(outbox, *is_dead(), outbox.c.created_at > now - _LATELY))
        late = {what: await connection.scalar(query) or 0 for what, query in _late(now).items()}
        rest = await breakers.counted(connection, now)
    if parked:
        yield warning(f"events that failed and are parked: {parked}", _LOOK)
    for many, purpose, why in held:
        what = f"messages ({purpose}) that wait until their person writes: {many}" + (
            f"; {why}" if why else ""
        )
        fix = f"{_LOOK} --state held; ask these people to write *menu*, or see docs/templates.md"
        yield warning(what, fix)
    if dead:
        yield warning(f"messages that did not arrive in the last seven days: {dead}", f"{_LOOK} --state dead")
    for what, many in late.items():
        if many:
            yield warning(f"{what} that have waited for more than five minutes: {many}", WORKER)
    for (provider, operation), accounts in rest.items():
        what = f"{provider} leaves calls unanswered ({operation}): {accounts} accounts rest"
        yield warning(what, "nothing is lost, and it is tried every ten seconds: see docs/operating.md")


def _count(table: sa.Table, *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(table).where(*where)


def _held() -> sa.Select[Any]:
    return (
        sa.select(sa.func.count(), outbox.c.purpose, sa.func.coalesce(outbox.c.error, "").label("why"))
        .where(outbox.c.state == "held")
        .group_by(outbox.c.purpose, outbox.c.error)
        .order_by(outbox.c.purpose, outbox.c.error)
    )


def _late(now: datetime) -> dict[str, sa.Select[Any]]:
    """Nobody has taken them for long: what is done just now is leased, and what failed is due later. What
    belongs to nobody is proven or done every night: the proofs say when it was."""
    since = now - _LONG
    free = sa.or_(jobs.c.leased_until.is_(None), jobs.c.leased_until <= since)
    return {
        "events": _count(
            inbox, inbox.c.state == "waiting", inbox.c.due_at < since, inbox.c.received_at < since
        ),
        "messages to be sent": _count(outbox, is_open(outbox), outbox.c.due_at < since),
        "provider calls and other jobs": _count(
            jobs, jobs.c.due_at < since, free, jobs.c.tenant_id != NOBODY
        ),
    }
