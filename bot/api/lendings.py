"""Lendings: the right to approve, lent to another of the staff for some days, under four eyes."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from bot.api.answers import Answer, Page, Time
from bot.api.bodies import Approval, Body, Nothing, Rejection
from bot.api.pages import whole
from bot.api.problems import Problem
from bot.api.routes import Call, Reply, Routes
from services.approval import lending
from services.news import approval as news
from services.people.access import APPROVE, VIEW_FINANCE

routes = Routes("Lending the right to approve")


class NewLending(Body):
    """`staff_id`: who may approve then; `until`: a time like 2026-12-01T18:00:00Z."""

    staff_id: str
    until: str


class Lending(Answer):
    """`digest`: of what is approved."""

    id: UUID
    digest: str
    lender: UUID
    borrower: UUID
    until: Time
    status: Literal["pending", "lent", "over", "rejected", "canceled", "expired"]


@routes.get("/approval-lendings", VIEW_FINANCE, answer=Page[Lending])
async def listed(call: Call) -> Reply[Page[Lending]]:
    """Who has lent whom the right to approve."""
    return whole([_described(row) for row in await lending.every(call.work)])


@routes.post("/approval-lendings", APPROVE, body=NewLending, success=201, answer=Lending)
async def lend(call: Call) -> Reply[Lending]:
    """Lend the right to approve, once another approver agrees."""
    try:
        borrower, until = UUID(call.body.staff_id), datetime.fromisoformat(call.body.until)
    except ValueError:
        raise _malformed() from None
    if until.tzinfo is None:
        raise _malformed()
    return Reply(_described(await lending.lend(call.work, call.person, borrower, until)))


@routes.post("/approval-lendings/{id}/approve", APPROVE, body=Approval, answer=Lending)
async def agree(call: Call) -> Reply[Lending]:
    """Agree that somebody lends the right.

    What the caller was shown, where the digest of it is sent; else what stands there now."""
    shown = await lending.one(call.work, call.id("lending"))
    after = await lending.agree(call.work, call.person, shown.id, call.body.of(shown.digest), call.body.totp)
    return Reply(_described(after))


@routes.post("/approval-lendings/{id}/reject", APPROVE, body=Rejection, answer=Lending)
async def refuse(call: Call) -> Reply[Lending]:
    """Refuse that somebody lends the right."""
    return Reply(
        _described(await lending.refuse(call.work, call.person, call.id("lending"), call.body.reason))
    )


@routes.post("/approval-lendings/{id}/end", APPROVE, body=Nothing, answer=Lending)
async def end(call: Call) -> Reply[Lending]:
    """Take the right back at once."""
    return Reply(_described(await lending.end(call.work, call.person, call.id("lending"))))


def _malformed() -> Problem:
    detail = "staff_id is an id, and until a time like 2026-12-01T18:00:00Z."
    return Problem(400, "malformed_body", "The body is not as it should be", detail=detail)


def _described(row: news.Lending) -> Lending:
    return Lending(
        id=row.id,
        digest=row.digest,
        lender=row.lender_id,
        borrower=row.borrower_id,
        until=row.until,
        status=row.state,
    )
