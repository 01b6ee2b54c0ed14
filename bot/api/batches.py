"""Batches: a file of withdrawals, asked for, decided and followed as one. Chat and API share them."""

from uuid import UUID

from pydantic import Field

from bot.api.bodies import Approved, Body
from bot.api.files import File
from bot.api.problems import Problem, plain
from bot.api.routes import Call, Json, Reply, Routes
from flows.staff.batch_words import fault
from flows.text import render
from services.batches import asking, deciding, record, results
from services.batches.checking import Checked
from services.batches.faults import BatchFaulty, Faulty
from services.batches.results import Result
from services.ids import new_id
from services.money import Money
from services.news.batches import Batch
from services.people.access import APPROVE, INITIATE, VIEW_FINANCE
from services.store.schema import batches

routes = Routes()
_LATEST = 100


class Rejected(Body):
    reason: str = Field(max_length=500)


class Canceled(Body):
    reason: str | None = Field(default=None, max_length=500)


@routes.file("/wallet/batches", INITIATE, success=201)
async def ask(call: Call) -> Reply:
    file: File = call.body
    ways = call.tenant.shop.pays_out_by
    try:
        made = await asking.ask_file(call.work, call.person, new_id(), file.name, file.content, ways)
    except BatchFaulty as faulty:
        raise _faulty(faulty) from None
    return Reply(_described(made))


@routes.file("/wallet/batches/check", INITIATE)
async def check(call: Call) -> Reply:
    """What it would come to; nothing is kept."""
    file: File = call.body
    try:
        found = await asking.look(call.work, call.person, file.content, call.tenant.shop.pays_out_by)
    except BatchFaulty as faulty:
        raise _faulty(faulty) from None
    return Reply(_checked(found, call.currency))


@routes.get("/wallet/batches", VIEW_FINANCE)
async def listed(call: Call) -> Reply:
    asked = batches.c.state.not_in(("taken", "draft", "faulty"))
    found = await record.read(call.work, asked, latest=_LATEST)
    return Reply({"count": len(found), "results": [_described(each) for each in found], "next_cursor": None})


@routes.get("/wallet/batches/{id}", VIEW_FINANCE)
async def one(call: Call) -> Reply:
    batch_id = call.id("batch")
    batch = await record.shown(call.work, batch_id)
    lines = await results.of_lines(call.work, batch_id)
    return Reply(_described(batch) | {"lines": [_line(each) for each in lines]})


@routes.post("/wallet/batches/{id}/approve", APPROVE, body=Approved)
async def approve(call: Call) -> Reply:
    """What the caller was shown, where the digest of it is sent; else what stands there now."""
    shown = await record.shown(call.work, call.id("batch"))
    ways = call.tenant.shop.pays_out_by
    try:
        after = await deciding.approve(
            call.work, call.person, shown.id, call.body.of(shown.digest), ways, call.body.totp
        )
    except BatchFaulty as faulty:
        raise _faulty(faulty) from None
    return Reply(_described(after))


@routes.post("/wallet/batches/{id}/reject", APPROVE, body=Rejected)
async def reject(call: Call) -> Reply:
    return Reply(
        _described(await deciding.reject(call.work, call.person, call.id("batch"), call.body.reason))
    )


@routes.post("/wallet/batches/{id}/cancel", INITIATE, APPROVE, body=Canceled)
async def cancel(call: Call) -> Reply:
    return Reply(
        _described(await deciding.cancel(call.work, call.person, call.id("batch"), call.body.reason))
    )


def _faulty(faulty: BatchFaulty) -> Problem:
    listed = tuple(_fault(each) for each in faulty.faults)
    detail = f"Nothing was started. {listed[0]['detail']}"
    title = "Lines of the file are at fault"
    return Problem(422, faulty.code, title, detail=detail, faults=listed, count=len(listed))


def _fault(each: Faulty) -> Json:
    told = each.model_dump(exclude_none=True, exclude={"because", "line", "limit", "left"})
    money = {"limit": each.limit, "left": each.left}
    return {
        "line": each.line,
        "code": each.because.value,
        **told,
        **{key: str(value) for key, value in money.items() if value is not None},
        "detail": render(fault(each), "en"),
    }


def _checked(found: Checked, currency: str) -> Json:
    return {
        "count": len(found.lines),
        "amount": str(Money(found.amount, currency)),
        "fee": str(Money(found.fee, currency)),
        "net_amount": str(Money(found.amount - found.fee, currency)),
        "currency": currency,
        "by_method": [
            {"method_type": way, "count": n, "amount": str(Money(minor, currency))}
            for way, n, minor in found.sums
        ],
        "new_destinations": found.new_destinations,
        "repeated": [{"line": at, "earlier": of} for at, of in found.warnings["repeated"]],
    }


def _described(batch: Batch) -> Json:
    return {
        "id": str(batch.id),
        "digest": batch.digest,
        "name": batch.name,
        "status": batch.state,
        "count": batch.count,
        "amount": str(batch.amount),
        "fee": str(batch.fee),
        "net_amount": str(batch.net),
        "currency": batch.amount.currency,
        "by_method": [
            {"method_type": each.of, "count": each.count, "amount": str(each.amount)} for each in batch.sums
        ],
        "by_status": [
            {"status": each.of, "count": each.count, "amount": str(each.amount)} for each in batch.stands
        ],
        "flags": [{"reason": each.because.value, "count": each.count} for each in batch.flags],
        "new_destinations": batch.new_destinations,
        "repeated": [each.model_dump() for each in batch.repeated],
        "same_file_at": plain(batch.seen_at),
        "initiated_by": str(batch.maker_id),
        "approvals_needed": batch.needed,
        "created_at": plain(batch.created_at),
        "expires_at": plain(batch.expires_at),
    }


def _line(each: Result) -> Json:
    withdrawal: UUID | None = each.withdrawal_id
    return {
        "line": each.line,
        "method_type": each.method_type,
        "destination": each.destination,
        "amount": str(each.amount),
        "fee": str(each.fee),
        "net_amount": str(each.net),
        "note": each.note,
        "new_destination": each.new,
        "flags": list(each.flags),
        "status": each.status,
        "reason": each.reason,
        "receipt": each.receipt,
        "transaction_id": str(withdrawal) if withdrawal else None,
    }
