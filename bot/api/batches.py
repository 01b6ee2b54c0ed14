"""Batches: a file of withdrawals, asked for, decided and followed as one. Chat and API share them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from bot.api.answers import Answer, OneOf, Page, Sum, Time
from bot.api.bodies import Approval, Cancellation, Rejection
from bot.api.files import File
from bot.api.pages import whole
from bot.api.problems import Problem
from bot.api.routes import Call, Reply, Routes
from bot.api.wallet import MethodType
from bot.api.withdrawals import Status
from flows.staff.batch_words import fault
from flows.text import render
from services.batches import asking, deciding, record, results
from services.batches.checking import Checked
from services.batches.faults import BatchFaulty, Fault, Faulty
from services.batches.results import Result
from services.ids import new_id
from services.money import Money
from services.news import batches as news
from services.people.access import APPROVE, INITIATE, VIEW_FINANCE
from services.reasons import Unusual
from services.store.schema import batches

routes = Routes("Files of withdrawals")
_LATEST = 100


class ByMethod(Answer):
    method_type: MethodType
    count: int
    amount: Sum


class ByStatus(Answer):
    status: Status
    count: int
    amount: Sum


class Repeated(Answer):
    """A line with the destination and the amount of an earlier one."""

    line: int
    earlier: int


class BatchFlag(Answer):
    """What is unusual of so many lines."""

    reason: Annotated[str, OneOf(*Unusual)]
    count: int | None


class BatchLine(Answer):
    """`status`: of its withdrawal, null before there is one; `reason`: why it has failed."""

    line: int
    method_type: MethodType
    destination: str  # masked
    amount: Sum
    fee: Sum
    net_amount: Sum
    note: str | None
    new_destination: bool
    flags: list[str]
    status: Status | None
    reason: str | None
    receipt: str | None
    transaction_id: UUID | None


class BatchChecked(Answer):
    count: int
    amount: Sum
    fee: Sum
    net_amount: Sum
    currency: str
    by_method: list[ByMethod]
    new_destinations: bool
    repeated: list[Repeated]


class Batch(Answer):
    """`same_file_at`: when the very same file was asked for within 30 days."""

    id: UUID
    digest: str
    name: str
    status: Literal[
        "taken", "draft", "faulty", "pending", "running", "done", "rejected", "canceled", "expired"
    ]
    count: int
    amount: Sum
    fee: Sum
    net_amount: Sum
    currency: str
    by_method: list[ByMethod]
    by_status: list[ByStatus]
    flags: list[BatchFlag]
    new_destinations: bool
    repeated: list[Repeated]
    same_file_at: Time | None
    initiated_by: UUID
    approvals_needed: int
    created_at: Time
    expires_at: Time | None


class BatchWithLines(Batch):
    lines: list[BatchLine]


@routes.file("/wallet/batches", INITIATE, success=201, answer=Batch)
async def ask(call: Call) -> Reply[Batch]:
    """Ask for all withdrawals of a CSV file.

    One line at fault starts nothing."""
    file: File = call.body
    ways = call.tenant.shop.pays_out_by
    try:
        made = await asking.ask_file(call.work, call.person, new_id(), file.name, file.content, ways)
    except BatchFaulty as faulty:
        raise _faulty(faulty) from None
    return _described(made)


@routes.file("/wallet/batches/check", INITIATE, answer=BatchChecked)
async def check(call: Call) -> Reply[BatchChecked]:
    """What a CSV file of withdrawals would come to; nothing is kept."""
    file: File = call.body
    try:
        found = await asking.look(call.work, call.person, file.content, call.tenant.shop.pays_out_by)
    except BatchFaulty as faulty:
        raise _faulty(faulty) from None
    return Reply(_checked(found, call.currency))


@routes.get("/wallet/batches", VIEW_FINANCE, answer=Page[Batch])
async def listed(call: Call) -> Reply[Page[Batch]]:
    """The latest files of withdrawals."""
    asked = batches.c.state.not_in(("taken", "draft", "faulty"))
    found = await record.read(call.work, asked, latest=_LATEST)
    return whole([Batch(**_facts(each)) for each in found])


@routes.get("/wallet/batches/{id}", VIEW_FINANCE, answer=BatchWithLines)
async def one(call: Call) -> Reply[BatchWithLines]:
    """One file of withdrawals, with what has become of each line."""
    batch_id = call.id("batch")
    batch = await record.shown(call.work, batch_id)
    lines = await results.of_lines(call.work, batch_id)
    return Reply(BatchWithLines(**_facts(batch), lines=[_line(each) for each in lines]))


@routes.post("/wallet/batches/{id}/approve", APPROVE, body=Approval, answer=Batch)
async def approve(call: Call) -> Reply[Batch]:
    """Approve a file of withdrawals as a whole.

    What the caller was shown, where the digest of it is sent; else what stands there now."""
    shown = await record.shown(call.work, call.id("batch"))
    ways = call.tenant.shop.pays_out_by
    try:
        after = await deciding.approve(
            call.work, call.person, shown.id, call.body.of(shown.digest), ways, call.body.totp
        )
    except BatchFaulty as faulty:
        raise _faulty(faulty) from None
    return _described(after)


@routes.post("/wallet/batches/{id}/reject", APPROVE, body=Rejection, answer=Batch)
async def reject(call: Call) -> Reply[Batch]:
    """Reject a file of withdrawals."""
    return _described(await deciding.reject(call.work, call.person, call.id("batch"), call.body.reason))


@routes.post("/wallet/batches/{id}/cancel", INITIATE, APPROVE, body=Cancellation, answer=Batch)
async def cancel(call: Call) -> Reply[Batch]:
    """Cancel a file of withdrawals while it is pending."""
    return _described(await deciding.cancel(call.work, call.person, call.id("batch"), call.body.reason))


def _faulty(faulty: BatchFaulty) -> Problem:
    listed = tuple(_fault(each) for each in faulty.faults)
    detail = f"Nothing was started. {listed[0]['detail']}"
    title = "Lines of the file are at fault"
    return Problem(422, faulty.code, title, detail=detail, faults=listed, count=len(listed))


def _fault(each: Faulty) -> dict[str, Any]:
    told = each.model_dump(exclude_none=True, exclude={"because", "line", "limit", "left", "fee"})
    least = each.because in (Fault.MINIMUM, Fault.FEE)
    money = {"minimum" if least else "limit": each.limit, "left": each.left, "fee": each.fee}
    return {
        "line": each.line,
        "code": each.because.value,
        **told,
        **{key: str(value) for key, value in money.items() if value is not None},
        "detail": render(fault(each), "en"),
    }


def _checked(found: Checked, currency: str) -> BatchChecked:
    return BatchChecked(
        count=len(found.lines),
        amount=str(Money(found.amount, currency)),
        fee=str(Money(found.fee, currency)),
        net_amount=str(Money(found.amount - found.fee, currency)),
        currency=currency,
        by_method=[
            ByMethod(method_type=way, count=n, amount=str(Money(minor, currency)))
            for way, n, minor in found.sums
        ],
        new_destinations=found.new_destinations,
        repeated=[Repeated(line=at, earlier=of) for at, of in found.warnings["repeated"]],
    )


def _described(batch: news.Batch) -> Reply[Batch]:
    return Reply(Batch(**_facts(batch)))


def _facts(batch: news.Batch) -> dict[str, Any]:
    """The fields of a Batch."""
    sums, stands = batch.sums, batch.stands
    return {
        "id": batch.id,
        "digest": batch.digest,
        "name": batch.name,
        "status": batch.state,
        "count": batch.count,
        "amount": str(batch.amount),
        "fee": str(batch.fee),
        "net_amount": str(batch.net),
        "currency": batch.amount.currency,
        "by_method": [ByMethod(method_type=it.of, count=it.count, amount=str(it.amount)) for it in sums],
        "by_status": [ByStatus(status=it.of, count=it.count, amount=str(it.amount)) for it in stands],
        "flags": [BatchFlag(reason=it.because, count=it.count) for it in batch.flags],
        "new_destinations": batch.new_destinations,
        "repeated": [Repeated(line=it.line, earlier=it.earlier) for it in batch.repeated],
        "same_file_at": batch.seen_at,
        "initiated_by": batch.maker_id,
        "approvals_needed": batch.needed,
        "created_at": batch.created_at,
        "expires_at": batch.expires_at,
    }


def _line(each: Result) -> BatchLine:
    return BatchLine(
        line=each.line,
        method_type=each.method_type,
        destination=each.destination,
        amount=str(each.amount),
        fee=str(each.fee),
        net_amount=str(each.net),
        note=each.note,
        new_destination=each.new,
        flags=list(each.flags),
        status=each.status,
        reason=each.reason,
        receipt=each.receipt,
        transaction_id=each.withdrawal_id,
    )
