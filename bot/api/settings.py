"""Settings: changes from inside under four eyes, and payouts that a person stops. Chat and API share them."""

from typing import Any, Literal, get_args
from uuid import UUID

import sqlalchemy as sa
from pydantic import Field

from bot.api.answers import Answer, Page, Time
from bot.api.bodies import Approval, Body, Cancellation, Nothing, Rejection
from bot.api.pages import bad_cursor, page
from bot.api.queries import PAGING, Choice, limit
from bot.api.routes import Call, Reply, Routes
from services.errors import NotFound
from services.ids import new_id
from services.news import settings as news
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

routes = Routes("Settings, and the stop of payouts")

_ASK = (MANAGE_INTEGRATIONS, RECONCILE, MANAGE_USERS)
_SEE = (*_ASK, APPROVE)
Status = Literal[
    "pending", "cooling", "done", "undone", "rejected", "canceled", "expired", "taken_back", "void"
]
_STATUS = Choice("status", "Those alone that stand so.", *get_args(Status))


class NewChange(Body):
    """What `to` takes goes by `kind`: see docs/api.md."""

    kind: str = Field(max_length=20)
    to: dict[str, Any] = Field(default_factory=dict)


class Change(Answer):
    """`before` and `after` are masked. `effective_at`: when it holds, or held; `because`: why it is void;
    `digest`: of what is approved."""

    id: UUID
    digest: str
    kind: Literal["destination", "limits", "staff", "fees", "resume"]
    status: Status
    before: dict[str, Any]
    after: dict[str, Any]
    cools_down: bool
    because: str | None
    asked_by: UUID
    approvals_needed: int
    approved_by: list[UUID]
    created_at: Time
    expires_at: Time
    effective_at: Time | None


class PayoutsStop(Answer):
    """Whether a person has stopped all payouts. `by`: one of the staff, or `operator`."""

    stopped: bool
    by: str | None
    at: Time | None


@routes.post("/settings/changes", *_ASK, body=NewChange, success=201, answer=Change)
async def ask(call: Call) -> Reply[Change]:
    """Ask for a change of settings.

    Each kind takes a scope of its own; payouts go by a way that the shop has."""
    if call.body.kind == "destination":
        await people.require(call.work, call.person, MANAGE_INTEGRATIONS)
        if (way := str(call.body.to.get("method_type"))) in RAILS:
            refuse_closed_way_out(call.tenant.shop, way)
    made = await changing.ask(call.work, call.person, new_id(), call.body.kind, call.body.to)
    return Reply(_described(made))


@routes.get("/settings/changes", *_SEE, query=(_STATUS, *PAGING), answer=Page[Change])
async def listed(call: Call) -> Reply[Page[Change]]:
    """Changes of settings, the latest first."""
    status, most = _STATUS.of(call.query), limit(call.query)
    where = [changes.c.state == status] if status else []
    counting = sa.select(sa.func.count()).select_from(changes)
    count = await call.work.connection.scalar(counting.where(changes.c.tenant_id == call.work.tenant, *where))
    if (cursor := call.query.get("cursor")) is not None:
        where.append(await _before(call, cursor))
    rows = await record.read(call.work, *where, latest=most + 1)
    following = str(rows[most - 1].id) if len(rows) > most else None
    return page(call, count or 0, [_described(row) for row in rows[:most]], following)


@routes.get("/settings/changes/{id}", *_SEE, answer=Change)
async def one(call: Call) -> Reply[Change]:
    """One change of settings."""
    return Reply(_described(await record.shown(call.work, call.id("change"))))


@routes.post("/settings/changes/{id}/approve", APPROVE, body=Approval, answer=Change)
async def approve(call: Call) -> Reply[Change]:
    """Approve a change of settings.

    What the caller was shown, where the digest of it is sent; else what stands there now."""
    shown = await record.shown(call.work, call.id("change"))
    return Reply(
        _described(
            await changing.approve(
                call.work, call.person, shown.id, call.body.of(shown.digest), call.body.totp
            )
        )
    )


@routes.post("/settings/changes/{id}/reject", APPROVE, body=Rejection, answer=Change)
async def reject(call: Call) -> Reply[Change]:
    """Reject a change of settings."""
    after = await changing.reject(call.work, call.person, call.id("change"), call.body.reason)
    return Reply(_described(after))


@routes.post("/settings/changes/{id}/cancel", *_ASK, body=Cancellation, answer=Change)
async def cancel(call: Call) -> Reply[Change]:
    """Take a change of settings back until it holds."""
    after = await changing.take_back(call.work, call.person, call.id("change"), call.body.reason)
    return Reply(_described(after))


@routes.get("/payouts/stop", VIEW_FINANCE, INITIATE, APPROVE, RECONCILE, answer=PayoutsStop)
async def stopped(call: Call) -> Reply[PayoutsStop]:
    """Who has stopped all payouts."""
    return Reply(await _stopped(call))


@routes.post("/payouts/stop", RECONCILE, body=Nothing, answer=PayoutsStop)
async def stop_payouts(call: Call) -> Reply[PayoutsStop]:
    """Stop all payouts at once.

    Where they were stopped already, that stands."""
    await stop.stop(call.work, call.person)
    return Reply(await _stopped(call))


async def _stopped(call: Call) -> PayoutsStop:
    tenant = await people.tenant_of(call.work)
    if tenant.stopped_at is None:
        return PayoutsStop(stopped=False, by=None, at=None)
    by = str(tenant.stopped_by) if tenant.stopped_by else "operator"
    return PayoutsStop(stopped=True, by=by, at=tenant.stopped_at)


async def _before(call: Call, cursor: str) -> sa.ColumnElement[bool]:
    try:
        last = await record.shown(call.work, UUID(cursor))
    except (ValueError, NotFound):
        raise bad_cursor() from None
    at = sa.literal(last.created_at, changes.c.created_at.type)
    return sa.tuple_(changes.c.created_at, changes.c.id) < sa.tuple_(at, sa.literal(last.id, sa.Uuid))


def _described(change: news.Change) -> Change:
    return Change(
        id=change.id,
        digest=change.digest,
        kind=change.kind,
        status=change.state,
        before=change.before,
        after=change.after,
        cools_down=change.cools,
        because=change.because,
        asked_by=change.maker_id,
        approvals_needed=change.needed,
        approved_by=list(change.approved_by),
        created_at=change.created_at,
        expires_at=change.expires_at,
        effective_at=change.due_at,
    )
