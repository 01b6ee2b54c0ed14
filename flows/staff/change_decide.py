"""Change decide: a change of settings as it stands, and what this person may do about it.

ChangeShown        -> ChangeShown | AskChangeCode | EnterWhyNotChange
AskChangeCode      -> ChangeShown
EnterWhyNotChange  -> ChangeShown
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta
from uuid import UUID

from flows.reply import Said
from flows.staff.change_shown import approvals, stands, what
from flows.staff.deciding import Approve, Cancel, Reject, reason_of
from flows.step import Choice, Step
from flows.teller import Change, Teller
from flows.text import Text
from services.errors import NotPending, StepUpRequired
from services.people.access import APPROVE


class TakeChangeBack(Choice):
    tap_only = True
    label = Text("Take it back")


class NotChanging(Step):
    def says(self) -> Text:
        return Text("All right, nothing is changed. Type *menu* to go on.")


class OfChange(Step):
    change: Change

    @property
    def thread(self) -> str:
        return f"c{self.change.id.hex}"


class ChangeShown(OfChange):
    """`by`, `reason`: who has just moved it, and why."""

    good_for = timedelta(minutes=15)
    may_decide: bool = False
    may_take_back: bool = False
    by: str | None = None
    reason: str | None = None

    @property
    def reference(self) -> str | None:
        return self.change.id.hex[-6:].upper()

    def says(self) -> Text:
        asked = Text("Asked by: {maker}", maker=self.change.maker)
        lines = (*what(self.change), asked, *approvals(self.change), *self._moved())
        return Text(
            "⚙️ A change of the settings of {shop}\n{lines}\n{stands}", lines=lines, stands=stands(self.change)
        )

    def _moved(self) -> tuple[Text, ...]:
        told = [Text("Decided by: {by}", by=self.by)] if self.by and not self._waits("pending") else []
        told += [Text("Reason: {reason}", reason=self.reason)] if self.reason else []
        return tuple(told)

    def choices(self) -> tuple[Choice, ...]:
        decide = (Approve(), Reject()) if self._waits("pending") and self.may_decide else ()
        back = (TakeChangeBack(),) if self._waits("pending", "cooling") and self.may_take_back else ()
        return (*decide, *back)

    def _waits(self, *states: str) -> bool:
        return self.change.state in states

    async def hears(
        self, answer: Approve | Reject | TakeChangeBack, teller: Teller
    ) -> ChangeShown | AskChangeCode | EnterWhyNotChange:
        match answer:
            case Approve():
                return await self._approve(teller)
            case TakeChangeBack():
                return await _after(teller.settings.take_back(self.change.id), self.change, teller)
            case Reject():
                return EnterWhyNotChange(change=self.change)

    async def _approve(self, teller: Teller) -> ChangeShown | AskChangeCode:
        try:
            return await _approved(self.change, teller)
        except StepUpRequired as takes:
            if not takes.enrolled:
                raise
            return AskChangeCode(change=self.change)


class AskChangeCode(OfChange):
    """The code is looked at once, and kept nowhere."""

    any_words = True
    secret = True

    def says(self) -> Text:
        return Text(
            "To approve this change, type the 6-digit code that your authenticator app shows now.\n{lines}",
            lines=what(self.change),
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ChangeShown:
        match answer:
            case Said(text=code):
                return await _approved(self.change, teller, code)
            case Cancel():
                return await look(self.change.id, teller)


class EnterWhyNotChange(OfChange):
    any_words = True

    def says(self) -> Text:
        return Text(
            "Why do you reject this change? Type the reason; {maker} will read it.", maker=self.change.maker
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ChangeShown:
        match answer:
            case Said(text=typed):
                deed = teller.settings.reject(self.change.id, reason_of(typed))
                return await _after(deed, self.change, teller)
            case Cancel():
                return await look(self.change.id, teller)


def shown(change: Change, teller: Teller) -> ChangeShown:
    """Who has approved it already has nothing to add."""
    mine = change.maker_id == teller.me.person_id
    decided = change.state == "pending" and teller.me.person_id in change.approved_by
    return ChangeShown(
        change=change,
        may_decide=not mine and not decided and APPROVE in teller.me.scopes,
        may_take_back=mine or teller.me.owns,
    )


async def look(change_id: UUID, teller: Teller) -> ChangeShown:
    return shown(await teller.settings.change(change_id), teller)


async def _approved(change: Change, teller: Teller, code: str | None = None) -> ChangeShown:
    return await _after(teller.settings.approve(change.id, change.digest, code), change, teller)


async def _after(deed: Awaitable[Change], change: Change, teller: Teller) -> ChangeShown:
    """Who comes second is told where it stands."""
    try:
        return shown(await deed, teller)
    except NotPending:
        return await look(change.id, teller)
