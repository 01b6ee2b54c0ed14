"""Review: what no provider tells the end of, and what people say became of it. Chat and API share them."""

from typing import Any, Literal, get_args
from uuid import UUID

import sqlalchemy as sa
from pydantic import Field

from bot.api.answers import Answer, Page, Sum, Time
from bot.api.bodies import Amount, Approval, Body, Nothing, Told, money
from bot.api.pages import bad_cursor, page, whole
from bot.api.queries import PAGING, Choice, limit
from bot.api.routes import Call, Reply, Routes
from flows.staff.review_told import warnings
from flows.text import render
from services.errors import NotFound
from services.ids import new_id
from services.news import review as news
from services.people.access import RECONCILE
from services.review import queue, record, settling
from services.store.schema import settlements

routes = Routes("What nobody says the end of")

Status = Literal["pending", "done", "rejected", "canceled", "expired", "void", "contradicted"]
_STATUS = Choice("status", "Those alone that stand so.", *get_args(Status))


class NewSettlement(Body):
    """`reference`: the receipt of what was paid; of what was not, what shows that. `amount`: what the
    provider's own records have under that receipt; needed where another amount was told of a payment."""

    outcome: Literal["paid", "not_paid"]
    reference: Told = Field(max_length=settling.MOST_REFERENCE)
    note: Told = Field(max_length=settling.MOST_NOTE)
    amount: Amount | None = None


class SettlementRejection(Body):
    reason: Told = Field(max_length=settling.MOST_NOTE)


class ToldWord(Answer):
    """A word of the provider on a payment that could not be booked by it. `amount`, `receipt`: null where it
    named none. `by`: a callback that nobody signs, one that the provider has signed, or its answer to our
    question."""

    paid: bool
    amount: Sum | None
    currency: str | None
    receipt: str | None
    at: Time
    by: Literal["callback", "signed_callback", "answer"]


class UndecidedPayout(Answer):
    """A payout, a refund or an attempt of a payment of which the provider has not said what became of it.
    `provider_reference`: what it called it when it took it; null where it never answered. Of a payment: the
    receipt that it told of; `way` is the order's number then, `doubt` why nothing was credited, `told` each
    word of the provider, the oldest first, and `warnings` what does not fit, in plain words."""

    id: UUID
    kind: Literal["payout", "refund", "payment"]
    withdrawal_id: UUID | None
    refund_id: UUID | None
    payment_id: UUID | None
    amount: Sum
    currency: str
    provider: str
    way: str
    destination: str  # masked
    provider_reference: str | None
    sent_at: Time
    undecided_since: Time | None
    doubt: Literal["unconfirmed", "contradicted", "other_amount"] | None
    told: list[ToldWord]
    warnings: list[str]


class WaitingPayout(UndecidedPayout):
    """`settlement_id`: of what somebody has said became of it, which waits for approval."""

    age_seconds: int
    settlement_id: UUID | None


class Settlement(Answer):
    """What one person says became of it. `because`: why it is void; `digest`: of what is approved;
    `warnings`: what does not fit between that, what was asked for and what the provider has told, in plain
    words."""

    id: UUID
    digest: str
    status: Status
    about: UndecidedPayout
    outcome: Literal["paid", "not_paid"]
    reference: str
    note: str
    because: str | None
    warnings: list[str]
    said_by: UUID
    created_at: Time
    expires_at: Time


@routes.get("/payouts/undecided", RECONCILE, answer=Page[WaitingPayout])
async def undecided(call: Call) -> Reply[Page[WaitingPayout]]:
    """Payouts, refunds, then payments of which a success was told that could not be credited, the oldest
    first; few at any time."""
    found = await queue.queue(call.work)
    said = {each.about.id: each for each in found.settlements}
    return whole(
        [
            WaitingPayout(
                **_undecided(each),
                age_seconds=int((call.work.now - (each.since or each.sent_at)).total_seconds()),
                settlement_id=said[each.id].id if each.id in said else None,
            )
            for each in found.undecided
        ]
    )


