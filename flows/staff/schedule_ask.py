"""Schedule ask: one thing after another that a schedule is made of.

EnterScheduleName -> ChooseEvery | NotScheduling
ChooseEvery       -> EnterScheduleDays | EnterScheduleHour | NotScheduling
EnterScheduleDays -> EnterScheduleHour | NotScheduling
EnterScheduleHour -> EnterScheduleMost | NotScheduling
EnterScheduleMost -> EnterScheduleKeep | NotScheduling
EnterScheduleKeep -> EnterScheduleUntil | NotScheduling
EnterScheduleUntil -> ChooseScheduleTo | NotScheduling
ChooseScheduleTo  -> ScheduleShown | NotScheduling
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flows.amounts import amount_of
from flows.reply import Said
from flows.staff.deciding import Cancel
from flows.staff.schedule_decide import ScheduleShown, shown
from flows.staff.shown import destination_shown, in_a_row
from flows.step import Choice, Step
from flows.teller import Destination, Teller
from flows.text import Text
from services.errors.schedules import InvalidSchedule
from services.money import Money
from services.schedules.asking import Wanted
from services.schedules.calendar import Rule

_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII)
_LAST_HOUR = 23


class EveryDay(Choice):
    label = Text("Every day")


class EachWeek(Choice):
    label = Text("Days of the week")


class EachMonth(Choice):
    label = Text("Days of the month")


@dataclass(frozen=True)
class To(Choice):
    exact = True
    destination: Destination

    @property
    def label(self) -> Text:
        return in_a_row(self.destination)


class NotScheduling(Step):
    def says(self) -> Text:
        return Text("All right, nothing new comes by itself. Type *menu* to go on.")


class Asking(Step):
    """The id is minted at the beginning, so that asking twice asks once."""

    id: UUID

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)


class EnterScheduleName(Asking):
    any_words = True

    def says(self) -> Text:
        return Text("What shall the schedule be called? Type a name, such as Evening.")

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ChooseEvery | NotScheduling:  # noqa: ARG002
        match answer:
            case Said(text=name):
                return ChooseEvery(id=self.id, name=name.strip()[:80])
            case Cancel():
                return NotScheduling()


class ChooseEvery(Asking):
    name: str

    def says(self) -> Text:
        return Text("When shall {name} pay?", name=self.name)

    def choices(self) -> tuple[Choice, ...]:
        return EveryDay(), EachWeek(), EachMonth(), Cancel()

    async def hears(
        self,
        answer: EveryDay | EachWeek | EachMonth | Cancel,
        teller: Teller,  # noqa: ARG002
    ) -> EnterScheduleDays | EnterScheduleHour | NotScheduling:
        match answer:
            case EveryDay():
                return EnterScheduleHour(id=self.id, name=self.name, every="day", days=())
            case EachWeek():
                return EnterScheduleDays(id=self.id, name=self.name, every="week")
            case EachMonth():
                return EnterScheduleDays(id=self.id, name=self.name, every="month")
            case Cancel():
                return NotScheduling()


class EnterScheduleDays(Asking):
    name: str
    every: str

    def says(self) -> Text:
        if self.every == "week":
            return Text("On which days? Type them as figures from 1, Monday, to 7, Sunday, such as 1 5.")
        return Text(
            "On which days of the month? Type them, such as 15 31. A day that is not there is the last."
        )

    async def hears(
        self,
        answer: Said | Cancel,
        teller: Teller,  # noqa: ARG002
    ) -> EnterScheduleHour | NotScheduling:
        match answer:
            case Said(text=typed):
                days = [int(each) for each in re.findall(r"[0-9]{1,2}", typed)]
                most = 7 if self.every == "week" else 31
                if not days or any(not 1 <= day <= most for day in days):
                    raise InvalidSchedule("days", "")
                days = sorted(set(days))
                return EnterScheduleHour(id=self.id, name=self.name, every=self.every, days=tuple(days))
            case Cancel():
                return NotScheduling()


class EnterScheduleHour(Asking):
    name: str
    every: str
    days: tuple[int, ...]

    def says(self) -> Text:
        return Text("At which hour? Type it from 0 to 23.")

    async def hears(
        self,
        answer: Said | Cancel,
        teller: Teller,  # noqa: ARG002
    ) -> EnterScheduleMost | NotScheduling:
        match answer:
            case Said(text=typed):
                bare = typed.strip().removesuffix(":00")
                if not (bare.isascii() and bare.isdigit() and int(bare) <= _LAST_HOUR):
                    raise InvalidSchedule("hour", "")
                known = self.model_dump()
                return EnterScheduleMost(**known, hour=int(bare))
            case Cancel():
                return NotScheduling()


class EnterScheduleMost(Asking):
    name: str
    every: str
    days: tuple[int, ...]
    hour: int

    def says(self) -> Text:
        return Text("How much at most each time? Type an amount, such as 20000.")

    async def hears(self, answer: Said | Cancel, teller: Teller) -> EnterScheduleKeep | NotScheduling:
        match answer:
            case Said(text=typed):
                return EnterScheduleKeep(**self.model_dump(), most=amount_of(typed, teller.shop.currency))
            case Cancel():
                return NotScheduling()


class EnterScheduleKeep(Asking):
    name: str
    every: str
    days: tuple[int, ...]
    hour: int
    most: Money

    def says(self) -> Text:
        return Text("How much shall always stay in the wallet? Type an amount, or 0.")

    async def hears(self, answer: Said | Cancel, teller: Teller) -> EnterScheduleUntil | NotScheduling:
        match answer:
            case Said(text=typed):
                currency = teller.shop.currency
                keep = Money.zero(currency) if typed.strip() == "0" else amount_of(typed, currency)
                known = {name: getattr(self, name) for name in type(self).model_fields}
                return EnterScheduleUntil(**known, keep=keep)
            case Cancel():
                return NotScheduling()


class EnterScheduleUntil(Asking):
    name: str
    every: str
    days: tuple[int, ...]
    hour: int
    most: Money
    keep: Money

    def says(self) -> Text:
        return Text("Until which day? Type it, such as 30/6/2027; a year at most.")

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ChooseScheduleTo | NotScheduling:
        match answer:
            case Said(text=typed):
                known = {name: getattr(self, name) for name in type(self).model_fields}
                to = await teller.destinations()
                return ChooseScheduleTo(**known, last_day=_day_of(typed), destinations=to)
            case Cancel():
                return NotScheduling()


class ChooseScheduleTo(Asking):
    name: str
    every: str
    days: tuple[int, ...]
    hour: int
    most: Money
    keep: Money
    last_day: date
    destinations: tuple[Destination, ...]

    def says(self) -> Text:
        listed = tuple(destination_shown(each) for each in self.destinations)
        return Text(
            "Where to? Choose, or type an M-Pesa number. Then another person has to approve it.\n{listed}",
            listed=listed,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (*(To(each) for each in self.destinations), Cancel())

    async def hears(self, answer: To | Said | Cancel, teller: Teller) -> ScheduleShown | NotScheduling:
        match answer:
            case To(destination=to):
                pass
            case Said(text=typed):
                to = await teller.destination("mpesa", {"phone_number": typed})
            case Cancel():
                return NotScheduling()
        rule = Rule(self.every, self.days, self.hour)
        wanted = Wanted(self.name, rule, self.keep, self.most, self.last_day, to)
        return shown(await teller.schedules.ask(self.id, wanted), teller)


def _day_of(typed: str) -> date:
    """Raises InvalidSchedule."""
    found = _DAY.fullmatch(typed.strip())
    try:
        return date(int(found[3]), int(found[2]), int(found[1])) if found else date.min
    except ValueError:
        raise InvalidSchedule("until", "") from None
