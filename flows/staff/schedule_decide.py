"""Schedule decide: a schedule as it stands, and what this person may do about it.

ScheduleShown       -> ScheduleShown | AskScheduleCode | EnterWhyNotSchedule
AskScheduleCode     -> ScheduleShown
EnterWhyNotSchedule -> ScheduleShown
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta
from uuid import UUID

from flows.reply import Said
from flows.staff.deciding import Approve, Cancel, Reject, reason_of
from flows.staff.schedule_words import lines, runs, skipped, stands
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text
from services.errors import NotPending, StepUpRequired
from services.money import Money
from services.news.schedules import Schedule
from services.people.access import APPROVE


class StopSchedule(Choice):
    tap_only = True
    label = Text("Stop it")


class ResumeSchedule(Choice):
    tap_only = True
    label = Text("Let it go on")


class CancelSchedule(Choice):
    tap_only = True
    label = Text("Cancel schedule")


class OfSchedule(Step):
    """Each schedule is a thread of its own."""

    schedule: Schedule

    @property
    def thread(self) -> str:
        return f"s{self.schedule.id.hex}"


class ScheduleShown(OfSchedule):
    """`by`, `reason`: who has just moved it, and why; `paid`, `skipped`: what has just come of it."""

    good_for = timedelta(minutes=15)
    may_decide: bool = False
    may_end: bool = False
    owns: bool = False
    by: str | None = None
    reason: str | None = None
    paid: Money | None = None
    skipped: str | None = None

    @property
    def reference(self) -> str | None:
        return self.schedule.id.hex[-6:].upper()

    def says(self) -> Text:
        told = [Text("Asked by: {maker}", maker=self.schedule.maker)]
        told += [Text("Decided by: {by}", by=self.by)] if self.by and self.schedule.state != "pending" else []
        told += [Text("Reason: {reason}", reason=self.reason)] if self.reason else []
        told += [Text("*{amount}* is on its way.", amount=self.paid)] if self.paid else []
        told += [skipped(self.skipped)] if self.skipped else []
        return Text(
            "⏰ The schedule {name} of {shop}\n{lines}\n{told}\n{stands}",
            name=self.schedule.name,
            lines=lines(self.schedule),
            told=(*told, *runs(self.schedule)),
            stands=stands(self.schedule),
        )

    def choices(self) -> tuple[Choice, ...]:
        match self.schedule.state:
            case "pending":
                decide = (Approve(), Reject()) if self.may_decide else ()
                return (*decide, *((CancelSchedule(),) if self.may_end else ()))
            case "active" if self.owns:
                return StopSchedule(), CancelSchedule()
            case "stopped" if self.owns:
                return ResumeSchedule(), CancelSchedule()
            case "resting" if self.owns:
                return (CancelSchedule(),)
        return ()

    async def hears(
        self,
        answer: Approve | Reject | StopSchedule | ResumeSchedule | CancelSchedule,
        teller: Teller,
    ) -> ScheduleShown | AskScheduleCode | EnterWhyNotSchedule:
        match answer:
            case Approve():
                return await self._approve(teller)
            case Reject():
                return EnterWhyNotSchedule(schedule=self.schedule)
            case StopSchedule():
                return await _after(teller.schedules.stop(self.schedule.id), self.schedule, teller)
            case ResumeSchedule():
                return await _after(teller.schedules.resume(self.schedule.id), self.schedule, teller)
            case CancelSchedule():
                return await _after(teller.schedules.cancel(self.schedule.id), self.schedule, teller)

    async def _approve(self, teller: Teller) -> ScheduleShown | AskScheduleCode:
        try:
            return await _approved(self.schedule, teller)
        except StepUpRequired as takes:
            if not takes.enrolled:
                raise
            return AskScheduleCode(schedule=self.schedule)


class AskScheduleCode(OfSchedule):
    """The code is looked at once, and kept nowhere."""

    any_words = True
    secret = True

    def says(self) -> Text:
        return Text(
            "To approve the schedule {name}, type the 6-digit code that your authenticator app shows "
            "now.\n{lines}",
            name=self.schedule.name,
            lines=lines(self.schedule),
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ScheduleShown:
        match answer:
            case Said(text=code):
                return await _approved(self.schedule, teller, code)
            case Cancel():
                return await look(self.schedule.id, teller)


class EnterWhyNotSchedule(OfSchedule):
    any_words = True

    def says(self) -> Text:
        return Text(
            "Why do you reject the schedule {name}? Type the reason; {maker} will read it.",
            name=self.schedule.name,
            maker=self.schedule.maker,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ScheduleShown:
        match answer:
            case Said(text=typed):
                deed = teller.schedules.reject(self.schedule.id, reason_of(typed))
                return await _after(deed, self.schedule, teller)
            case Cancel():
                return await look(self.schedule.id, teller)


def shown(schedule: Schedule, teller: Teller) -> ScheduleShown:
    mine = schedule.maker_id == teller.me.person_id
    return ScheduleShown(
        schedule=schedule,
        may_decide=not mine and APPROVE in teller.me.scopes,
        may_end=mine,
        owns=teller.me.owns,
    )


async def look(schedule_id: UUID, teller: Teller) -> ScheduleShown:
    return shown(await teller.schedules.schedule(schedule_id), teller)


async def _approved(schedule: Schedule, teller: Teller, code: str | None = None) -> ScheduleShown:
    return await _after(teller.schedules.approve(schedule.id, schedule.digest, code), schedule, teller)


async def _after(deed: Awaitable[Schedule], schedule: Schedule, teller: Teller) -> ScheduleShown:
    """Who comes second is told where it stands."""
    try:
        return shown(await deed, teller)
    except NotPending:
        return await look(schedule.id, teller)
