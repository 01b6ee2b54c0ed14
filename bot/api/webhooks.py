"""Webhooks: where the tenant's own systems listen, what was sent to them, and sending it again."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import sqlalchemy as sa
from pydantic import AwareDatetime, BeforeValidator, Field

from bot.api.answers import NOT_SET, Answer, OneOf, Page, Time
from bot.api.bodies import Body, Nothing
from bot.api.pages import bad_cursor, page, whole
from bot.api.problems import Problem
from bot.api.queries import PAGING, Choice, Query, limit
from bot.api.routes import Call, Reply, Routes, id_of
from services.errors import NotFound
from services.people.access import MANAGE_INTEGRATIONS
from services.store.schema import webhook_attempts, webhook_deliveries
from services.webhooks import addresses, endpoints, replaying
from services.webhooks.deliveries import message_id
from services.webhooks.events import TYPES

routes = Routes("Webhooks")

EventType = Annotated[str, OneOf(*TYPES)]
State = Literal["waiting", "sending", "delivered", "dead"]
_STATE = Choice("status", "Those alone that stand so.", *get_args(State))
_ENDPOINT = Query("endpoint_id", "Those of one endpoint.", {"type": "string", "format": "uuid"})
_MOST_HOURS = 168


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("is a time like 2026-12-01T18:00:00Z")  # noqa: TRY004  pydantic hears these alone
    return value


class NewEndpoint(Body):
    """`types`: of the events that it wants; null or left out: all, and those to come."""

    url: str = Field(max_length=addresses.MOST_SIGNS)
    types: list[EventType] | None = Field(default=None, min_length=1, max_length=100)


class ChangedEndpoint(NewEndpoint):
    """All of it. Disabled, it is sent nothing."""

    enabled: bool


class Rotation(Body):
    """For how long the secret of now signs beside the new one."""

    overlap_hours: int = Field(default=24, ge=0, le=_MOST_HOURS)


class Since(Body):
    """Those that happened since then."""

    since: Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_text)]


class Endpoint(Answer):
    """`secret`: only where it is new, and never again. `failing_since`: nothing was taken since then."""

    id: UUID
    url: str
    types: list[str] | None
    enabled: bool
    disabled_because: Literal["staff", "gone", "failing"] | None
    failing_since: Time | None
    old_secret_until: Time | None
    created_at: Time
    secret: str = NOT_SET


class EndpointRemoved(Answer):
    message: str
    id: UUID


class DeliveryAttempt(Answer):
    """`status`: of the receiver's answer. One without `status` and `because` was broken off."""

    number: int
    at: Time
    status: int | None
    because: str | None
    took_ms: int | None


class Delivery(Answer):
    """One event for one endpoint. `because`: what went wrong last; `next_at`: when it is tried again."""

    id: UUID
    endpoint_id: UUID
    webhook_id: str
    type: str
    object_id: UUID
    status: State
    because: str | None
    attempts_made: int
    next_at: Time | None
    created_at: Time
    ended_at: Time | None


class DeliveryWhole(Delivery):
    """`body`: as it is posted."""

    body: str
    attempts: list[DeliveryAttempt]


class Replayed(Answer):
    deliveries: int


@routes.post("/webhooks/endpoints", MANAGE_INTEGRATIONS, body=NewEndpoint, answer=Endpoint, success=201)
async def add(call: Call) -> Reply[Endpoint]:
    """Have events posted to a system of the shop's.

    The answer alone holds the secret that signs them."""
    row, secret = await endpoints.add(call.work, call.person, _url(call), call.body.types)
    return Reply(_endpoint(call, row, secret=secret))


@routes.get("/webhooks/endpoints", MANAGE_INTEGRATIONS, answer=Page[Endpoint])
async def listed(call: Call) -> Reply[Page[Endpoint]]:
    """All endpoints, the oldest first."""
    return whole([_endpoint(call, row) for row in await endpoints.listed(call.work)])


@routes.get("/webhooks/endpoints/{id}", MANAGE_INTEGRATIONS, answer=Endpoint)
async def one(call: Call) -> Reply[Endpoint]:
    """One endpoint."""
    return Reply(_endpoint(call, await endpoints.one(call.work, call.id("webhook_endpoint"))))


@routes.put("/webhooks/endpoints/{id}", MANAGE_INTEGRATIONS, body=ChangedEndpoint, answer=Endpoint)
async def change(call: Call) -> Reply[Endpoint]:
    """Change an endpoint, disable it, or enable it again.

    What waits is posted to the new address; of one that is disabled it is given up, and may be replayed once
    it is enabled."""
    endpoint_id = call.id("webhook_endpoint")
    await endpoints.one(call.work, endpoint_id)
    wanted = (_url(call), call.body.types)
    row = await endpoints.change(call.work, call.person, endpoint_id, *wanted, enabled=call.body.enabled)
    return Reply(_endpoint(call, row))


@routes.delete("/webhooks/endpoints/{id}", MANAGE_INTEGRATIONS, answer=EndpointRemoved)
async def remove(call: Call) -> Reply[EndpointRemoved]:
    """Remove an endpoint, with the record of what was sent to it."""
    endpoint_id = call.id("webhook_endpoint")
    await endpoints.remove(call.work, call.person, endpoint_id)
    return Reply(EndpointRemoved(message="Nothing is posted to it any more.", id=endpoint_id))


