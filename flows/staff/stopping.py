"""Stopping: one of the staff stops all payouts at once. It takes one to stop, and two to go on.

ConfirmStop    -> StoppedNow | NotStopping
StoppedAlready -> ChangeShown
StoppedNow     -> ChangeShown
"""

from __future__ import annotations

from datetime import datetime

from flows.staff.change_decide import ChangeShown, shown
from flows.staff.limited import staff_name
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text
from services.ids import new_id
from services.news.settings import StoppedByPerson


class StopPayouts(Choice):
    tap_only = True
    label = Text("Stop payouts")


class Cancel(Choice):
    label = Text("Cancel")


class LetGoOn(Choice):
    tap_only = True
    label = Text("Ask to go on")


class ConfirmStop(Step):
    def says(self) -> Text:
        return Text(
            "Stop all payouts from {shop} now? What is approved waits, nothing is lost, and everybody "
            "concerned is told. To go on, two people have to agree."
        )

    def choices(self) -> tuple[Choice, ...]:
        return StopPayouts(), Cancel()

    async def hears(self, answer: StopPayouts | Cancel, teller: Teller) -> StoppedNow | NotStopping:
        match answer:
            case StopPayouts():
                stopped = await teller.settings.stop()
                return StoppedNow(at=stopped.at)
            case Cancel():
                return NotStopping()


class NotStopping(Step):
    def says(self) -> Text:
        return Text("All right, payouts go on. Type *menu* to go on.")


class _Stopped(Step):
    at: datetime

    def choices(self) -> tuple[Choice, ...]:
        return (LetGoOn(),)


class StoppedNow(_Stopped):
    def says(self) -> Text:
        return Text(
            "🛑 All payouts from {shop} are stopped since {at}. What had left before is still on its way.",
            at=self.at,
        )

    async def hears(self, answer: LetGoOn, teller: Teller) -> ChangeShown:  # noqa: ARG002  the only choice
        return await _let_go_on(teller)


class StoppedAlready(_Stopped):
    """What the operator stopped, only the operator lets go on."""

    by: str | None

    def choices(self) -> tuple[Choice, ...]:
        return () if self.by is None else super().choices()

    def says(self) -> Text:
        if self.by is None:
            return Text(
                "🛑 The operator has stopped all payouts from {shop} on {at}. "
                "Call them to let payouts go on.",
                at=self.at,
            )
        return Text(
            "🛑 {by} has stopped all payouts from {shop} on {at}.", by=staff_name(self.by), at=self.at
        )

    async def hears(self, answer: LetGoOn, teller: Teller) -> ChangeShown:  # noqa: ARG002  the only choice
        return await _let_go_on(teller)


class StopTold(Step):
    by: str | None
    stopped: bool

    @property
    def thread(self) -> str:
        return "notice"

    def says(self) -> Text:
        if not self.stopped:
            return Text("✅ Payouts from {shop} go on. What was waiting is being sent now.")
        if self.by is None:
            return Text(
                "🛑 The operator has stopped all payouts from {shop}. What is approved waits, and nothing is "
                "lost."
            )
        return Text(
            "🛑 {by} has stopped all payouts from {shop}. What is approved waits, and nothing is lost. To "
            "see it, type *freeze*.",
            by=staff_name(self.by),
        )


async def _let_go_on(teller: Teller) -> ChangeShown:
    return shown(await teller.settings.ask(new_id(), "resume", {}), teller)


async def freeze(teller: Teller, _rest: str = "") -> ConfirmStop | StoppedAlready:
    found = await teller.settings.stopped()
    return ConfirmStop() if found is None else StoppedAlready(by=found.by, at=found.at)


async def told_stopped(news: StoppedByPerson, _teller: Teller) -> StopTold:
    return StopTold(by=news.by, stopped=news.stopped)
