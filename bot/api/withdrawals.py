"""Withdrawals, from asking to the decision. Chat and API share them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from bot.api.answers import NOT_SET, Answer, OneOf, Page, Sum, Time
from bot.api.bodies import Amount, Approval, Body, Cancellation, Rejection, Told, money
from bot.api.pages import bad_cursor, page
from bot.api.queries import PAGING, Choice, limit
from bot.api.routes import Call, Reply, Routes
from bot.api.wallet import MethodType
from services import news
from services.banks import InvalidDestination
from services.errors import InvalidMethodDetails, InvalidPhone, NotFound
from services.facts import Destination
from services.ids import new_id
from services.people.access import APPROVE, INITIATE, VIEW_FINANCE
from services.rails import refuse_closed_way_out
from services.reasons import Held, Unusual
from services.withdrawals import decide, destinations, listing, record, request
from services.withdrawals.listing import Described

routes = Routes("Withdrawals")

DETAILS: Mapping[str, tuple[str, ...]] = {
    "mpesa": ("phone_number",),
    "till": ("till_number",),
    "bank_transfer": ("account_number", "bank_code", "account_name"),
}
_LONGEST_DETAIL = 100
_STATUSES = ("pending", "processing", "completed", "failed", "canceled", "rejected", "expired")
_STATUS = Choice("status", "Those alone that stand so.", *_STATUSES)

Status = Annotated[str, OneOf(*_STATUSES)]


class NewWithdrawal(Body):
    """`method_details`: `phone_number` of `mpesa`; `till_number` of `till`; `account_number`, `bank_code` and
    `account_name` of `bank_transfer`."""

    amount: Amount
    method_type: Literal["mpesa", "till", "bank_transfer"]
    method_details: dict[str, Any]
    notes: Told | None = Field(default=None, max_length=500)


class WithdrawalAsked(Answer):
    message: str
    transaction_id: UUID
    amount: Sum
    fee: Sum
    net_amount: Sum
    status: Status
    currency: str
    requires_approval: bool


class WithdrawalApproved(Answer):
    """`status`: `processing` until the provider's word, `pending` while approvals are still needed."""

    success: bool
    status: Status
    message: str
    transaction_id: UUID
    amount: Sum
    fee: Sum
    net_amount: Sum


class WithdrawalClosed(Answer):
    message: str
    transaction_id: UUID
    status: Status


class Flag(Answer):
    """What was unusual of it when it was asked for; it stops nothing."""

    reason: Annotated[str, OneOf(*Unusual)]
    usual_amount: Sum = NOT_SET
    count: int = NOT_SET


class HistoryLine(Answer):
    at: Time
    status: Status
    by: UUID | None
    reason: str | None


class Withdrawal(Answer):
    """`digest`: of what is approved; `held_back`: why one that is approved is not sent yet."""

    id: UUID
    digest: str
    amount: Sum
    fee: Sum
    net_amount: Sum
    currency: str
    status: Status
    held_back: Annotated[str, OneOf(*Held)] | None
    method_type: MethodType
    method_details: dict[str, str]  # masked
    new_destination: bool
    flags: list[Flag]
    initiated_by: UUID
    approved_by: list[UUID]
    approvals_needed: int
    notes: str | None
    created_at: Time
    expires_at: Time
    history: list[HistoryLine]


@routes.get("/wallet/withdrawals", VIEW_FINANCE, query=(_STATUS, *PAGING), answer=Page[Withdrawal])
async def listed(call: Call) -> Reply[Page[Withdrawal]]:
    """Withdrawals, the latest first."""
    status, most = _STATUS.of(call.query), limit(call.query)
    try:
        cursor = call.query.get("cursor")
        rows = await listing.page(call.work, status, UUID(cursor) if cursor is not None else None, most + 1)
    except (ValueError, NotFound):
        raise bad_cursor() from None
    count = await listing.count(call.work, status)
    following = str(rows[most - 1].withdrawal.id) if len(rows) > most else None
    return page(call, count, [_described(row) for row in rows[:most]], following)


@routes.get("/wallet/withdrawals/{id}", VIEW_FINANCE, answer=Withdrawal)
async def one(call: Call) -> Reply[Withdrawal]:
    """One withdrawal, with its history."""
    return Reply(_described(await listing.one(call.work, call.id("withdrawal"))))