@routes.post("/webhooks/endpoints/{id}/rotate-secret", MANAGE_INTEGRATIONS, body=Rotation, answer=Endpoint)
async def rotate(call: Call) -> Reply[Endpoint]:
    """Have another secret made.

    Events are signed with both until the old one's time is over; one that was still signing from before stops
    at once."""
    overlap = timedelta(hours=call.body.overlap_hours)
    row, secret = await endpoints.rotate(call.work, call.person, call.id("webhook_endpoint"), overlap)
    return Reply(_endpoint(call, row, secret=secret))


@routes.post("/webhooks/endpoints/{id}/replay", MANAGE_INTEGRATIONS, body=Since, answer=Replayed)
async def replay_given_up(call: Call) -> Reply[Replayed]:
    """Send again what was given up.

    Each under the same `webhook-id` as before."""
    endpoint_id, since = call.id("webhook_endpoint"), call.body.since
    many = await replaying.replay_given_up(call.work, call.person, endpoint_id, since)
    return Reply(Replayed(deliveries=many))


@routes.get(
    "/webhooks/deliveries", MANAGE_INTEGRATIONS, query=(_ENDPOINT, _STATE, *PAGING), answer=Page[Delivery]
)
async def deliveries(call: Call) -> Reply[Page[Delivery]]:
    """What was sent or is to be, the latest first."""
    table, most, where = webhook_deliveries.c, limit(call.query), _which(call)
    counting = sa.select(sa.func.count()).select_from(webhook_deliveries)
    count = await call.work.connection.scalar(counting.where(*where))
    if (cursor := call.query.get("cursor")) is not None:
        where.append(table.seq < await _seq(call, cursor))
    query = sa.select(webhook_deliveries).where(*where).order_by(table.seq.desc()).limit(most + 1)
    rows = (await call.work.connection.execute(query)).all()
    following = str(rows[most - 1].id) if len(rows) > most else None
    return page(call, count or 0, [Delivery(**_facts(row)) for row in rows[:most]], following)


@routes.get("/webhooks/deliveries/{id}", MANAGE_INTEGRATIONS, answer=DeliveryWhole)
async def delivery(call: Call) -> Reply[DeliveryWhole]:
    """One delivery, with its body and every attempt at it."""
    return Reply(await _whole(call, call.id("webhook_delivery")))


@routes.post("/webhooks/deliveries/{id}/replay", MANAGE_INTEGRATIONS, body=Nothing, answer=DeliveryWhole)
async def replay(call: Call) -> Reply[DeliveryWhole]:
    """Send one again.

    Under the same `webhook-id`, so that a receiver that has had it knows it; one that waits is due at
    once."""
    delivery_id = call.id("webhook_delivery")
    await replaying.replay(call.work, call.person, delivery_id)
    return Reply(await _whole(call, delivery_id))


def _url(call: Call) -> str:
    return addresses.checked(call.body.url, loopback=call.where.loopback)


def _endpoint(call: Call, row: sa.Row[Any], **more: str) -> Endpoint:
    old = row.old_until is not None and row.old_until > call.work.now
    return Endpoint(
        id=row.id,
        url=row.url,
        types=row.types,
        enabled=row.disabled_at is None,
        disabled_because=row.disabled_because,
        failing_since=row.failing_since,
        old_secret_until=row.old_until if old else None,
        created_at=row.created_at,
        **more,
    )


def _which(call: Call) -> list[sa.ColumnElement[bool]]:
    table, where = webhook_deliveries.c, [webhook_deliveries.c.tenant_id == call.work.tenant]
    if (status := _STATE.of(call.query)) is not None:
        where.append(table.state == status)
    if (endpoint := call.query.get("endpoint_id")) is not None:
        where.append(table.endpoint_id == _endpoint_id(endpoint))
    return where


def _endpoint_id(text: str) -> UUID:
    """Raises Problem."""
    try:
        return id_of(text, "webhook_endpoint")
    except NotFound:
        detail = "endpoint_id is an id."
        raise Problem(400, "invalid_query", "Invalid query", detail=detail, field="endpoint_id") from None


async def _seq(call: Call, cursor: str) -> int:
    try:
        row = await _row(call, id_of(cursor, "webhook_delivery"))
    except NotFound:
        raise bad_cursor() from None
    return int(row.seq)


async def _row(call: Call, delivery_id: UUID) -> sa.Row[Any]:
    """Raises NotFound."""
    table = webhook_deliveries
    query = sa.select(table).where(table.c.tenant_id == call.work.tenant, table.c.id == delivery_id)
    row = (await call.work.connection.execute(query)).first()
    if row is None:
        raise NotFound("webhook_delivery")
    return row


async def _whole(call: Call, delivery_id: UUID) -> DeliveryWhole:
    row, table = await _row(call, delivery_id), webhook_attempts
    query = sa.select(table).where(table.c.tenant_id == call.work.tenant, table.c.delivery_id == delivery_id)
    tried = (await call.work.connection.execute(query.order_by(table.c.number))).all()
    return DeliveryWhole(**_facts(row), body=row.body, attempts=_attempts(tried))


def _facts(row: sa.Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "endpoint_id": row.endpoint_id,
        "webhook_id": message_id(row.event_id),
        "type": row.type,
        "object_id": row.object_id,
        "status": row.state,
        "because": row.because,
        "attempts_made": row.sends,
        "next_at": row.due_at if row.state == "waiting" else None,
        "created_at": row.created_at,
        "ended_at": row.ended_at,
    }


def _attempts(rows: Sequence[sa.Row[Any]]) -> list[DeliveryAttempt]:
    return [
        DeliveryAttempt(
            number=row.number, at=row.at, status=row.status, because=row.because, took_ms=row.took_ms
        )
        for row in rows
    ]
