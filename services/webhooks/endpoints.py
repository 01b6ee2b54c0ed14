"""Endpoints: where a tenant's systems listen. Changes are audited; a secret is shown once, to who made it."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox
from services.errors import NotFound
from services.errors.webhooks import TooManyEndpoints
from services.ids import new_id
from services.news.webhooks import EndpointSet
from services.people import people
from services.people.access import MANAGE_INTEGRATIONS
from services.safety.vault import Unopenable
from services.store.schema import (
    is_undelivered,
    tenants,
    webhook_attempts,
    webhook_deliveries,
    webhook_endpoints,
)
from services.webhooks.signing import new_secret
from services.work import Work

MOST = 5
OVERLAP = timedelta(hours=24)
_SECRET, _OLD_SECRET = "webhook_endpoints.secret", "webhook_endpoints.old_secret"
DISABLED = "endpoint_disabled"


async def add(work: Work, person: UUID, url: str, types: Sequence[str] | None) -> tuple[sa.Row[Any], str]:
    """With its secret. `url`: as `addresses.checked` gave it. Raises MissingScope, TooManyEndpoints."""
    await people.require(work, person, MANAGE_INTEGRATIONS)
    alone = sa.select(tenants.c.id).where(tenants.c.id == work.tenant).with_for_update(key_share=True)
    await work.connection.execute(alone)  # so that two at once are not more than MOST
    if len(await listed(work)) >= MOST:
        raise TooManyEndpoints(MOST)
    endpoint_id, secret = new_id(), new_secret()
    row = {
        "tenant_id": work.tenant,
        "id": endpoint_id,
        "url": url,
        "types": _in_order(types),
        "secret_sealed": _sealed(work, _SECRET, endpoint_id, secret),
        "created_by": person,
        "created_at": work.now,
    }
    await work.connection.execute(sa.insert(webhook_endpoints).values(row))
    await audit.record(work, person, "webhook.endpoint_added", endpoint_id, {}, after=_shown(url, types))
    await _tell_owners(work, person, url)
    return await one(work, endpoint_id), secret


async def listed(work: Work) -> Sequence[sa.Row[Any]]:
    table = webhook_endpoints
    query = sa.select(table).where(table.c.tenant_id == work.tenant).order_by(table.c.created_at, table.c.id)
    return (await work.connection.execute(query)).all()


async def one(work: Work, endpoint_id: UUID, *, lock: bool = False) -> sa.Row[Any]:
    """Raises NotFound."""
    query = sa.select(webhook_endpoints).where(*_it(work, endpoint_id))
    if lock:
        query = query.with_for_update()
    row = (await work.connection.execute(query)).first()
    if row is None:
        raise NotFound("webhook_endpoint")
    return row


async def change(
    work: Work, person: UUID, endpoint_id: UUID, url: str, types: Sequence[str] | None, *, enabled: bool
) -> sa.Row[Any]:
    """All of it. What waits goes to the new address; of one that is disabled it is given up.

    Raises MissingScope, NotFound.
    """
    await people.require(work, person, MANAGE_INTEGRATIONS)
    row = await one(work, endpoint_id, lock=True)
    before = _shown(row.url, row.types) | {"enabled": row.disabled_at is None}
    after = _shown(url, types) | {"enabled": enabled}
    await _update(work, endpoint_id, url=url, types=_in_order(types))
    if not enabled and row.disabled_at is None:
        await disabled(work, endpoint_id, "staff")
    elif enabled and row.disabled_at is not None:
        await _update(work, endpoint_id, disabled_at=None, disabled_because=None, failing_since=None)
    action = "webhook.endpoint_changed"
    await audit.record(work, person, action, endpoint_id, {}, before=before, after=after)
    if url != row.url:
        await _tell_owners(work, person, url)
    return await one(work, endpoint_id)


async def rotate(work: Work, person: UUID, endpoint_id: UUID, overlap: timedelta) -> tuple[sa.Row[Any], str]:
    """Another secret; the one of now signs too for as long. Raises MissingScope, NotFound."""
    await people.require(work, person, MANAGE_INTEGRATIONS)
    row, secret = await one(work, endpoint_id, lock=True), new_secret()
    old = None
    with suppress(Unopenable):  # then there is nothing that it could sign
        old = _opened(work, _SECRET, endpoint_id, row.secret_sealed) if overlap else None
    until = work.now + overlap if old else None
    await _update(
        work,
        endpoint_id,
        secret_sealed=_sealed(work, _SECRET, endpoint_id, secret),
        old_secret_sealed=_sealed(work, _OLD_SECRET, endpoint_id, old) if old else None,
        old_until=until,
    )
    facts = {"old_until": until.isoformat() if until else None}
    await audit.record(work, person, "webhook.secret_rotated", endpoint_id, facts)
    return await one(work, endpoint_id), secret


async def remove(work: Work, person: UUID, endpoint_id: UUID) -> None:
    """With all that was sent to it, or was to be. Raises MissingScope, NotFound."""
    await people.require(work, person, MANAGE_INTEGRATIONS)
    row = await one(work, endpoint_id, lock=True)
    deliveries, attempts = webhook_deliveries.c, webhook_attempts.c
    its = (deliveries.tenant_id == work.tenant, deliveries.endpoint_id == endpoint_id)
    of_it = sa.select(deliveries.id).where(*its)
    await work.connection.execute(
        sa.delete(webhook_attempts).where(attempts.tenant_id == work.tenant, attempts.delivery_id.in_(of_it))
    )
    await work.connection.execute(sa.delete(webhook_deliveries).where(*its))
    await work.connection.execute(sa.delete(webhook_endpoints).where(*_it(work, endpoint_id)))
    before = _shown(row.url, row.types)
    await audit.record(work, person, "webhook.endpoint_removed", endpoint_id, {}, before=before)


async def disabled(work: Work, endpoint_id: UUID, because: str) -> None:
    """Nothing is sent to it any more; what waited is given up, and may be replayed later. Under its lock."""
    await _update(work, endpoint_id, disabled_at=work.now, disabled_because=because)
    await give_up(work, endpoint_id)


async def give_up(work: Work, endpoint_id: UUID) -> None:
    """What waits for one that is disabled."""
    table = webhook_deliveries
    waiting = (table.c.tenant_id == work.tenant, table.c.endpoint_id == endpoint_id, is_undelivered(table))
    given_up = {"state": "dead", "because": DISABLED, "ended_at": work.now}
    await work.connection.execute(sa.update(table).where(*waiting).values(**given_up))


def secrets(work: Work, row: sa.Row[Any]) -> tuple[str, ...]:
    """Those that sign now, the newest first. Raises Unopenable."""
    found = [_opened(work, _SECRET, row.id, row.secret_sealed)]
    if row.old_secret_sealed is not None and row.old_until > work.now:
        found.append(_opened(work, _OLD_SECRET, row.id, row.old_secret_sealed))
    return tuple(found)


def host(url: str) -> str:
    """As it is written where others read it: the rest of an address may be a secret of the receiver's."""
    return urlsplit(url).netloc


async def _tell_owners(work: Work, person: UUID, url: str) -> None:
    news = EndpointSet(host=host(url), name=await people.name_of(work, person) or "")
    await inbox.tell_people(work, await people.owners(work), news)


async def _update(work: Work, endpoint_id: UUID, **values: Any) -> None:
    await work.connection.execute(
        sa.update(webhook_endpoints).where(*_it(work, endpoint_id)).values(**values)
    )


def _it(work: Work, endpoint_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return (webhook_endpoints.c.tenant_id == work.tenant, webhook_endpoints.c.id == endpoint_id)


def _in_order(types: Sequence[str] | None) -> list[str] | None:
    return None if types is None else sorted(set(types))


def _shown(url: str, types: Sequence[str] | None) -> dict[str, Any]:
    return {"host": host(url), "types": _in_order(types)}


def _sealed(work: Work, column: str, endpoint_id: UUID, secret: str) -> bytes:
    return work.vault.seal(secret.encode(), work.tenant, column, str(endpoint_id))


def _opened(work: Work, column: str, endpoint_id: UUID, sealed: bytes) -> str:
    return work.vault.open(sealed, work.tenant, column, str(endpoint_id)).decode()
