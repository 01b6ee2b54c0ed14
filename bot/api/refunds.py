"""Refunds: what customers paid goes back; and what was paid twice, which lies in suspense until somebody has
decided. Chat and API share them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import Field

from bot.api.answers import NOT_SET, Answer, OneOf, Page, Sum, Time
from bot.api.bodies import Amount, Approval, Body, Nothing, Told, money
from bot.api.pages import bad_cursor, page, whole
from bot.api.queries import PAGING, Choice, limit
from bot.api.routes import Call, Reply, Routes
from services.facts import PaidTwice
from services.ids import new_id
from services.news import refunds as news
from services.news.refunds import Way
from services.people.access import RECONCILE
from services.refunds import decide, queue, record, request, still_paid
from services.store.schema import refunds

routes = Routes("Refunds")

_STATUSES = ("pending", "processing", "completed", "failed", "canceled", "rejected", "expired")
_STATUS = Choice("status", "Those alone that stand so.", *_STATUSES)


class NewRefund(Body):
    """All that is left of the payment where no `amount` is said. `way`: by the provider's reversal, or as a
    payout to who paid."""

    amount: Amount = NOT_SET  # null is no amount, and never all of it
    reason: Told = Field(max_length=request.MOST_REASON)
    way: Literal["reversal", "payout"] | None = None


class RefundReason(Body):
    reason: Told = Field(max_length=request.MOST_REASON)


class _Refund(Answer):
    refund_id: UUID
    status: Annotated[str, OneOf(*_STATUSES)]
    amount: Sum
    currency: str
    way: Annotated[str, OneOf(*Way)]


class _Told(Answer):
    message: str


class RefundMoved(_Refund, _Told):
    """Where it stands now."""


class Refund(_Refund):
    """`sale_fee_kept`: of the sale, which is not given back; `digest`: of what is approved."""

    payment_id: UUID
    order_number: str
    paid: Sum
    sale_fee_kept: Sum
    paid_twice: bool
    provider: str
    method: str  # masked
    reason: str
    digest: str
    initiated_by: UUID
    receipt: str | None
    created_at: Time
    expires_at: Time


class CheckAsked(_Told):
    pass


class SuspendedPayment(Answer):
    """What was paid twice for an order, and nobody has asked anything for."""

    id: UUID
    payment_id: UUID
    order_number: str
    amount: Sum
    currency: str
    provider: str
    method: str  # masked
    receipt: str | None
    since: Time
    age_seconds: int


@routes.post("/payments/{id}/refunds", RECONCILE, body=NewRefund, success=201, answer=RefundMoved)
async def ask(call: Call) -> Reply[RefundMoved]:
    """Ask that a payment, or a part of it, goes back.

    The amount is held, and another person has to approve it."""
    asked: NewRefund = call.body
    amount = money(asked.amount, call.currency) if asked.amount is not None else None
    way = Way(asked.way) if asked.way else None
    shop, payment_id = call.tenant.shop, call.id("payment")
    made = await request.request(
        call.work, shop, call.person, new_id(), payment_id, asked.reason, amount, way
    )
    return _asked(made)


@routes.get("/refunds", RECONCILE, query=(_STATUS, *PAGING), answer=Page[Refund])
async def listed(call: Call) -> Reply[Page[Refund]]:
    """Refunds, the latest first."""
    status, most = _STATUS.of(call.query), limit(call.query)
    where = [refunds.c.status == status] if status else []
    count = sa.select(sa.func.count()).where(refunds.c.tenant_id == call.work.tenant, *where)
    found = await record.read(call.work, *where, *_after(call), latest=most + 1)
    following = str(found[most - 1].id) if len(found) > most else None
    total = await call.work.connection.scalar(count) or 0
    return page(call, total, [_described(each) for each in found[:most]], following)


@routes.get("/refunds/{id}", RECONCILE, answer=Refund)
async def one(call: Call) -> Reply[Refund]:
    """One refund."""
    return Reply(_described(await record.shown(call.work, call.id("refund"))))


@routes.post("/refunds/{id}/approve", RECONCILE, body=Approval, answer=RefundMoved)
async def approve(call: Call) -> Reply[RefundMoved]:
    """Approve a refund that somebody else has asked for.

    What the caller was shown, where the digest of it is sent; else what stands there now."""
    shown = await record.shown(call.work, call.id("refund"))
    after = await decide.approve(call.work, call.person, shown.id, call.body.of(shown.digest), call.body.totp)
    return _short(after)


@routes.post("/refunds/{id}/reject", RECONCILE, body=RefundReason, answer=RefundMoved)
async def reject(call: Call) -> Reply[RefundMoved]:
    """Reject a refund that waits for approval.

    A customer who has asked for it in the chat is told the reason."""
    return _short(await decide.reject(call.work, call.person, call.id("refund"), call.body.reason))


@routes.post("/refunds/{id}/cancel", RECONCILE, body=Nothing, answer=RefundMoved)
async def cancel(call: Call) -> Reply[RefundMoved]:
    """Cancel a refund while it is pending."""
    return _short(await decide.cancel(call.work, call.person, call.id("refund")))


@routes.post("/payments/{id}/check", RECONCILE, body=Nothing, answer=CheckAsked)
async def check(call: Call) -> Reply[CheckAsked]:
    """Have the provider asked whether a payment stands.

    What it gave back by itself is booked once it answers."""
    await still_paid.ask(call.work, call.person, call.id("payment"))
    return Reply(CheckAsked(message="The provider is asked."))


@routes.get("/suspense", RECONCILE, answer=Page[SuspendedPayment])
async def suspense(call: Call) -> Reply[Page[SuspendedPayment]]:
    """What was paid twice and nobody has asked anything for, the oldest first; few at any time."""
    found = await queue.paid_twice(call.work)
    return whole([_twice(each, call.work.now) for each in found])


@routes.post("/suspense/{id}/refund", RECONCILE, body=RefundReason, success=201, answer=RefundMoved)
async def give_back(call: Call) -> Reply[RefundMoved]:
    """Ask that what was paid twice goes back."""
    return await _resolve(call, keep=False)


@routes.post("/suspense/{id}/accept", RECONCILE, body=RefundReason, success=201, answer=RefundMoved)
async def accept(call: Call) -> Reply[RefundMoved]:
    """Ask that what was paid twice is kept, as another sale."""
    return await _resolve(call, keep=True)


async def _resolve(call: Call, *, keep: bool) -> Reply[RefundMoved]:
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


def _asked(refund: news.Refund) -> Reply[RefundMoved]:
    return Reply(RefundMoved(message="The refund waits for approval.", **_facts(refund)))


def _short(refund: news.Refund) -> Reply[RefundMoved]:
    return Reply(RefundMoved(message=f"The refund is {refund.status}.", **_facts(refund)))


def _facts(refund: news.Refund) -> dict[str, Any]:
    """What every answer tells of it."""
    return {
        "refund_id": refund.id,
        "status": refund.status,
        "amount": str(refund.amount),
        "currency": refund.amount.currency,
        "way": refund.way,
    }


def _described(refund: news.Refund) -> Refund:
    return Refund(
        **_facts(refund),
        payment_id=refund.payment_id,
        order_number=refund.number,
        paid=str(refund.paid),
        sale_fee_kept=str(refund.fee),
        paid_twice=refund.twice,
        provider=refund.provider,
        method=refund.label,
        reason=refund.reason,
        digest=refund.digest,
        initiated_by=refund.maker_id,
        receipt=refund.receipt,
        created_at=refund.created_at,
        expires_at=refund.expires_at,
    )


def _twice(twice: PaidTwice, now: datetime) -> SuspendedPayment:
    return SuspendedPayment(
        id=twice.attempt_id,
        payment_id=twice.payment_id,
        order_number=twice.number,
        amount=str(twice.amount),
        currency=twice.amount.currency,
        provider=twice.method.provider,
        method=twice.method.label,
        receipt=twice.receipt,
        since=twice.at,
        age_seconds=int((now - twice.at).total_seconds()),
    )
