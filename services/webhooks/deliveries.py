"""Deliveries: claimed, answered, tried again, given up, replayed.

Whoever claims locks the endpoint, so that no more go to it at once than LANES, whichever processes they are
of; to one that takes nothing, one at a time. A try is counted as it is claimed, before anything is sent. A
lease frees what a killed process had taken; that try counts as one that failed, so that an event which kills
whoever sends it is given up too. What was answered counts only for the try that it answers: a worker that
comes back late changes nothing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from services import audit, inbox
from services.news.webhooks import EndpointDropped
from services.people import people
from services.people.access import MANAGE_INTEGRATIONS
from services.safety.vault import Unopenable
from services.store.schema import is_undelivered, webhook_attempts, webhook_deliveries, webhook_endpoints
from services.webhooks import endpoints
from services.work import Work

log = structlog.get_logger()

LANES = 8
LEASE = timedelta(seconds=60)  # longer than any try
_SECOND, _MINUTE, _HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# A day and a little.
LADDER = (
    5 * _SECOND,
    _MINUTE,
    5 * _MINUTE,
    15 * _MINUTE,
    _HOUR,
    2 * _HOUR,
    4 * _HOUR,
    8 * _HOUR,
    10 * _HOUR,
)
_JITTER = 0.1  # of each wait, more or less
_LONGEST = timedelta(hours=12)  # that a receiver may ask us to wait
PATIENCE = timedelta(days=3)  # with an endpoint that takes nothing
_UNOPENABLE = timedelta(minutes=10)
_GONE = 410

_one, _before = webhook_deliveries.alias("one"), webhook_deliveries.alias("before")


@dataclass(frozen=True)
class Sendable:
    """One try of one delivery. `secrets`: the newest first."""

    tenant_id: UUID
    endpoint_id: UUID
    delivery_id: UUID
    number: int
    message_id: str
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """What the receiver answered, or why it did not. `retry_after`: how long it asks us to wait."""

    status: int | None = None
    because: str | None = None
    retry_after: timedelta | None = None
    took: timedelta = timedelta(0)

    @property
    def taken(self) -> bool:
        return self.because is None


_BROKEN_OFF = Outcome(because="broken_off")  # its process died, or could not write down what was answered


def message_id(event_id: UUID) -> str:
    """The same for each try, and for all endpoints."""
    return f"msg_{event_id.hex}"


async def due(connection: AsyncConnection, now: datetime) -> list[tuple[UUID, UUID]]:
    """The endpoints, of all tenants, for which something is due: (tenant, endpoint)."""
    table = webhook_deliveries
    query = sa.select(table.c.tenant_id, table.c.endpoint_id).where(
        is_undelivered(table), table.c.due_at <= now
    )
    return [(row[0], row[1]) for row in await connection.execute(query.distinct())]


async def claim(work: Work, endpoint_id: UUID, most: int = LANES) -> list[Sendable]:
    """The first of each object that is due, as many as there are lanes; nothing while another claims."""
    table = webhook_endpoints
    query = sa.select(table).where(table.c.tenant_id == work.tenant, table.c.id == endpoint_id)
    query = query.with_for_update(key_share=True, skip_locked=True)
    endpoint = (await work.connection.execute(query)).first()
    if endpoint is None:
        return []
    if endpoint.disabled_at is not None:  # at the moment at which these were written
        await endpoints.give_up(work, endpoint_id)
        return []
    try:
        secrets = endpoints.secrets(work, endpoint)
    except Unopenable:
        log.exception("webhook.unopenable", endpoint_id=str(endpoint_id))
        await _put_off(work, endpoint_id)
        return []
    heads = await _heads(work, endpoint, most)
    return [await _begun(work, endpoint, secrets, row) for row in heads]


async def _put_off(work: Work, endpoint_id: UUID) -> None:
    """Until an operator has brought the key back."""
    table = webhook_deliveries
    its = (table.c.tenant_id == work.tenant, table.c.endpoint_id == endpoint_id, is_undelivered(table))
    await work.connection.execute(sa.update(table).where(*its).values(due_at=work.now + _UNOPENABLE))


async def _under_way(work: Work, endpoint_id: UUID) -> int:
    """How many tries are. One whose lease has ended with no outcome is broken off, and waits from when it was
    begun; that says nothing of the endpoint."""
    its = (_one.c.tenant_id == work.tenant, _one.c.endpoint_id == endpoint_id, _sending(_one))
    query: sa.Select[Any] = sa.select(_one.c.id, _one.c.tries, _one.c.due_at).where(*its)
    rows = (await work.connection.execute(query)).all()
    lost = [row for row in rows if row.due_at <= work.now]
    for row in lost:
        after = _after(work, row, _BROKEN_OFF, since=row.due_at - LEASE)
        await work.connection.execute(sa.update(webhook_deliveries).where(*_it(work, row.id)).values(**after))
        log.warning("webhook.broken_off", delivery_id=str(row.id), tries=row.tries, state=after["state"])
    return len(rows) - len(lost)


async def _heads(work: Work, endpoint: sa.Row[Any], most: int) -> Sequence[sa.Row[Any]]:
    its = (_one.c.tenant_id == work.tenant, _one.c.endpoint_id == endpoint.id)
    lanes = LANES if endpoint.failing_since is None else 1
    free = min(lanes - await _under_way(work, endpoint.id), most)
    if free <= 0:
        return ()
    earlier = sa.exists().where(
        _before.c.tenant_id == _one.c.tenant_id,
        _before.c.endpoint_id == _one.c.endpoint_id,
        _before.c.object_id == _one.c.object_id,
        _before.c.seq < _one.c.seq,
        is_undelivered(_before),
    )
    query = (
        sa.select(_one)
        .where(*its, is_undelivered(_one), _one.c.due_at <= work.now, ~earlier)
        .order_by(_one.c.due_at, _one.c.seq)
        .limit(free)
    )
    return (await work.connection.execute(query)).all()


def _sending(deliveries: Any) -> sa.ColumnElement[bool]:
    return sa.and_(is_undelivered(deliveries), deliveries.c.state == "sending")


async def _begun(work: Work, endpoint: sa.Row[Any], secrets: tuple[str, ...], row: sa.Row[Any]) -> Sendable:
    number = row.sends + 1
    begun = {"state": "sending", "due_at": work.now + LEASE, "tries": row.tries + 1, "sends": number}
    await work.connection.execute(sa.update(webhook_deliveries).where(*_it(work, row.id)).values(**begun))
    attempt = {"tenant_id": work.tenant, "delivery_id": row.id, "number": number, "at": work.now}
    await work.connection.execute(sa.insert(webhook_attempts).values(attempt))
    return Sendable(
        tenant_id=work.tenant,
        endpoint_id=endpoint.id,
        delivery_id=row.id,
        number=number,
        message_id=message_id(row.event_id),
        url=endpoint.url,
        secrets=secrets,
        body=row.body.encode(),
    )


async def answered(work: Work, sent: Sendable, outcome: Outcome) -> None:
    """Take what became of a try. Of one that is no longer under way it is only noted."""
    table = webhook_endpoints
    query = sa.select(table).where(table.c.tenant_id == work.tenant, table.c.id == sent.endpoint_id)
    endpoint = (await work.connection.execute(query.with_for_update(key_share=True))).first()
    if endpoint is None:
        return
    await _note(work, sent, outcome)
    mine = (*_it(work, sent.delivery_id), webhook_deliveries.c.sends == sent.number)
    mine = (*mine, webhook_deliveries.c.state == "sending")
    row = (await work.connection.execute(sa.select(webhook_deliveries).where(*mine))).first()
    if row is None:
        return
    after = _after(work, row, outcome, since=work.now)
    await work.connection.execute(sa.update(webhook_deliveries).where(*mine).values(**after))
    await _judge(work, endpoint, outcome, given_up=after["state"] == "dead")


async def _note(work: Work, sent: Sendable, outcome: Outcome) -> None:
    table = webhook_attempts.c
    its = (table.tenant_id == work.tenant, table.delivery_id == sent.delivery_id, table.number == sent.number)
    took = outcome.took // timedelta(milliseconds=1)
    told = {"status": outcome.status, "because": outcome.because, "took_ms": took}
    await work.connection.execute(sa.update(webhook_attempts).where(*its).values(**told))


def _after(work: Work, row: sa.Row[Any], outcome: Outcome, since: datetime) -> dict[str, Any]:
    if outcome.taken:
        return {"state": "delivered", "because": None, "ended_at": work.now}
    if row.tries > len(LADDER) or outcome.status == _GONE:
        return {"state": "dead", "because": outcome.because, "ended_at": work.now}
    wait = max(_wait(row), min(outcome.retry_after or timedelta(0), _LONGEST))
    return {"state": "waiting", "because": outcome.because, "due_at": since + wait}


def _wait(row: sa.Row[Any]) -> timedelta:
    """So that what failed together does not come again together."""
    drawn = hashlib.sha256(f"{row.id} {row.tries}".encode()).digest()[0] / 255
    return LADDER[row.tries - 1] * (1 - _JITTER + 2 * _JITTER * drawn)


async def _judge(work: Work, endpoint: sa.Row[Any], outcome: Outcome, *, given_up: bool) -> None:
    """What a try says of its endpoint."""
    since = endpoint.failing_since
    if outcome.taken:
        if since is not None:
            await _failing(work, endpoint.id, None)
    elif outcome.status == _GONE:
        await _drop(work, endpoint, "gone")
    elif since is None:
        await _failing(work, endpoint.id, work.now)
    elif given_up and work.now - since >= PATIENCE:
        await _drop(work, endpoint, "failing")


async def _failing(work: Work, endpoint_id: UUID, since: datetime | None) -> None:
    table = webhook_endpoints
    its = (table.c.tenant_id == work.tenant, table.c.id == endpoint_id)
    await work.connection.execute(sa.update(table).where(*its).values(failing_since=since))


async def _drop(work: Work, endpoint: sa.Row[Any], because: str) -> None:
    if endpoint.disabled_at is not None:
        return
    await endpoints.disabled(work, endpoint.id, because)
    host = endpoints.host(endpoint.url)
    facts = {"host": host, "because": because}
    await audit.record(work, audit.CLOCK, "webhook.endpoint_disabled", endpoint.id, facts, alert=True)
    news = EndpointDropped(host=host, because=because)
    await inbox.tell_people(work, await people.with_scope(work, MANAGE_INTEGRATIONS), news)


def _it(work: Work, delivery_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return (webhook_deliveries.c.tenant_id == work.tenant, webhook_deliveries.c.id == delivery_id)
