"""Review: what no provider tells the end of, and what people say became of it. Chat and API share them."""

from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import Field

from bot.api.bodies import Approved, Body
from bot.api.pages import PAGING, bad_cursor, limit, page
from bot.api.problems import Problem, plain
from bot.api.routes import Call, Json, Reply, Routes
from services.errors import NotFound
from services.ids import new_id
from services.news.review import Settlement, Undecided
from services.people.access import RECONCILE
from services.review import queue, record, settling
from services.store.schema import settlements

routes = Routes()

_STATES = tuple(Settlement.model_fields["state"].annotation.__args__)  # type: ignore[union-attr]


class Said(Body):
    outcome: Literal["paid", "not_paid"]
    reference: str = Field(max_length=settling.MOST_REFERENCE)
    note: str = Field(max_length=settling.MOST_NOTE)


class Rejected(Body):
    reason: str = Field(max_length=settling.MOST_NOTE)


class Nothing(Body):
    pass


@routes.get("/payouts/undecided", RECONCILE)
async def undecided(call: Call) -> Reply:
    """Payouts, then refunds, the oldest first; few at any time."""
    found = await queue.queue(call.work)
    said = {each.about.id: each for each in found.settlements}
    told = []
    for each in found.undecided:
        since = each.since or each.sent_at
        waits = said.get(each.id)
        more = {
            "age_seconds": int((call.work.now - since).total_seconds()),
            "settlement_id": str(waits.id) if waits else None,
        }
        told.append(_undecided(each) | more)
    return page(call, len(told), told, None)


@routes.post("/payouts/undecided/{id}/settlements", RECONCILE, body=Said, success=201)
async def propose(call: Call) -> Reply:
    said: Said = call.body
    made = await settling.propose(
        call.work,
        call.person,
        new_id(),
        call.id("undecided_payout"),
        said.outcome,
        said.reference,
        said.note,
    )
    return Reply(_described(made))


@routes.get("/settlements", RECONCILE, query=("status", *PAGING))
async def listed(call: Call) -> Reply:
    """The latest first."""
    status, most = call.query.get("status"), limit(call)
    if status is not None and status not in _STATES:
        raise Problem(400, "invalid_status", "Invalid status", detail=f"status is one of {_STATES}.")
    where = [settlements.c.state == status] if status else []
    counting = sa.select(sa.func.count()).select_from(settlements)
    count = await call.work.connection.scalar(
        counting.where(settlements.c.tenant_id == call.work.tenant, *where)
    )
    if (cursor := call.query.get("cursor")) is not None:
        where.append(await _before(call, cursor))
    rows = await record.read(call.work, *where, latest=most + 1)
    following = str(rows[most - 1].id) if len(rows) > most else None
    return page(call, count or 0, [_described(row) for row in rows[:most]], following)


@routes.get("/settlements/{id}", RECONCILE)
async def one(call: Call) -> Reply:
    return Reply(_described(await record.shown(call.work, call.id("settlement"))))


@routes.post("/settlements/{id}/approve", RECONCILE, body=Approved)
async def approve(call: Call) -> Reply:
    """What the caller was shown, where the digest of it is sent; else what stands there now."""
    shown = await record.shown(call.work, call.id("settlement"))
    after = await settling.approve(
        call.work, call.person, shown.id, call.body.of(shown.digest), call.body.totp
    )
    return Reply(_described(after))


@routes.post("/settlements/{id}/reject", RECONCILE, body=Rejected)
async def reject(call: Call) -> Reply:
    after = await settling.reject(call.work, call.person, call.id("settlement"), call.body.reason)
    return Reply(_described(after))


@routes.post("/settlements/{id}/cancel", RECONCILE, body=Nothing)
async def cancel(call: Call) -> Reply:
    return Reply(_described(await settling.cancel(call.work, call.person, call.id("settlement"))))


async def _before(call: Call, cursor: str) -> sa.ColumnElement[bool]:
    try:
        last = await record.shown(call.work, UUID(cursor))
    except (ValueError, NotFound):
        raise bad_cursor() from None
    at = sa.literal(last.created_at, settlements.c.created_at.type)
    return sa.tuple_(settlements.c.created_at, settlements.c.id) < sa.tuple_(at, sa.literal(last.id, sa.Uuid))


def _undecided(about: Undecided) -> Json:
    """`provider_reference`: what the provider called it when it took it; null where it never answered."""
    return {
        "id": str(about.id),
        "kind": about.kind,
        "withdrawal_id": str(about.of) if about.kind == "payout" else None,
        "refund_id": str(about.of) if about.kind == "refund" else None,
        "amount": str(about.amount),
        "currency": about.amount.currency,
        "provider": about.provider,
        "way": about.way,
        "destination": about.destination,
        "provider_reference": about.reference,
        "sent_at": plain(about.sent_at),
        "undecided_since": plain(about.since),
    }


def _described(settlement: Settlement) -> Json:
    return {
        "id": str(settlement.id),
        "digest": settlement.digest,
        "status": settlement.state,
        "about": _undecided(settlement.about),
        "outcome": settlement.outcome,
        "reference": settlement.reference,
        "note": settlement.note,
        "because": settlement.because,
        "said_by": str(settlement.maker_id),
        "created_at": plain(settlement.created_at),
        "expires_at": plain(settlement.expires_at),
    }
