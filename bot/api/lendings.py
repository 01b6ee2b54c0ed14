"""Lendings: the right to approve, lent to another of the staff for some days, under four eyes."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from bot.api.bodies import Approved, Body
from bot.api.problems import Problem, plain
from bot.api.routes import Call, Json, Reply, Routes
from services.approval import lending
from services.news.approval import Lending
from services.people.access import APPROVE, VIEW_FINANCE

routes = Routes()


class Lent(Body):
    staff_id: str
    until: str


class Nothing(Body):
    pass


class Refused(Body):
    reason: str = Field(max_length=500)


@routes.get("/approval-lendings", VIEW_FINANCE)
async def listed(call: Call) -> Reply:
    rows = await lending.every(call.work)
    return Reply({"count": len(rows), "results": [_described(row) for row in rows], "next_cursor": None})


@routes.post("/approval-lendings", APPROVE, body=Lent, success=201)
async def lend(call: Call) -> Reply:
    try:
        borrower, until = UUID(call.body.staff_id), datetime.fromisoformat(call.body.until)
    except ValueError:
        raise _malformed() from None
    if until.tzinfo is None:
        raise _malformed()
    return Reply(_described(await lending.lend(call.work, call.person, borrower, until)))


@routes.post("/approval-lendings/{id}/approve", APPROVE, body=Approved)
async def agree(call: Call) -> Reply:
    """What the caller was shown, where the digest of it is sent; else what stands there now."""
    shown = await lending.one(call.work, call.id("lending"))
    after = await lending.agree(call.work, call.person, shown.id, call.body.of(shown.digest), call.body.totp)
    return Reply(_described(after))


@routes.post("/approval-lendings/{id}/reject", APPROVE, body=Refused)
async def refuse(call: Call) -> Reply:
    return Reply(
        _described(await lending.refuse(call.work, call.person, call.id("lending"), call.body.reason))
    )


@routes.post("/approval-lendings/{id}/end", APPROVE, body=Nothing)
async def end(call: Call) -> Reply:
    return Reply(_described(await lending.end(call.work, call.person, call.id("lending"))))


def _malformed() -> Problem:
    detail = "staff_id is an id, and until a time like 2026-12-01T18:00:00Z."
    return Problem(400, "malformed_body", "The body is not as it should be", detail=detail)


def _described(row: Lending) -> Json:
    return {
        "id": str(row.id),
        "digest": row.digest,
        "lender": str(row.lender_id),
        "borrower": str(row.borrower_id),
        "until": plain(row.until),
        "status": row.state,
    }
