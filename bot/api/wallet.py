"""The wallet: what is in it, and withdrawals from asking to the decision. Chat and API share them."""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from bot.api.bodies import Amount, Approved, Body, money
from bot.api.pages import PAGING, bad_cursor, limit, page
from bot.api.problems import Problem, plain
from bot.api.routes import Call, Json, Reply, Routes
from services import fees, ledger
from services.banks import InvalidDestination
from services.errors import InvalidMethodDetails, InvalidPhone, NotFound
from services.facts import Destination
from services.ids import new_id
from services.money import Money
from services.news import Flag, Withdrawal
from services.people.access import APPROVE, INITIATE, VIEW_FINANCE
from services.rails import RAILS, refuse_closed_way_out
from services.withdrawals import decide, destinations, listing, record, request, ways
from services.withdrawals.listing import Described, masked_details

routes = Routes()

DETAILS: Mapping[str, tuple[str, ...]] = {
    "mpesa": ("phone_number",),
    "till": ("till_number",),
    "bank_transfer": ("account_number", "bank_code", "account_name"),
}
_STATUSES = ("pending", "processing", "completed", "failed", "canceled", "rejected", "expired")
_LONGEST_DETAIL = 100
_WAYS = ("mpesa", "till", "bank_transfer")


class Asked(Body):
    amount: Amount
    method_type: Literal["mpesa", "till", "bank_transfer"]
    method_details: dict[str, Any]
    notes: str | None = Field(default=None, max_length=500)


class Rejected(Body):
    reason: str = Field(max_length=500)


class Canceled(Body):
    reason: str | None = Field(default=None, max_length=500)


@routes.get("/wallet", VIEW_FINANCE)
async def wallet(call: Call) -> Reply:
    balance = await ledger.balance(call.work, call.currency)
    return Reply(
        {
            "posted": str(balance.posted),
            "held": str(balance.held),
            "available": str(balance.available),
            "owed": str(balance.owed),
            "currency": call.currency,
            "resting": [
                {
                    "method_type": each.way,
                    "because": str(each.because),
                    "since": plain(each.since) if each.since else None,
                }
                for each in await ways.resting(call.work)
            ],
        }
    )


@routes.get("/wallet/withdrawal-options", VIEW_FINANCE)
async def options(call: Call) -> Reply:
    balance = await ledger.balance(call.work, call.currency)
    configured = await destinations.configured_one(call.work)
    costs = {way: await fees.usual(call.work, way) for way in _WAYS}
    return Reply(
        {
            "available_methods": [way for way in _WAYS if way in call.tenant.shop.pays_out_by],
            "configured_method": _method(configured) if configured else None,
            "minimum_amounts": {way: str(Money(RAILS[way].minimum, "KES")) for way in _WAYS},
            "fees": {way: str(fee) for way, fee in costs.items()},
            "wallet_balance": str(balance.posted),
            "available_balance": str(balance.available),
            "currency": call.currency,
        }
    )


@routes.get("/wallet/withdrawals", VIEW_FINANCE, query=("status", *PAGING))
async def listed(call: Call) -> Reply:
    status, most = call.query.get("status"), limit(call)
    if status is not None and status not in _STATUSES:
        raise Problem(400, "invalid_status", "Invalid status", detail=f"status is one of {_STATUSES}.")
    try:
        cursor = call.query.get("cursor")
        rows = await listing.page(call.work, status, UUID(cursor) if cursor is not None else None, most + 1)
    except (ValueError, NotFound):
        raise bad_cursor() from None
    count = await listing.count(call.work, status)
    following = str(rows[most - 1].withdrawal.id) if len(rows) > most else None
    return page(call, count, [_described(row) for row in rows[:most]], following)


@routes.get("/wallet/withdrawals/{id}", VIEW_FINANCE)
async def one(call: Call) -> Reply:
    return Reply(_described(await listing.one(call.work, call.id("withdrawal"))))


