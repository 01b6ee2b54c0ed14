"""Lend: an approver who is away lends the right to approve for some days, and another approver agrees.

Each lending is a thread of its own.

Lendings         -> LendingShown | ChooseBorrower
ChooseBorrower   -> EnterDays | NotLending
EnterDays        -> LendingShown | NotLending
LendingShown     -> LendingShown | AskLendingCode | EnterWhyNotLent
AskLendingCode   -> LendingShown
EnterWhyNotLent  -> LendingShown
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flows.reply import Said
from flows.staff.deciding import Cancel, Reject, reason_of
from flows.step import Choice, Step
from flows.teller import Lending, Member, Teller
from flows.text import Text
from services.errors import NotPending, StepUpRequired
from services.errors.approval import NotLendable
from services.ids import new_id
from services.news.approval import LendingAsked, LendingMoved
from services.people.access import APPROVE

_DAYS = re.compile(r"\d{1,3}", re.ASCII)


class Lend(Choice):
    exact = True
    label = Text("Lend my right")


class Agree(Choice):
    tap_only = True
    label = Text("Agree")


class EndLending(Choice):
    tap_only = True
    label = Text("End it")


@dataclass(frozen=True)
class LookAtLending(Choice):
    exact = True
    lending: Lending

    @property
    def label(self) -> Text:
        return Text("{lender} to {borrower}", lender=self.lending.lender, borrower=self.lending.borrower)

    @property
    def note(self) -> Text | None:
        return Text("Until {until}", until=self.lending.until)


@dataclass(frozen=True)
class Borrower(Choice):
    exact = True
    member: Member

    @property
    def label(self) -> Text:
        return Text("{name}", name=self.member.name)


class Lendings(Step):
    lendings: tuple[Lending, ...]

    def says(self) -> Text:
        return Text(
            "Who is away lends the right to approve to one of the staff, for 14 days at most. Another "
            "approver has to agree."
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Lend(), *(LookAtLending(each) for each in self.lendings))

    def menu(self) -> Text | None:
        return Text("Choose")

    async def hears(self, answer: Lend | LookAtLending, teller: Teller) -> LendingShown | ChooseBorrower:
        match answer:
            case Lend():
                return ChooseBorrower(members=await teller.settings.borrowers())
            case LookAtLending(lending=lending):
                return await look(lending.id, teller)


class ChooseBorrower(Step):
    members: tuple[Member, ...]

    def says(self) -> Text:
        return Text("To whom? They may then approve in your place, but never what you have asked for.")

    def choices(self) -> tuple[Choice, ...]:
        return (*(Borrower(each) for each in self.members), Cancel())

    def menu(self) -> Text | None:
        return Text("Choose")

    async def hears(self, answer: Borrower | Cancel, teller: Teller) -> EnterDays | NotLending:  # noqa: ARG002
        match answer:
            case Borrower(member=member):
                return EnterDays(id=new_id(), member=member)
            case Cancel():
                return NotLending()


class EnterDays(Step):
    id: UUID
    member: Member

    def says(self) -> Text:
        return Text(
            "For how many days does {name} approve for you? Type a number to 14.", name=self.member.name
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> LendingShown | NotLending:
        match answer:
            case Said(text=text):
                if not _DAYS.fullmatch(text.strip()):
                    raise NotLendable("no number of days")
                until = teller.now + timedelta(days=int(text))
                return shown(await teller.settings.lend(self.id, self.member.id, until), teller)
            case Cancel():
                return NotLending()


class NotLending(Step):
    def says(self) -> Text:
        return Text("All right, nothing is lent. Type *menu* to go on.")


class OfLending(Step):
    lending: Lending

    @property
    def thread(self) -> str:
        return f"l{self.lending.id.hex}"


class LendingShown(OfLending):
    good_for = timedelta(minutes=15)
    may_decide: bool = False
    may_end: bool = False

    @property
    def reference(self) -> str | None:
        return self.lending.id.hex[-6:].upper()

    def says(self) -> Text:
        return Text(
            "🔑 {lender} lends the right to approve for {shop} to *{borrower}*, until {until}.\n{stands}",
            lender=self.lending.lender,
            borrower=self.lending.borrower,
            until=self.lending.until,
            stands=self._stands(),
        )

    def _stands(self) -> Text:
        match self.lending.state:
            case "pending":
                return Text("It waits for another approver to agree.")
            case "lent":
                return Text("It holds. If you did not expect it, end it.")
            case "rejected":
                return Text("It was rejected. Nothing changes.")
            case "expired":
                return Text("Nobody agreed in time.")
        return Text("It is over.")

    def choices(self) -> tuple[Choice, ...]:
        decide = (Agree(), Reject()) if self.lending.state == "pending" and self.may_decide else ()
        end = (EndLending(),) if self.lending.state in ("pending", "lent") and self.may_end else ()
        return (*decide, *end)

    async def hears(
        self, answer: Agree | Reject | EndLending, teller: Teller
    ) -> LendingShown | AskLendingCode | EnterWhyNotLent:
        match answer:
            case Agree():
                return await self._agree(teller)
            case EndLending():
                return await _after(teller.settings.end(self.lending.id), self.lending, teller)
            case Reject():
                return EnterWhyNotLent(lending=self.lending)

    async def _agree(self, teller: Teller) -> LendingShown | AskLendingCode:
        try:
            return await _agreed(self.lending, teller)
        except StepUpRequired as takes:
            if not takes.enrolled:
                raise
            return AskLendingCode(lending=self.lending)


class AskLendingCode(OfLending):
    """The code is looked at once, and kept nowhere."""

    any_words = True
    secret = True

    def says(self) -> Text:
        return Text(
            "To approve this change, type the 6-digit code that your authenticator app shows now.\n{lines}",
            lines=Text("{lender} to {borrower}", lender=self.lending.lender, borrower=self.lending.borrower),
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> LendingShown:
        match answer:
            case Said(text=code):
                return await _agreed(self.lending, teller, code)
            case Cancel():
                return await look(self.lending.id, teller)


class EnterWhyNotLent(OfLending):
    any_words = True

    def says(self) -> Text:
        return Text(
            "Why do you reject it? Type the reason; {lender} will read it.", lender=self.lending.lender
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> LendingShown:
        match answer:
            case Said(text=typed):
                deed = teller.settings.refuse(self.lending.id, reason_of(typed))
                return await _after(deed, self.lending, teller)
            case Cancel():
                return await look(self.lending.id, teller)


def shown(lending: Lending, teller: Teller) -> LendingShown:
    """Who lends and who borrows do not agree to it."""
    me = teller.me.person_id
    approves = APPROVE in teller.me.scopes and me != lending.borrower_id
    return LendingShown(
        lending=lending,
        may_decide=approves and me != lending.lender_id,
        may_end=approves or me == lending.lender_id,
    )


async def look(lending_id: UUID, teller: Teller) -> LendingShown:
    return shown(await teller.settings.lending(lending_id), teller)


async def _agreed(lending: Lending, teller: Teller, code: str | None = None) -> LendingShown:
    return await _after(teller.settings.agree(lending.id, lending.digest, code), lending, teller)


async def _after(deed: Awaitable[Lending], lending: Lending, teller: Teller) -> LendingShown:
    """Who comes second is told where it stands."""
    try:
        return shown(await deed, teller)
    except NotPending:
        return await look(lending.id, teller)


async def lendings(teller: Teller, _rest: str = "") -> Lendings:
    return Lendings(lendings=await teller.settings.lendings())


async def told_asked(news: LendingAsked, teller: Teller) -> LendingShown:
    return shown(news.lending, teller)


async def told_moved(news: LendingMoved, teller: Teller) -> LendingShown:
    return shown(news.lending, teller)
