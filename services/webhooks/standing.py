"""Standing: how it stands with a tenant's endpoints, for those who look after the installation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.store.schema import is_undelivered, webhook_deliveries
from services.webhooks.endpoints import DISABLED
from services.work import Work

LATELY = timedelta(days=7)
_one, _before = webhook_deliveries.alias("one"), webhook_deliveries.alias("before")


@dataclass(frozen=True)
class Standing:
    """`undelivered`: how many wait or are being sent, the oldest since `oldest`. `idle_since`: since when one
    could be sent and nobody sends any. `given_up`: of the last seven days, but for what was disabled."""

    undelivered: int = 0
    oldest: datetime | None = None
    idle_since: datetime | None = None
    given_up: int = 0


async def standings(work: Work) -> dict[UUID, Standing]:
    """By endpoint; without those of which nothing is to be told."""
    waits = {row.endpoint_id: row for row in await work.connection.execute(_waiting(work))}
    dead = {row.endpoint_id: row.many for row in await work.connection.execute(_given_up(work))}
    return {
        each: Standing(
            undelivered=waits[each].many if each in waits else 0,
            oldest=waits[each].oldest if each in waits else None,
            idle_since=_idle(work, waits[each]) if each in waits else None,
            given_up=dead.get(each, 0),
        )
        for each in waits.keys() | dead.keys()
    }


def _idle(work: Work, row: sa.Row[Any]) -> datetime | None:
    if row.under_way or row.due_at is None or row.due_at > work.now:
        return None
    due: datetime = row.due_at
    return due


def _waiting(work: Work) -> sa.Select[Any]:
    sent = sa.and_(_one.c.state == "sending", _one.c.due_at > work.now)
    earlier = sa.exists().where(
        _before.c.tenant_id == _one.c.tenant_id,
        _before.c.endpoint_id == _one.c.endpoint_id,
        _before.c.object_id == _one.c.object_id,
        _before.c.seq < _one.c.seq,
        is_undelivered(_before),
    )
    return (
        sa.select(
            _one.c.endpoint_id,
            sa.func.count().label("many"),
            sa.func.min(_one.c.created_at).label("oldest"),
            sa.func.sum(sa.case((sent, 1), else_=0)).label("under_way"),
            sa.func.min(sa.case((~earlier, _one.c.due_at))).label("due_at"),
        )
        .where(_one.c.tenant_id == work.tenant, is_undelivered(_one))
        .group_by(_one.c.endpoint_id)
    )


def _given_up(work: Work) -> sa.Select[Any]:
    table = webhook_deliveries.c
    return (
        sa.select(table.endpoint_id, sa.func.count().label("many"))
        .where(
            table.tenant_id == work.tenant,
            table.state == "dead",
            table.because != DISABLED,
            table.ended_at > work.now - LATELY,
        )
        .group_by(table.endpoint_id)
    )