@routes.post("/wallet/withdrawals", INITIATE, body=Asked, success=201)
async def ask(call: Call) -> Reply:
    asked: Asked = call.body
    gross = money(asked.amount, call.currency)
    refuse_closed_way_out(call.tenant.shop, asked.method_type)
    destination = destination_of(asked)
    quote = await request.quote(call.work, gross, asked.method_type)
    made = await request.request(call.work, call.person, new_id(), quote, destination, asked.notes)
    told = {"status": made.status, "currency": made.amount.currency, "requires_approval": True}
    return Reply(_sums("The withdrawal waits for approval.", made) | told)


@routes.post("/wallet/withdrawals/{id}/approve", APPROVE, body=Approved)
async def approve(call: Call) -> Reply:
    """What the caller was shown, where the digest of it is sent; else what stands there now."""
    shown = await record.shown(call.work, call.id("withdrawal"))
    after = await decide.approve(call.work, call.person, shown.id, call.body.of(shown.digest), call.body.totp)
    message = "Approved; more approvals are needed." if after.status == "pending" else "Approved."
    return Reply({"success": True, "status": after.status} | _sums(message, after))


@routes.post("/wallet/withdrawals/{id}/reject", APPROVE, body=Rejected)
async def reject(call: Call) -> Reply:
    after = await decide.reject(call.work, call.person, call.id("withdrawal"), call.body.reason)
    return _closed("The withdrawal was rejected.", after)


@routes.post("/wallet/withdrawals/{id}/cancel", INITIATE, APPROVE, body=Canceled)
async def cancel(call: Call) -> Reply:
    after = await decide.cancel(call.work, call.person, call.id("withdrawal"), call.body.reason)
    return _closed("The withdrawal was canceled.", after)


def destination_of(asked: Asked) -> Destination:
    """Raises InvalidMethodDetails."""
    details = _details(asked)
    try:
        return destinations.told(asked.method_type, details)
    except InvalidPhone:
        raise InvalidMethodDetails(wrong=("phone_number",)) from None
    except InvalidDestination as wrong:
        raise InvalidMethodDetails(wrong=(wrong.field,)) from None


def _details(asked: Asked) -> dict[str, str]:
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


def _method(destination: Destination) -> Json:
    return {"method_type": destination.method_type, "details": masked_details(destination.details)}


def _sums(message: str, withdrawal: Withdrawal) -> Json:
    return {
        "message": message,
        "transaction_id": str(withdrawal.id),
        "amount": str(withdrawal.amount),
        "fee": str(withdrawal.fee),
        "net_amount": str(withdrawal.net),
    }


def _closed(message: str, after: Withdrawal) -> Reply:
    return Reply({"message": message, "transaction_id": str(after.id), "status": after.status})


def _flag(flag: Flag) -> Json:
    """`reason`, with what is usual or how many there were where it speaks of that."""
    told = {"usual_amount": flag.usual and str(flag.usual), "count": flag.count}
    return {"reason": str(flag.because)} | {key: value for key, value in told.items() if value is not None}


def _described(row: Described) -> Json:
    withdrawal = row.withdrawal
    return {
        "id": str(withdrawal.id),
        "digest": withdrawal.digest,
        "amount": str(withdrawal.amount),
        "fee": str(withdrawal.fee),
        "net_amount": str(withdrawal.net),
        "currency": withdrawal.amount.currency,
        "status": withdrawal.status,
        "held_back": row.held,
        "method_type": withdrawal.method_type,
        "method_details": row.details,
        "new_destination": withdrawal.new_destination,
        "flags": [_flag(each) for each in withdrawal.flags],
        "initiated_by": str(withdrawal.maker_id),
        "approved_by": [str(person) for person in row.approved_by],
        "approvals_needed": row.approvals_needed,
        "notes": row.notes,
        "created_at": plain(withdrawal.created_at),
        "expires_at": plain(withdrawal.expires_at),
        "history": [
            {
                "at": plain(line.at),
                "status": line.status,
                "by": str(line.by) if line.by else None,
                "reason": line.reason,
            }
            for line in row.history
        ],
    }
