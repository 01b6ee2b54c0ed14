"""Replaying: what was delivered or given up is sent again, under the same id, when people ask for it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit
from services.errors import NotFound
from services.errors.webhooks import EndpointDisabled
from services.people import people
from services.people.access import MANAGE_INTEGRATIONS
from services.store.schema import webhook_deliveries
from services.webhooks import endpoints
from services.work import Work


async def replay(work: Work, person: UUID | None, delivery_id: UUID) -> None:
    """One; what waits for its next try is due now, and what is being sent stays so. `person`: None for the
    operator.

    Raises MissingScope, NotFound, EndpointDisabled.
    """
    await _may(work, person)
    table = webhook_deliveries.c
    its = (table.tenant_id == work.tenant, table.id == delivery_id)
    endpoint_id = await work.connection.scalar(sa.select(table.endpoint_id).where(*its))
    if endpoint_id is None:
        raise NotFound("webhook_delivery")
    await _enabled(work, endpoint_id)
    await _again(work, *its, table.state != "sending")
    facts = {"endpoint": str(endpoint_id)}
    await audit.record(work, person or audit.OPERATOR, "webhook.replayed", delivery_id, facts)


async def replay_given_up(work: Work, person: UUID | None, endpoint_id: UUID, since: datetime) -> int:
    """All of an endpoint's that were given up and happened since then; how many they are. `person`: None for
    the operator.

    Raises MissingScope, NotFound, EndpointDisabled.
    """
    await _may(work, person)
    await _enabled(work, endpoint_id)
    table = webhook_deliveries.c
    its = (table.tenant_id == work.tenant, table.endpoint_id == endpoint_id)
    many = await _again(work, *its, table.state == "dead", table.created_at >= since)
    facts = {"since": since.isoformat(), "deliveries": many}
    await audit.record(work, person or audit.OPERATOR, "webhook.replayed", endpoint_id, facts)
    return many


async def _may(work: Work, person: UUID | None) -> None:
    if person is not None:
        await people.require(work, person, MANAGE_INTEGRATIONS)


async def _enabled(work: Work, endpoint_id: UUID) -> None:
    """Under its lock, so that none is claimed or given up beside it."""
    endpoint = await endpoints.one(work, endpoint_id, lock=True)
    if endpoint.disabled_at is not None:
        raise EndpointDisabled(endpoint.disabled_because)


async def _again(work: Work, *which: sa.ColumnElement[bool]) -> int:
    due: dict[str, Any] = {
        "state": "waiting",
        "tries": 0,
        "due_at": work.now,
        "because": None,
        "ended_at": None,
    }
    statement = sa.update(webhook_deliveries).where(*which).values(**due)
    return (await work.connection.execute(statement)).rowcount
