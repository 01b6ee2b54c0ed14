"""Webhook doctor: a tenant's own systems, and whether they take what they are told."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.doctor.finding import Finding, good, warning
from bot.doctor.queues import WORKER
from bot.parts import Parts
from services.people.tenants import Tenant
from services.webhooks import endpoints
from services.webhooks.standing import LATELY, Standing, standings
from services.work import CLI, Work

_IDLE, _LONG = timedelta(minutes=5), timedelta(hours=1)
_OFF = {"gone": "it answered that it is gone for good (410)", "failing": "it took nothing for three days"}


async def webhooks(parts: Parts, tenant: Tenant) -> AsyncIterator[Finding]:
    now = parts.clock()
    async with parts.database.reading(tenant.id) as connection:
        work = Work(connection, parts.vault, tenant.id, now, CLI)
        rows = await endpoints.listed(work)
        standing = await standings(work) if rows else {}
    for row in rows:
        name = f"webhooks to {endpoints.host(row.url)}"
        findings = list(_findings(tenant.slug, row, standing.get(row.id, Standing()), now))
        for finding in findings or [good(": all that it was told is taken")]:
            yield Finding(finding.level, name + finding.what, finding.fix)


def _findings(slug: str, row: sa.Row[Any], standing: Standing, now: datetime) -> Iterator[Finding]:
    """What is said of one endpoint, behind its name."""
    its = f"--tenant {slug} --endpoint {row.id}"
    look = f"look: python main.py webhooks deliveries {its}"
    if row.disabled_at is not None:
        yield _off(row, its)
        return
    waits = ""
    if standing.oldest is not None:
        waits = f"{standing.undelivered} wait, the oldest for {_long(now - standing.oldest)}"
    if row.failing_since is not None:
        what = f": nothing is taken since {_at(row.failing_since)}" + (f"; {waits}" if waits else "")
        yield warning(what, f"its system must answer 2xx within 15 seconds; {look}")
    elif standing.idle_since is not None and now - standing.idle_since > _IDLE:
        yield warning(f": {waits}, and nobody sends them", WORKER)
    elif standing.oldest is not None and now - standing.oldest > _LONG:
        yield warning(f": {waits}, though it takes others", look)
    if standing.given_up:
        what = f": {standing.given_up} were given up in the last seven days"
        yield warning(what, f"{look} --state dead; then run: {_replay(its, now - LATELY)}")


def _off(row: sa.Row[Any], its: str) -> Finding:
    if row.disabled_because == "staff":
        return good(f": its staff have switched them off, at {_at(row.disabled_at)}")
    what = f" are off since {_at(row.disabled_at)}: {_OFF[row.disabled_because]}"
    since = (row.failing_since or row.disabled_at) - timedelta(days=1)  # what was then being tried too
    enable = f"once it works, its staff enable it by the API (PUT /webhooks/endpoints/{row.id})"
    return warning(what, f"{enable}; then run: {_replay(its, since)}")


def _replay(its: str, since: datetime) -> str:
    return f"python main.py webhooks replay {its} --since {since:%Y-%m-%dT%H:%M}"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _long(age: timedelta) -> str:
    minutes = int(age.total_seconds()) // 60
    hours, days = minutes // 60, minutes // (24 * 60)
    return f"{days} days" if days > 1 else f"{hours} h" if hours else f"{minutes} min"
