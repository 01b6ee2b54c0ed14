"""Schedules: withdrawals that come by themselves, approved once. Chat and API share them."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from bot.api.answers import Answer, Page, Sum, Time
from bot.api.bodies import Amount, Approval, Body, Nothing, Rejection, money
from bot.api.pages import whole
from bot.api.problems import Problem
from bot.api.routes import Call, Reply, Routes
from bot.api.wallet import MethodType
from bot.api.withdrawals import NewWithdrawal, destination_of
from services.ids import new_id
from services.money import Money
from services.news import schedules as news
from services.people.access import APPROVE, INITIATE, VIEW_FINANCE
from services.rails import refuse_closed_way_out
from services.schedules import asking, deciding, record
from services.schedules.asking import Wanted
from services.schedules.calendar import Rule

routes = Routes("Schedules")


class NewSchedule(Body):
    """`days`: of the week from 1, Monday, or of the month; `hour` by the tenant's clocks; `keep`: what stays
    in the wallet; `most`: what goes each time; `until`: the last day, as 2027-06-30."""

    name: str
    every: Literal["day", "week", "month"]
    days: list[int] = Field(default=[], max_length=31)
    hour: int
    keep: Amount = "0"
    most: Amount
    until: str
    method_type: Literal["mpesa", "till", "bank_transfer"]
    method_details: dict[str, Any]


class ScheduleRun(Answer):
    """`because`: why nothing was asked for."""

    day: date
    outcome: Literal["made", "skipped"]
    because: str | None
    transaction_id: UUID | None


class Schedule(Answer):
    """`because`: why it rests; `digest`: of what is approved."""

    id: UUID
    digest: str
    name: str
    status: Literal["pending", "active", "stopped", "resting", "ended", "rejected", "canceled", "expired"]
    because: str | None
    every: Literal["day", "week", "month"]
    days: list[int]
    hour: int
    keep: Sum
    most: Sum
    currency: str
    until: date
    method_type: MethodType
    destination: str  # masked
    initiated_by: UUID
    approvals_needed: int
    created_at: Time
    expires_at: Time
    next_at: Time | None
    runs: list[ScheduleRun]


@routes.get("/wallet/schedules", VIEW_FINANCE, answer=Page[Schedule])
async def listed(call: Call) -> Reply[Page[Schedule]]:
    """Withdrawals that come by themselves."""
    return whole([_schedule(each) for each in await record.read(call.work)])


@routes.get("/wallet/schedules/{id}", VIEW_FINANCE, answer=Schedule)
async def one(call: Call) -> Reply[Schedule]:
    """One schedule, with its latest runs."""
    return _described(await record.shown(call.work, call.id("schedule")))


@routes.post("/wallet/schedules", INITIATE, body=NewSchedule, success=201, answer=Schedule)
async def ask(call: Call) -> Reply[Schedule]:
    """Ask for withdrawals that come by themselves; they are approved once."""
    asked: NewSchedule = call.body
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
    to = destination_of(NewWithdrawal.model_validate(told))
    rule = Rule(asked.every, tuple(asked.days), asked.hour)
    wanted = Wanted(asked.name, rule, keep, most, until, to)
    return _described(await asking.ask(call.work, call.person, new_id(), wanted))


@routes.post("/wallet/schedules/{id}/approve", APPROVE, body=Approval, answer=Schedule)
async def approve(call: Call) -> Reply[Schedule]:
    """Approve a schedule.

    What the caller was shown, where the digest of it is sent; else what stands there now."""
    shown = await record.shown(call.work, call.id("schedule"))
    digest, code = call.body.of(shown.digest), call.body.totp
    return _described(await deciding.approve(call.work, call.person, shown.id, digest, code))


@routes.post("/wallet/schedules/{id}/reject", APPROVE, body=Rejection, answer=Schedule)
async def reject(call: Call) -> Reply[Schedule]:
    """Reject a schedule."""
    reason = call.body.reason
    return _described(await deciding.reject(call.work, call.person, call.id("schedule"), reason))


@routes.post("/wallet/schedules/{id}/stop", VIEW_FINANCE, body=Nothing, answer=Schedule)
async def stop(call: Call) -> Reply[Schedule]:
    """Stop a schedule until it is resumed."""
    return _described(await deciding.stop(call.work, call.person, call.id("schedule")))


@routes.post("/wallet/schedules/{id}/resume", VIEW_FINANCE, body=Nothing, answer=Schedule)
async def resume(call: Call) -> Reply[Schedule]:
    """Let a schedule go on."""
    return _described(await deciding.resume(call.work, call.person, call.id("schedule")))


@routes.post("/wallet/schedules/{id}/cancel", VIEW_FINANCE, body=Nothing, answer=Schedule)
async def cancel(call: Call) -> Reply[Schedule]:
    """Cancel a schedule."""
    return _described(await deciding.cancel(call.work, call.person, call.id("schedule")))


def _described(schedule: news.Schedule) -> Reply[Schedule]:
    return Reply(_schedule(schedule))


def _schedule(schedule: news.Schedule) -> Schedule:
    return Schedule(
        id=schedule.id,
        digest=schedule.digest,
        name=schedule.name,
        status=schedule.state,
        because=schedule.because,
        every=schedule.every,
        days=list(schedule.days),
        hour=schedule.hour,
        keep=str(schedule.keep),
        most=str(schedule.most),
        currency=schedule.most.currency,
        until=schedule.last_day,
        method_type=schedule.method_type,
        destination=schedule.destination,
        initiated_by=schedule.maker_id,
        approvals_needed=schedule.needed,
        created_at=schedule.created_at,
        expires_at=schedule.expires_at,
        next_at=schedule.next_at,
        runs=[
            ScheduleRun(
                day=each.day,
                outcome=each.outcome,
                because=each.because,
                transaction_id=each.withdrawal_id,
            )
            for each in schedule.runs
        ],
    )
