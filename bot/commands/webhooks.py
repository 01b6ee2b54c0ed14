"""Webhooks: what operators see of tenants' own systems and of what is posted to them, and how they have it
sent again. Of an address only the host is shown: the rest may be a secret of the receiver's."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.commands.opening import known_tenant, opened, work_of
from bot.parts import CannotRun, Parts
from bot.settings import Settings
from services.errors import NotFound
from services.errors.webhooks import EndpointDisabled
from services.store.schema import tenants, webhook_deliveries
from services.store.scope import PLATFORM
from services.webhooks import endpoints, replaying
from services.webhooks.deliveries import message_id
from services.webhooks.standing import Standing, standings
from services.work import CLI, Work


async def list_endpoints(settings: Settings, slug: str | None) -> list[dict[str, Any]]:
    """See `listed`."""
    async with opened(settings) as parts:
        return await listed(parts, slug)


async def list_deliveries(
    settings: Settings, slug: str, endpoint: str | None, state: str | None, limit: int
) -> list[dict[str, Any]]:
    """See `deliveries`."""
    async with opened(settings) as parts:
        return await deliveries(parts, slug, endpoint, state, limit)


async def replay_delivery(settings: Settings, slug: str, delivery: str) -> dict[str, Any]:
    """See `replayed`."""
    async with opened(settings) as parts:
        return await replayed(parts, slug, delivery)


async def replay_endpoint(settings: Settings, slug: str, endpoint: str, since: datetime) -> dict[str, Any]:
    """See `replayed_since`."""
    async with opened(settings) as parts:
        return await replayed_since(parts, slug, endpoint, since)


async def listed(parts: Parts, slug: str | None = None) -> list[dict[str, Any]]:
    """All endpoints, of all tenants or of one, and how it stands with each. Raises CannotRun where no tenant
    is called so."""
    async with parts.database.reading(PLATFORM) as connection:
        query = sa.select(tenants.c.id, tenants.c.slug).order_by(tenants.c.slug)
        if slug is not None:
            query = query.where(tenants.c.id == await known_tenant(connection, slug))
        named = (await connection.execute(query)).all()
    found = []
    for tenant_id, its_slug in named:
        async with parts.database.reading(tenant_id) as connection:
            work = Work(connection, parts.vault, tenant_id, parts.clock(), CLI)
            rows = await endpoints.listed(work)
            standing = await standings(work) if rows else {}
        found += [_endpoint(its_slug, row, standing.get(row.id, Standing())) for row in rows]
    return found


async def deliveries(
    parts: Parts, slug: str, endpoint: str | None = None, state: str | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """What was sent or is to be, the latest first, without what it says. Raises CannotRun."""
    table = webhook_deliveries
    async with work_of(parts, slug) as work:
        which = [table.c.tenant_id == work.tenant]
        if endpoint is not None:
            which.append(table.c.endpoint_id == await _known(work, endpoint))
        if state is not None:
            which.append(table.c.state == state)
        query = sa.select(table).where(*which).order_by(table.c.seq.desc()).limit(limit)
        return [_delivery(row) for row in await work.connection.execute(query)]


async def replayed(parts: Parts, slug: str, delivery: str) -> dict[str, Any]:
    """One is sent again under the same id, whether it was taken or not; one that waits is due at once. Raises
    CannotRun."""
    delivery_id = _id(delivery, "a delivery")
    async with work_of(parts, slug) as work:
        try:
            await replaying.replay(work, None, delivery_id)
        except NotFound:
            raise CannotRun(f"{slug} has no delivery {delivery}.") from None
        except EndpointDisabled as disabled:
            raise CannotRun(_disabled(disabled)) from None
        its = (webhook_deliveries.c.tenant_id == work.tenant, webhook_deliveries.c.id == delivery_id)
        state = await work.connection.scalar(sa.select(webhook_deliveries.c.state).where(*its))
    return {"id": delivery_id, "state": state}


async def replayed_since(parts: Parts, slug: str, endpoint: str, since: datetime) -> dict[str, Any]:
    """What of an endpoint was given up and happened since then, which is in UTC. Raises CannotRun."""
    at = since if since.tzinfo else since.replace(tzinfo=UTC)
    async with work_of(parts, slug) as work:
        endpoint_id = await _known(work, endpoint)
        try:
            many = await replaying.replay_given_up(work, None, endpoint_id, at)
        except EndpointDisabled as disabled:
            raise CannotRun(_disabled(disabled)) from None
    return {"endpoint_id": endpoint_id, "deliveries": many}


async def _known(work: Work, endpoint: str) -> UUID:
    """Raises CannotRun."""
    endpoint_id = _id(endpoint, "an endpoint")
    try:
        await endpoints.one(work, endpoint_id)
    except NotFound:
        raise CannotRun(f"The tenant has no endpoint {endpoint}: webhooks list shows them.") from None
    return endpoint_id


def _id(text: str, what: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CannotRun(
            f"{text} is no id of {what}: webhooks list and webhooks deliveries show them."
        ) from None


def _disabled(refused: EndpointDisabled) -> str:
    return (
        f"Its endpoint is off (because: {refused.because}), and nothing is sent there. Its staff enable it "
        "by the API; then run this again."
    )


def _endpoint(slug: str, row: sa.Row[Any], standing: Standing) -> dict[str, Any]:
    return {
        "slug": slug,
        "id": row.id,
        "host": endpoints.host(row.url),
        "types": row.types,
        "enabled": row.disabled_at is None,
        "disabled_at": row.disabled_at,
        "disabled_because": row.disabled_because,
        "failing_since": row.failing_since,
        "undelivered": standing.undelivered,
        "oldest_undelivered_at": standing.oldest,
        "given_up_lately": standing.given_up,
    }


def _delivery(row: sa.Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "endpoint_id": row.endpoint_id,
        "webhook_id": message_id(row.event_id),
        "type": row.type,
        "object_id": row.object_id,
        "state": row.state,
        "because": row.because,
        "attempts_made": row.sends,
        "next_at": row.due_at if row.state == "waiting" else None,
        "created_at": row.created_at,
        "ended_at": row.ended_at,
    }
