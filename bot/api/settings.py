"""Settings: changes from inside under four eyes, and payouts that a person stops. Chat and API share them."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import Field

from bot.api.bodies import Approved, Body
from bot.api.pages import PAGING, bad_cursor, limit, page
from bot.api.problems import Problem, plain
from bot.api.routes import Call, Json, Reply, Routes
from services.errors import NotFound
from services.ids import new_id
from services.news.settings import Change
from services.people import people
from services.people.access import (
    APPROVE,
    INITIATE,
    MANAGE_INTEGRATIONS,
    MANAGE_USERS,
    RECONCILE,
    VIEW_FINANCE,
)
from services.rails import RAILS, refuse_closed_way_out
from services.settings import changing, record
from services.store.schema import changes
from services.withdrawals import stop

routes = Routes()

_ASK = (MANAGE_INTEGRATIONS, RECONCILE, MANAGE_USERS)
_SEE = (*_ASK, APPROVE)
_STATES = tuple(Change.model_fields["state"].annotation.__args__)  # type: ignore[union-attr]


class Asked(Body):
    kind: str = Field(max_length=20)
    to: dict[str, Any] = Field(default_factory=dict)


class Rejected(Body):
    reason: str = Field(max_length=500)


class Canceled(Body):
    reason: str | None = Field(default=None, max_length=500)


class Nothing(Body):
    pass


@routes.post("/settings/changes", *_ASK, body=Asked, success=201)
async def ask(call: Call) -> Reply:
    """Each kind takes a scope of its own; payouts go by a way that the shop has."""
    if call.body.kind == "destination":
        await people.require(call.work, call.person, MANAGE_INTEGRATIONS)
        if (way := str(call.body.to.get("method_type"))) in RAILS:
            refuse_closed_way_out(call.tenant.shop, way)
    made = await changing.ask(call.work, call.person, new_id(), call.body.kind, call.body.to)
    return Reply(_described(made))


@routes.get("/settings/changes", *_SEE, query=("status", *PAGING))
async def listed(call: Call) -> Reply:
    """The latest first."""
    status, most = call.query.get("status"), limit(call)
    if status is not None and status not in _STATES:
        raise Problem(400, "invalid_status", "Invalid status", detail=f"status is one of {_STATES}.")
    where = [changes.c.state == status] if status else []
    counting = sa.select(sa.func.count()).select_from(changes)
    count = await call.work.connection.scalar(counting.where(changes.c.tenant_id == call.work.tenant, *where))
    if (cursor := call.query.get("cursor")) is not None:
        where.append(await _before(call, cursor))
    rows = await record.read(call.work, *where, latest=most + 1)
    following = str(rows[most - 1].id) if len(rows) > most else None
    return page(call, count or 0, [_described(row) for row in rows[:most]], following)


@routes.get("/settings/changes/{id}", *_SEE)
async def one(call: Call) -> Reply:
    return Reply(_described(await record.shown(call.work, call.id("change"))))


@routes.post("/settings/changes/{id}/approve", APPROVE, body=Approved)
async def approve(call: Call) -> Reply:
    shown = await record.shown(call.work, call.id("change"))
    return Reply(
        _described(
            await changing.approve(
                call.work, call.person, shown.id, call.body.of(shown.digest), call.body.totp
            )
        )
    )


@routes.post("/settings/changes/{id}/reject", APPROVE, body=Rejected)
async def reject(call: Call) -> Reply:
    after = await changing.reject(call.work, call.person, call.id("change"), call.body.reason)
    return Reply(_described(after))


@routes.post("/settings/changes/{id}/cancel", *_ASK, body=Canceled)
async def cancel(call: Call) -> Reply:
    after = await changing.take_back(call.work, call.person, call.id("change"), call.body.reason)
    return Reply(_described(after))


@routes.get("/payouts/stop", VIEW_FINANCE, INITIATE, APPROVE, RECONCILE)
async def stopped(call: Call) -> Reply:
    return Reply(await _stopped(call))


@routes.post("/payouts/stop", RECONCILE, body=Nothing)
async def stop_payouts(call: Call) -> Reply:
    """Where they were stopped already, that stands."""
    await stop.stop(call.work, call.person)
    return Reply(await _stopped(call))


async def _stopped(call: Call) -> Json:
    tenant = await people.tenant_of(call.work)
    if tenant.stopped_at is None:
        return {"stopped": False, "by": None, "at": None}
    by = str(tenant.stopped_by) if tenant.stopped_by else "operator"
    return {"stopped": True, "by": by, "at": plain(tenant.stopped_at)}


async def _before(call: Call, cursor: str) -> sa.ColumnElement[bool]:
    try:
        last = await record.shown(call.work, UUID(cursor))
    except (ValueError, NotFound):
        raise bad_cursor() from None
    at = sa.literal(last.created_at, changes.c.created_at.type)
    return sa.tuple_(changes.c.created_at, changes.c.id) < sa.tuple_(at, sa.literal(last.id, sa.Uuid))


def _described(change: Change) -> Json:
    """`effective_at`: when it holds, or held."""
    return {
        "id": str(change.id),
        "digest": change.digest,
        "kind": change.kind,
        "status": change.state,
        "before": change.before,
        "after": change.after,
        "cools_down": change.cools,
        "because": change.because,
        "asked_by": str(change.maker_id),
        "approvals_needed": change.needed,
        "approved_by": [str(person) for person in change.approved_by],
        "created_at": plain(change.created_at),
        "expires_at": plain(change.expires_at),
        "effective_at": plain(change.due_at),
    }
