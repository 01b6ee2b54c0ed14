"""Changes: what of the settings waits, and what one of the staff may ask to have changed.

Each change is a thread of its own. Owners see every one, and can take it back until it holds.

Settings -> ChangeShown | ChooseNewWay | ChooseLimit | ChooseFee | ChooseMember | Lendings
"""

from __future__ import annotations

from dataclasses import dataclass

from flows.staff import change_destination, change_limits, change_staff, lend
from flows.staff.change_decide import ChangeShown, look, shown
from flows.staff.change_destination import ChooseNewWay
from flows.staff.change_limits import ChooseFee, ChooseLimit
from flows.staff.change_staff import ChooseMember
from flows.staff.lend import Lendings
from flows.step import Choice, Step
from flows.teller import Change, Teller
from flows.text import Text
from services.news.settings import ChangeAsked, ChangeMoved
from services.people.access import APPROVE, MANAGE_INTEGRATIONS, MANAGE_USERS, RECONCILE

SEE = frozenset({APPROVE, MANAGE_INTEGRATIONS, MANAGE_USERS, RECONCILE})  # who may see changes


class ChangeDestination(Choice):
    exact = True
    label = Text("Payout destination")


class ChangeLimit(Choice):
    exact = True
    label = Text("Limits")


class ChangeApprovals(Choice):
    exact = True
    label = Text("Approvals needed")


class ChangeFee(Choice):
    exact = True
    label = Text("Fees")


class ChangeStaff(Choice):
    exact = True
    label = Text("Staff")


class LendApproval(Choice):
    exact = True
    label = Text("Lend approvals")


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


class Settings(Step):
    """`may_*`: what this person may ask for."""

    changes: tuple[Change, ...]
    may_pay_elsewhere: bool
    may_limit: bool
    may_staff: bool = False
    may_lend: bool = False

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
        found += [ChangeLimit(), ChangeApprovals(), ChangeFee()] if self.may_limit else []
        found += [ChangeStaff()] if self.may_staff else []
        found += [LendApproval()] if self.may_lend else []
        return tuple(found)

    def menu(self) -> Text | None:
        return Text("Choose")

    async def hears(
        self,
        answer: LookAt
        | ChangeDestination
        | ChangeLimit
        | ChangeApprovals
        | ChangeFee
        | ChangeStaff
        | LendApproval,
        teller: Teller,
    ) -> ChangeShown | ChooseNewWay | ChooseLimit | ChooseFee | ChooseMember | Lendings:
        match answer:
            case LookAt(change=change):
                return await look(change.id, teller)
            case ChangeDestination():
                return change_destination.choose(teller)
            case ChangeLimit():
                return await change_limits.choose("limits", teller)
            case ChangeApprovals():
                return await change_limits.choose("approvals", teller)
            case ChangeFee():
                return await change_limits.choose_fee(teller)
            case ChangeStaff():
                return await change_staff.choose(teller)
            case LendApproval():
                return await lend.lendings(teller)


async def settings(teller: Teller, _rest: str = "") -> Settings:
    scopes = teller.me.scopes
    return Settings(
        changes=await teller.settings.changes(),
        may_pay_elsewhere=MANAGE_INTEGRATIONS in scopes,
        may_limit=RECONCILE in scopes,
        may_staff=MANAGE_USERS in scopes,
        may_lend=APPROVE in scopes,
    )


async def told_asked(news: ChangeAsked, teller: Teller) -> ChangeShown:
    return shown(news.change, teller)


async def told_moved(news: ChangeMoved, teller: Teller) -> ChangeShown:
    return shown(news.change, teller).model_copy(update={"by": news.by, "reason": news.reason})
