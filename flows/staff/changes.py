"""Changes: one of the staff asks that a setting becomes another one, and another person decides.

Each change is a thread of its own. Owners see every one, and can take it back until it holds.

Settings           -> ChangeShown | EnterNewDestination | ChooseLimit
EnterNewDestination -> ChangeShown | NotChanging
ChooseLimit        -> EnterLimit | NotChanging
EnterLimit         -> ChangeShown | NotChanging
ChangeShown        -> ChangeShown | EnterWhyNotChange
EnterWhyNotChange  -> ChangeShown
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flows.amounts import amount_of
from flows.reply import Said
from flows.staff.change_shown import limit, stands, what
from flows.step import Choice, Step
from flows.teller import Change, Teller
from flows.text import Text
from services.errors import NotPending
from services.ids import new_id
from services.news.settings import ChangeAsked, ChangeMoved
from services.people.access import APPROVE, MANAGE_INTEGRATIONS, MANAGE_USERS, RECONCILE

_MOST_REASON = 300
SEE = frozenset({APPROVE, MANAGE_INTEGRATIONS, MANAGE_USERS, RECONCILE})  # who may see changes
_LIMITS = ("per_withdrawal", "per_day", "per_destination", "per_maker")


class ApproveChange(Choice):
    tap_only = True
    label = Text("Approve")


class RejectChange(Choice):
    tap_only = True
    label = Text("Reject")


class TakeChangeBack(Choice):
    tap_only = True
    label = Text("Take it back")


class ChangeDestination(Choice):
    exact = True
    label = Text("Payout number")


class ChangeLimit(Choice):
    exact = True
    label = Text("Limits")


class Cancel(Choice):
    label = Text("Cancel")


@dataclass(frozen=True)
class LookAt(Choice):
    exact = True
    change: Change

    @property
    def label(self) -> Text:
        return Text("Change {reference}", reference=self.change.id.hex[-6:].upper())

    @property
    def note(self) -> Text | None:
        return Text("Asked by {maker} on {at}", maker=self.change.maker, at=self.change.created_at)


@dataclass(frozen=True)
class Limit(Choice):
    exact = True
    key: str

    @property
    def label(self) -> Text:
        return limit(self.key)


class Settings(Step):
    """`may_*`: what this person may ask for."""

    changes: tuple[Change, ...]
    may_pay_elsewhere: bool
    may_limit: bool

    def says(self) -> Text:
        if not self.changes:
            return Text("No change of the settings of {shop} is waiting. What do you want to change?")
        return Text(
            "One change of the settings of {shop} is waiting. Choose it to see it, or what to change.",
            "{count} changes of the settings of {shop} are waiting. Choose one to see it, or what to change.",
            count=len(self.changes),
        )

    def choices(self) -> tuple[Choice, ...]:
        found: list[Choice] = [LookAt(each) for each in self.changes]
        found += [ChangeDestination()] if self.may_pay_elsewhere else []
        found += [ChangeLimit()] if self.may_limit else []
        return tuple(found)

    async def hears(
        self, answer: LookAt | ChangeDestination | ChangeLimit, teller: Teller
    ) -> ChangeShown | EnterNewDestination | ChooseLimit:
        match answer:
            case LookAt(change=change):
                return shown(await teller.office.change(change.id), teller)
            case ChangeDestination():
                return EnterNewDestination(id=new_id())
            case ChangeLimit():
                return ChooseLimit()


class EnterNewDestination(Step):
    id: UUID

    def says(self) -> Text:
        return Text(
            "To which M-Pesa number shall payouts from {shop} go usually? Type it, such as 0712 345 678. "
            "Another person has to approve it, and it holds 24 hours later."
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ChangeShown | NotChanging:
        match answer:
            case Said(text=typed):
                found = await teller.destination("mpesa", {"phone_number": typed})
                wanted = {"method_type": "mpesa", "method_details": dict(found.details)}
                return shown(await teller.office.ask(self.id, "destination", wanted), teller)
            case Cancel():
                return NotChanging()


class ChooseLimit(Step):
    def says(self) -> Text:
        return Text("Which limit of withdrawals from {shop} do you want to change?")

    def choices(self) -> tuple[Choice, ...]:
        return (*(Limit(key) for key in _LIMITS), Cancel())

    async def hears(self, answer: Limit | Cancel, teller: Teller) -> EnterLimit | NotChanging:  # noqa: ARG002
        match answer:
            case Limit(key=key):
                return EnterLimit(id=new_id(), key=key)
            case Cancel():
                return NotChanging()


class EnterLimit(Step):
    id: UUID
    key: str

    def says(self) -> Text:
        return Text(
            "{limit}: how much at most? Type an amount, such as 50000. Another person has to approve it; "
            "where it is more than now, it holds 24 hours later.",
            limit=limit(self.key),
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ChangeShown | NotChanging:
        match answer:
            case Said(text=typed):
                wanted = {self.key: str(amount_of(typed, teller.shop.currency))}
                return shown(await teller.office.ask(self.id, "limits", wanted), teller)
            case Cancel():
                return NotChanging()


class NotChanging(Step):
    def says(self) -> Text:
        return Text("All right, nothing is changed. Type *menu* to go on.")


class ChangeShown(Step):
    """`by`, `reason`: who has just moved it, and why."""

    change: Change
    may_decide: bool = False
    may_take_back: bool = False
    by: str | None = None
    reason: str | None = None

    @property
    def thread(self) -> str:
        return f"c{self.change.id.hex}"

    @property
    def reference(self) -> str | None:
        return self.change.id.hex[-6:].upper()

    def says(self) -> Text:
        lines = (*what(self.change), Text("Asked by: {maker}", maker=self.change.maker), *self._moved())
        return Text(
            "⚙️ A change of the settings of {shop}\n{lines}\n{stands}", lines=lines, stands=stands(self.change)
        )

    def _moved(self) -> tuple[Text, ...]:
        told = [Text("Decided by: {by}", by=self.by)] if self.by else []
        told += [Text("Reason: {reason}", reason=self.reason)] if self.reason else []
        return tuple(told)

    def choices(self) -> tuple[Choice, ...]:
        decide = (ApproveChange(), RejectChange()) if self._waits("pending") and self.may_decide else ()
        back = (TakeChangeBack(),) if self._waits("pending", "cooling") and self.may_take_back else ()
        return (*decide, *back)

    def _waits(self, *states: str) -> bool:
        return self.change.state in states

    async def hears(
        self, answer: ApproveChange | RejectChange | TakeChangeBack, teller: Teller
    ) -> ChangeShown | EnterWhyNotChange:
        """Who comes second is told where it stands."""
        try:
            match answer:
                case ApproveChange():
                    return shown(await teller.office.approve(self.change.id, self.change.digest), teller)
                case TakeChangeBack():
                    return shown(await teller.office.take_back(self.change.id), teller)
                case RejectChange():
                    return EnterWhyNotChange(change=self.change)
        except NotPending:
            return await look(self.change.id, teller)


class EnterWhyNotChange(Step):
    any_words = True
    change: Change

    @property
    def thread(self) -> str:
        return f"c{self.change.id.hex}"

    def says(self) -> Text:
        return Text(
            "Why do you reject this change? Type the reason; {maker} will read it.", maker=self.change.maker
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ChangeShown:
        match answer:
            case Said(text=typed):
                try:
                    reason = typed.strip()[:_MOST_REASON]
                    return shown(await teller.office.reject(self.change.id, reason), teller)
                except NotPending:
                    pass
            case Cancel():
                pass
        return await look(self.change.id, teller)


def shown(change: Change, teller: Teller) -> ChangeShown:
    mine = change.maker_id == teller.me.person_id
    return ChangeShown(
        change=change,
        may_decide=not mine and APPROVE in teller.me.scopes,
        may_take_back=mine or teller.me.owns,
    )


async def look(change_id: UUID, teller: Teller) -> ChangeShown:
    return shown(await teller.office.change(change_id), teller)


async def settings(teller: Teller, _rest: str = "") -> Settings:
    return Settings(
        changes=await teller.office.changes(),
        may_pay_elsewhere=MANAGE_INTEGRATIONS in teller.me.scopes,
        may_limit=RECONCILE in teller.me.scopes,
    )


async def told_asked(news: ChangeAsked, teller: Teller) -> ChangeShown:
    return shown(news.change, teller)


async def told_moved(news: ChangeMoved, teller: Teller) -> ChangeShown:
    return shown(news.change, teller).model_copy(update={"by": news.by, "reason": news.reason})