@routes.post("/wallet/withdrawals", INITIATE, body=NewWithdrawal, success=201, answer=WithdrawalAsked)
async def ask(call: Call) -> Reply[WithdrawalAsked]:
    """Ask for a withdrawal.

    The amount is held, and another person has to approve it. A destination that is new is shown to the
    approvers as new."""
    asked: NewWithdrawal = call.body
    gross = money(asked.amount, call.currency)
    refuse_closed_way_out(call.tenant.shop, asked.method_type)
    destination = destination_of(asked)
    quote = await request.quote(call.work, gross, asked.method_type)
    made = await request.request(call.work, call.person, new_id(), quote, destination, asked.notes)
    return Reply(
        WithdrawalAsked(
            message="The withdrawal waits for approval.",
            transaction_id=made.id,
            amount=str(made.amount),
            fee=str(made.fee),
            net_amount=str(made.net),
            status=made.status,
            currency=made.amount.currency,
            requires_approval=True,
        )
    )


@routes.post("/wallet/withdrawals/{id}/approve", APPROVE, body=Approval, answer=WithdrawalApproved)
async def approve(call: Call) -> Reply[WithdrawalApproved]:
    """Approve a withdrawal that somebody else has asked for.

    What the caller was shown, where the digest of it is sent; else what stands there now."""
    shown = await record.shown(call.work, call.id("withdrawal"))
    after = await decide.approve(call.work, call.person, shown.id, call.body.of(shown.digest), call.body.totp)
    return Reply(
        WithdrawalApproved(
            success=True,
            status=after.status,
            message="Approved; more approvals are needed." if after.status == "pending" else "Approved.",
            transaction_id=after.id,
            amount=str(after.amount),
            fee=str(after.fee),
            net_amount=str(after.net),
        )
    )


@routes.post("/wallet/withdrawals/{id}/reject", APPROVE, body=Rejection, answer=WithdrawalClosed)
async def reject(call: Call) -> Reply[WithdrawalClosed]:
    """Reject a withdrawal that waits for approval."""
    after = await decide.reject(call.work, call.person, call.id("withdrawal"), call.body.reason)
    return _closed("The withdrawal was rejected.", after)


@routes.post("/wallet/withdrawals/{id}/cancel", INITIATE, APPROVE, body=Cancellation, answer=WithdrawalClosed)
async def cancel(call: Call) -> Reply[WithdrawalClosed]:
    """Cancel a withdrawal while it is pending."""
    after = await decide.cancel(call.work, call.person, call.id("withdrawal"), call.body.reason)
    return _closed("The withdrawal was canceled.", after)


def destination_of(asked: NewWithdrawal) -> Destination:
    """Raises InvalidMethodDetails."""
    details = _details(asked)
    try:
        return destinations.told(asked.method_type, details)
    except InvalidPhone:
        raise InvalidMethodDetails(wrong=("phone_number",)) from None
    except InvalidDestination as wrong:
        raise InvalidMethodDetails(wrong=(wrong.field,)) from None


def _details(asked: NewWithdrawal) -> dict[str, str]:
    names, given = DETAILS[asked.method_type], asked.method_details
    missing = tuple(name for name in names if given.get(name) in (None, ""))
    wrong = tuple(
        name for name in given if name not in missing and (name not in names or not _is_text(given[name]))
    )
    if missing or wrong:
        raise InvalidMethodDetails(missing, wrong)
    return {name: given[name].strip() for name in names}


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST_DETAIL


def _closed(message: str, after: news.Withdrawal) -> Reply[WithdrawalClosed]:
    return Reply(WithdrawalClosed(message=message, transaction_id=after.id, status=after.status))


def _flag(flag: news.Flag) -> Flag:
    """With what is usual, or how many there were, where it speaks of that."""
    told: dict[str, Any] = {}
    if flag.usual is not None:
        told["usual_amount"] = str(flag.usual)
    if flag.count is not None:
        told["count"] = flag.count
    return Flag(reason=flag.because, **told)


def _described(row: Described) -> Withdrawal:
    withdrawal = row.withdrawal
    history = [
        HistoryLine(at=line.at, status=line.status, by=line.by, reason=line.reason) for line in row.history
    ]
    return Withdrawal(
        id=withdrawal.id,
        digest=withdrawal.digest,
        amount=str(withdrawal.amount),
        fee=str(withdrawal.fee),
        net_amount=str(withdrawal.net),
        currency=withdrawal.amount.currency,
        status=withdrawal.status,
        held_back=row.held,
        method_type=withdrawal.method_type,
        method_details=row.details,
        new_destination=withdrawal.new_destination,
        flags=[_flag(each) for each in withdrawal.flags],
        initiated_by=withdrawal.maker_id,
        approved_by=list(row.approved_by),
        approvals_needed=row.approvals_needed,
        notes=row.notes,
        created_at=withdrawal.created_at,
        expires_at=withdrawal.expires_at,
        history=history,
    )
