"""Schedules: withdrawals that come by themselves, approved once. Chat and API share them."""

from datetime import date
from typing import Any, Literal

from pydantic import Field

from bot.api.bodies import Amount, Approved, Body, money
from bot.api.problems import Problem, plain
from bot.api.routes import Call, Json, Reply, Routes
from bot.api.wallet import Asked as Withdrawn
from bot.api.wallet import destination_of
from services.ids import new_id
from services.money import Money
from services.news.schedules import Schedule
from services.people.access import APPROVE, INITIATE, VIEW_FINANCE
from services.rails import refuse_closed_way_out
from services.schedules import asking, deciding, record
from services.schedules.asking import Wanted
from services.schedules.calendar import Rule

routes = Routes()


class Asked(Body):
    name: str
    every: Literal["day", "week", "month"]
    days: list[int] = Field(default=[], max_length=31)
    hour: int
    keep: Amount = "0"
    most: Amount
    until: str
    method_type: Literal["mpesa", "till", "bank_transfer"]
    method_details: dict[str, Any]


class Rejected(Body):
    reason: str = Field(max_length=500)


class Nothing(Body):
    pass


@routes.get("/wallet/schedules", VIEW_FINANCE)
async def listed(call: Call) -> Reply:
    found = await record.read(call.work)
    return Reply({"count": len(found), "results": [_described(each) for each in found], "next_cursor": None})


@routes.get("/wallet/schedules/{id}", VIEW_FINANCE)
async def one(call: Call) -> Reply:
    return Reply(_described(await record.shown(call.work, call.id("schedule"))))


@routes.post("/wallet/schedules", INITIATE, body=Asked, success=201)
async def ask(call: Call) -> Reply:
    asked: Asked = call.body
    refuse_closed_way_out(call.tenant.shop, asked.method_type)
    most = money(asked.most, call.currency)
    nothing = Money.zero(call.currency)
    keep = nothing if asked.keep in ("0", str(nothing)) else money(asked.keep, call.currency)
    try:
        until = date.fromisoformat(asked.until)
    except ValueError:
        detail = "until is a day like 2027-06-30."
        raise Problem(400, "malformed_body", "Malformed body", detail=detail, field="until") from None
    told = {"amount": asked.most, "method_type": asked.method_type, "method_details": asked.method_details}
    to = destination_of(Withdrawn.model_validate(told))
    rule = Rule(asked.every, tuple(asked.days), asked.hour)
    wanted = Wanted(asked.name, rule, keep, most, until, to)
    return Reply(_described(await asking.ask(call.work, call.person, new_id(), wanted)))


@routes.post("/wallet/schedules/{id}/approve", APPROVE, body=Approved)
async def approve(call: Call) -> Reply:
    """What the caller was shown, where the digest of it is sent; else what stands there now."""
    shown = await record.shown(call.work, call.id("schedule"))
    digest, code = call.body.of(shown.digest), call.body.totp
    return Reply(_described(await deciding.approve(call.work, call.person, shown.id, digest, code)))


@routes.post("/wallet/schedules/{id}/reject", APPROVE, body=Rejected)
async def reject(call: Call) -> Reply:
    reason = call.body.reason
    return Reply(_described(await deciding.reject(call.work, call.person, call.id("schedule"), reason)))


@routes.post("/wallet/schedules/{id}/stop", VIEW_FINANCE, body=Nothing)
async def stop(call: Call) -> Reply:
    return Reply(_described(await deciding.stop(call.work, call.person, call.id("schedule"))))


@routes.post("/wallet/schedules/{id}/resume", VIEW_FINANCE, body=Nothing)
async def resume(call: Call) -> Reply:
    return Reply(_described(await deciding.resume(call.work, call.person, call.id("schedule"))))


@routes.post("/wallet/schedules/{id}/cancel", VIEW_FINANCE, body=Nothing)
async def cancel(call: Call) -> Reply:
    return Reply(_described(await deciding.cancel(call.work, call.person, call.id("schedule"))))


def _described(schedule: Schedule) -> Json:
    return {
        "id": str(schedule.id),
        "digest": schedule.digest,
        "name": schedule.name,
        "status": schedule.state,
        "because": schedule.because,
        "every": schedule.every,
        "days": list(schedule.days),
        "hour": schedule.hour,
        "keep": str(schedule.keep),
        "most": str(schedule.most),
        "currency": schedule.most.currency,
        "until": schedule.last_day.isoformat(),
        "method_type": schedule.method_type,
        "destination": schedule.destination,
        "initiated_by": str(schedule.maker_id),
        "approvals_needed": schedule.needed,
        "created_at": plain(schedule.created_at),
        "expires_at": plain(schedule.expires_at),
        "next_at": plain(schedule.next_at),
        "runs": [
            {
                "day": each.day.isoformat(),
                "outcome": each.outcome,
                "because": each.because,
                "transaction_id": str(each.withdrawal_id) if each.withdrawal_id else None,
            }
            for each in schedule.runs
        ],
    }
