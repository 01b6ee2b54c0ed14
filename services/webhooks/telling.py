"""Telling: an event for the tenant's systems, in the transaction of the fact that it tells.

It is written last, for all events of the transaction at once, and says what stands there then; but for the
status, which is the event's own. Where the tenant has no endpoint, that costs one look.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ids import new_id
from services.points import point
from services.store.ending import at_the_end
from services.store.hot import Named
from services.store.schema import webhook_deliveries, webhook_endpoints
from services.store.scope import within
from services.webhooks import reading
from services.webhooks.events import TYPES, Body, Data
from services.work import Work


@dataclass(frozen=True)
class _Told:
    work: Work
    type: str
    object_id: UUID


def tell(work: Work, event: str, *object_ids: UUID) -> None:
    """`event`: one of TYPES, of each of these payments, refunds or withdrawals."""
    if event not in TYPES:
        raise ValueError(event)
    for object_id in object_ids:
        at_the_end(work.connection, _write, _Told(work, event, object_id))


async def _write(connection: AsyncConnection, told: Sequence[_Told]) -> None:
    for tenant, group in groupby(sorted(told, key=_tenant), key=_tenant):
        events = list(group)
        async with within(connection, tenant):
            endpoints = await _endpoints(events[0].work)
            if endpoints:
                await _deliver(events[0].work, events, endpoints)


def _tenant(told: _Told) -> UUID:
    return told.work.tenant


_endpoint = webhook_endpoints.c
_ENDPOINTS = Named(
    sa.select(_endpoint.id, _endpoint.types, _endpoint.disabled_at).where(
        _endpoint.tenant_id == sa.bindparam("tenant")
    )
)


async def _endpoints(work: Work) -> Sequence[Any]:
    return await _ENDPOINTS(work.connection, tenant=work.tenant)


async def _deliver(work: Work, events: Sequence[_Told], endpoints: Iterable[sa.Row[Any]]) -> None:
    known = await _known(work, events)
    rows = []
    for told in events:
        event = {"event_id": new_id(), "body": _body(told, known[told.object_id])}
        rows += [
            event | _row(told, each) for each in endpoints if each.types is None or told.type in each.types
        ]
    if rows:
        await work.connection.execute(sa.insert(webhook_deliveries), rows)
        point("webhook.told")


async def _known(work: Work, events: Sequence[_Told]) -> dict[UUID, Data]:
    """What stands there of all that is told of, by its id."""
    ids: dict[Any, set[UUID]] = {}
    for told in events:
        ids.setdefault(TYPES[told.type].data, set()).add(told.object_id)
    found: dict[UUID, Data] = {}
    for data, of in ids.items():
        found |= await reading.READERS[data](work, sorted(of))
    return found


def _body(told: _Told, data: Data) -> str:
    status = TYPES[told.type].status or data.status
    said = data.model_copy(update={"status": status})
    return Body(type=told.type, timestamp=told.work.now, data=said).model_dump_json()


def _row(told: _Told, endpoint: sa.Row[Any]) -> dict[str, Any]:
    now, disabled = told.work.now, endpoint.disabled_at is not None
    return {
        "tenant_id": told.work.tenant,
        "id": new_id(),
        "endpoint_id": endpoint.id,
        "type": told.type,
        "object_id": told.object_id,
        "state": "dead" if disabled else "waiting",
        "because": "endpoint_disabled" if disabled else None,
        "due_at": now,
        "created_at": now,
        "ended_at": now if disabled else None,
    }
