"""Refunds: what customers paid goes back; and what was paid twice, which lies in suspense until somebody has
decided. Chat and API share them."""

from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import Field

from bot.api.bodies import Amount, Approved, Body, money
from bot.api.pages import PAGING, bad_cursor, limit, page
from bot.api.problems import Problem, plain
from bot.api.routes import Call, Json, Reply, Routes
from services.facts import PaidTwice
from services.ids import new_id
from services.news.refunds import Refund, Way
from services.people.access import RECONCILE
from services.refunds import decide, queue, record, request, still_paid
from services.store.schema import refunds

routes = Routes()

_STATUSES = ("pending", "processing", "completed", "failed", "canceled", "rejected", "expired")


class Asked(Body):
    amount: Amount | None = None
    reason: str = Field(max_length=request.MOST_REASON)
    way: Literal["reversal", "payout"] | None = None


class Reasoned(Body):
    reason: str = Field(max_length=request.MOST_REASON)


class Nothing(Body):
    pass


@routes.post("/payments/{id}/refunds", RECONCILE, body=Asked, success=201)
async def ask(call: Call) -> Reply:
    """All that is left where no amount is said."""
    asked: Asked = call.body
    amount = money(asked.amount, call.currency) if asked.amount is not None else None
    way = Way(asked.way) if asked.way else None
    shop, payment_id = call.tenant.shop, call.id("payment")
    made = await request.request(
        call.work, shop, call.person, new_id(), payment_id, asked.reason, amount, way
    )
    return _asked(made)


@routes.get("/refunds", RECONCILE, query=("status", *PAGING))
async def listed(call: Call) -> Reply:
    status, most = call.query.get("status"), limit(call)
    if status is not None and status not in _STATUSES:
        raise Problem(400, "invalid_status", "Invalid status", detail=f"status is one of {_STATUSES}.")
    where = [refunds.c.status == status] if status else []
    count = sa.select(sa.func.count()).where(refunds.c.tenant_id == call.work.tenant, *where)
    found = await record.read(call.work, *where, *_after(call), latest=most + 1)
    following = str(found[most - 1].id) if len(found) > most else None
    total = await call.work.connection.scalar(count) or 0
    return page(call, total, [_described(each) for each in found[:most]], following)


@routes.get("/refunds/{id}", RECONCILE)
async def one(call: Call) -> Reply:
    return Reply(_described(await record.shown(call.work, call.id("refund"))))


@routes.post("/refunds/{id}/approve", RECONCILE, body=Approved)
async def approve(call: Call) -> Reply:
    """What the caller was shown, where the digest of it is sent; else what stands there now."""
    shown = await record.shown(call.work, call.id("refund"))
    after = await decide.approve(call.work, call.person, shown.id, call.body.of(shown.digest), call.body.totp)
    return _short(after)


@routes.post("/refunds/{id}/reject", RECONCILE, body=Reasoned)
async def reject(call: Call) -> Reply:
    return _short(await decide.reject(call.work, call.person, call.id("refund"), call.body.reason))


@routes.post("/refunds/{id}/cancel", RECONCILE, body=Nothing)
async def cancel(call: Call) -> Reply:
    return _short(await decide.cancel(call.work, call.person, call.id("refund")))


@routes.post("/payments/{id}/check", RECONCILE, body=Nothing)
async def check(call: Call) -> Reply:
    """The provider is asked whether it stands; what it gave back by itself is booked once it answers."""
    await still_paid.ask(call.work, call.person, call.id("payment"))
    return Reply({"message": "The provider is asked."})


@routes.get("/suspense", RECONCILE)
async def suspense(call: Call) -> Reply:
    """What was paid twice and nobody has asked anything for, the oldest first; few at any time."""
    found = await queue.paid_twice(call.work)
    now = call.work.now
    told = [_twice(each) | {"age_seconds": int((now - each.at).total_seconds())} for each in found]
    return page(call, len(told), told, None)


@routes.post("/suspense/{id}/refund", RECONCILE, body=Reasoned, success=201)
async def give_back(call: Call) -> Reply:
    return await _resolve(call, keep=False)


@routes.post("/suspense/{id}/accept", RECONCILE, body=Reasoned, success=201)
async def accept(call: Call) -> Reply:
    """It is kept, as another sale."""
    return await _resolve(call, keep=True)


async def _resolve(call: Call, *, keep: bool) -> Reply:
    shop, attempt_id = call.tenant.shop, call.id("suspended_payment")
    made = await request.resolve_twice(
        call.work, shop, call.person, new_id(), attempt_id, call.body.reason, keep=keep
    )
    return _asked(made)


def _after(call: Call) -> list[sa.ColumnElement[bool]]:
    """Ids follow the time that they were made at. Raises Problem."""
    cursor = call.query.get("cursor")
    if cursor is None:
        return []
    try:
        return [refunds.c.id < UUID(cursor)]
    except ValueError:
        raise bad_cursor() from None


def _asked(refund: Refund) -> Reply:
    return Reply({"message": "The refund waits for approval."} | _facts(refund))


def _short(refund: Refund) -> Reply:
    return Reply({"message": f"The refund is {refund.status}."} | _facts(refund))


def _facts(refund: Refund) -> Json:
    return {
        "refund_id": str(refund.id),
        "status": refund.status,
        "amount": str(refund.amount),
        "currency": refund.amount.currency,
        "way": str(refund.way),
    }


def _described(refund: Refund) -> Json:
    return _facts(refund) | {
        "payment_id": str(refund.payment_id),
        "order_number": refund.number,
        "paid": str(refund.paid),
        "sale_fee_kept": str(refund.fee),
        "paid_twice": refund.twice,
        "provider": refund.provider,
        "method": refund.label,
        "reason": refund.reason,
        "digest": refund.digest,
        "initiated_by": str(refund.maker_id),
        "receipt": refund.receipt,
        "created_at": plain(refund.created_at),
        "expires_at": plain(refund.expires_at),
    }


def _twice(twice: PaidTwice) -> Json:
    return {
        "id": str(twice.attempt_id),
        "payment_id": str(twice.payment_id),
        "order_number": twice.number,
        "amount": str(twice.amount),
        "currency": twice.amount.currency,
        "provider": twice.method.provider,
        "method": twice.method.label,
        "receipt": twice.receipt,
        "since": plain(twice.at),
    }