@routes.post(
    "/payouts/undecided/{id}/settlements", RECONCILE, body=NewSettlement, success=201, answer=Settlement
)
async def propose(call: Call) -> Reply[Settlement]:
    """Say what became of a payout, a refund or an attempt of a payment; another person has to approve it.

    Of an attempt that was given up without a word it may be said too, by its id."""
    said: NewSettlement = call.body
    amount = money(said.amount, call.currency) if said.amount is not None else None
    made = await settling.propose(
        call.work,
        call.person,
        new_id(),
        call.id("undecided_payout"),
        said.outcome,
        said.reference,
        said.note,
        amount,
    )
    return Reply(_described(made))


@routes.get("/settlements", RECONCILE, query=(_STATUS, *PAGING), answer=Page[Settlement])
async def listed(call: Call) -> Reply[Page[Settlement]]:
    """What people said, the latest first."""
    status, most = _STATUS.of(call.query), limit(call.query)
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


@routes.get("/settlements/{id}", RECONCILE, answer=Settlement)
async def one(call: Call) -> Reply[Settlement]:
    """One of what people said."""
    return Reply(_described(await record.shown(call.work, call.id("settlement"))))


@routes.post("/settlements/{id}/approve", RECONCILE, body=Approval, answer=Settlement)
async def approve(call: Call) -> Reply[Settlement]:
    """Approve what somebody else said became of it.

    What the caller was shown, where the digest of it is sent; else what stands there now."""
    shown = await record.shown(call.work, call.id("settlement"))
    after = await settling.approve(
        call.work, call.person, shown.id, call.body.of(shown.digest), call.body.totp
    )
    return Reply(_described(after))


@routes.post("/settlements/{id}/reject", RECONCILE, body=SettlementRejection, answer=Settlement)
async def reject(call: Call) -> Reply[Settlement]:
    """Reject what somebody said."""
    after = await settling.reject(call.work, call.person, call.id("settlement"), call.body.reason)
    return Reply(_described(after))


@routes.post("/settlements/{id}/cancel", RECONCILE, body=Nothing, answer=Settlement)
async def cancel(call: Call) -> Reply[Settlement]:
    """Take back what one has said oneself."""
    return Reply(_described(await settling.cancel(call.work, call.person, call.id("settlement"))))


async def _before(call: Call, cursor: str) -> sa.ColumnElement[bool]:
    try:
        last = await record.shown(call.work, UUID(cursor))
    except (ValueError, NotFound):
        raise bad_cursor() from None
    at = sa.literal(last.created_at, settlements.c.created_at.type)
    return sa.tuple_(settlements.c.created_at, settlements.c.id) < sa.tuple_(at, sa.literal(last.id, sa.Uuid))


def _undecided(about: news.Undecided) -> dict[str, Any]:
    """The fields of an UndecidedPayout."""
    return {
        "id": about.id,
        "kind": about.kind,
        "withdrawal_id": about.of if about.kind == "payout" else None,
        "refund_id": about.of if about.kind == "refund" else None,
        "payment_id": about.of if about.kind == "payment" else None,
        "amount": str(about.amount),
        "currency": about.amount.currency,
        "provider": about.provider,
        "way": about.way,
        "destination": about.destination,
        "provider_reference": about.reference,
        "sent_at": about.sent_at,
        "undecided_since": about.since,
        "doubt": about.doubt and about.doubt.value,
        "told": [_told(each) for each in about.told],
        "warnings": _warnings(about),
    }


def _told(word: news.Told) -> ToldWord:
    return ToldWord(
        paid=word.paid,
        amount=str(word.amount) if word.amount is not None else None,
        currency=word.amount.currency if word.amount is not None else None,
        receipt=word.receipt,
        at=word.at,
        by=word.by,
    )


def _warnings(about: news.Undecided, receipt: str | None = None) -> list[str]:
    """As the chat says them, in English."""
    return [render(each, "en").removeprefix("⚠️ ") for each in warnings(about, receipt)]


def _described(settlement: news.Settlement) -> Settlement:
    return Settlement(
        id=settlement.id,
        digest=settlement.digest,
        status=settlement.state,
        about=UndecidedPayout(**_undecided(settlement.about)),
        outcome=settlement.outcome,
        reference=settlement.reference,
        note=settlement.note,
        because=settlement.because,
        warnings=_warnings(settlement.about, settlement.reference if settlement.outcome == "paid" else None),
        said_by=settlement.maker_id,
        created_at=settlement.created_at,
        expires_at=settlement.expires_at,
    )
