"""Schedules: one of the staff has withdrawals come by themselves, and another person approves it once.

Schedules         -> ScheduleShown | EnterScheduleName
"""

from __future__ import annotations

from dataclasses import dataclass

from flows.staff.schedule_ask import EnterScheduleName
from flows.staff.schedule_decide import ScheduleShown, look, shown
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text
from services.ids import new_id
from services.news.schedules import (
    Schedule,
    ScheduleAsked,
    ScheduleMoved,
    ScheduleRan,
    ScheduleSelfApprovalTried,
)
from services.people.access import APPROVE, INITIATE, VIEW_FINANCE

SEE = frozenset({INITIATE, APPROVE, VIEW_FINANCE})


class NewSchedule(Choice):
    exact = True
    label = Text("New schedule")


@dataclass(frozen=True)
class LookAtSchedule(Choice):
    exact = True
    schedule: Schedule

    @property
    def label(self) -> Text:
        return Text("{name}", name=self.schedule.name[:20])


class Schedules(Step):
    schedules: tuple[Schedule, ...]
    may_ask: bool

    def says(self) -> Text:
        if not self.schedules:
            return Text("No withdrawal from {shop} comes by itself.")
        return Text("These withdrawals from {shop} come by themselves. Choose one to see it.")

    def choices(self) -> tuple[Choice, ...]:
        new = (NewSchedule(),) if self.may_ask else ()
        return (*(LookAtSchedule(each) for each in self.schedules), *new)

    def menu(self) -> Text | None:
        return Text("Choose")

    async def hears(
        self, answer: LookAtSchedule | NewSchedule, teller: Teller
    ) -> ScheduleShown | EnterScheduleName:
        match answer:
            case LookAtSchedule(schedule=schedule):
                return await look(schedule.id, teller)
            case NewSchedule():
                return EnterScheduleName(id=new_id())


class ScheduleTried(Step):
    """To owners: somebody tried to approve their own."""

    schedule: Schedule

    def says(self) -> Text:
        return Text(
            "⚠️ {maker} tried to approve a schedule of their own, {name}. It was refused.",
            maker=self.schedule.maker,
            name=self.schedule.name,
        )


async def schedules(teller: Teller, _rest: str = "") -> Schedules:
    found = await teller.schedules.schedules()
    return Schedules(schedules=found, may_ask=INITIATE in teller.me.scopes)


async def told_asked(news: ScheduleAsked, teller: Teller) -> ScheduleShown:
    return shown(news.schedule, teller)


async def told_moved(news: ScheduleMoved, teller: Teller) -> ScheduleShown:
    return shown(news.schedule, teller).model_copy(update={"by": news.by, "reason": news.reason})


async def told_ran(news: ScheduleRan, teller: Teller) -> ScheduleShown:
    paid = news.withdrawal.net if news.withdrawal else None
    return shown(news.schedule, teller).model_copy(update={"paid": paid, "skipped": news.because})


async def told_tried(news: ScheduleSelfApprovalTried, _teller: Teller) -> ScheduleTried:
    return ScheduleTried(schedule=news.schedule)
