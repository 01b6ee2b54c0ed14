"""Change staff: somebody joins the staff, leaves it, or may do other things than before.

ChooseMember  -> MemberShown | EnterNewName | NotChanging
MemberShown   -> ChooseRights | ChangeShown | NotChanging
EnterNewName  -> EnterNewPhone | NotChanging
EnterNewPhone -> ChooseRights | NotChanging
ChooseRights  -> ChangeShown | NotChanging
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from flows.reply import Said
from flows.staff.change_decide import ChangeShown, NotChanging, shown
from flows.staff.deciding import Cancel
from flows.step import Choice, Step
from flows.teller import Member, Teller
from flows.text import Text
from services.ids import new_id
from services.people.access import ROLES

_SCOPE_LIST = re.compile(r"[,;\s]+")


class AddMember(Choice):
    exact = True
    label = Text("Add somebody")


class OtherRights(Choice):
    exact = True
    label = Text("Other rights")


class TakeOff(Choice):
    exact = True
    label = Text("Take off the staff")


@dataclass(frozen=True)
class One(Choice):
    exact = True
    member: Member

    @property
    def label(self) -> Text:
        return Text("{name}", name=self.member.name)

    @property
    def note(self) -> Text | None:
        return Text("{rights}", rights=self.member.rights)


@dataclass(frozen=True)
class AsRole(Choice):
    exact = True
    role: str

    @property
    def label(self) -> Text:
        return Text("{role}", role=self.role)


class ChooseMember(Step):
    members: tuple[Member, ...]

    def says(self) -> Text:
        return Text("Who of the staff of {shop} is it about?")

    def choices(self) -> tuple[Choice, ...]:
        return (AddMember(), *(One(each) for each in self.members), Cancel())

    def menu(self) -> Text | None:
        return Text("Choose")

    async def hears(
        self,
        answer: One | AddMember | Cancel,
        teller: Teller,  # noqa: ARG002
    ) -> MemberShown | EnterNewName | NotChanging:
        match answer:
            case One(member=member):
                return MemberShown(id=new_id(), member=member)
            case AddMember():
                return EnterNewName(id=new_id())
            case Cancel():
                return NotChanging()


class MemberShown(Step):
    id: UUID
    member: Member

    def says(self) -> Text:
        return Text("*{name}* works as {rights}.", name=self.member.name, rights=self.member.rights)

    def choices(self) -> tuple[Choice, ...]:
        return OtherRights(), TakeOff(), Cancel()

    async def hears(
        self, answer: OtherRights | TakeOff | Cancel, teller: Teller
    ) -> ChooseRights | ChangeShown | NotChanging:
        match answer:
            case OtherRights():
                return ChooseRights(id=self.id, name=self.member.name, staff_id=self.member.id)
            case TakeOff():
                wanted = {"action": "remove", "staff_id": str(self.member.id)}
                return shown(await teller.settings.ask(self.id, "staff", wanted), teller)
            case Cancel():
                return NotChanging()


class EnterNewName(Step):
    any_words = True
    id: UUID

    def says(self) -> Text:
        return Text("What is the name of who joins the staff of {shop}?")

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> EnterNewPhone | NotChanging:  # noqa: ARG002
        match answer:
            case Said(text=text):
                return EnterNewPhone(id=self.id, name=text.strip()[:120])
            case Cancel():
                return NotChanging()


class EnterNewPhone(Step):
    id: UUID
    name: str

    def says(self) -> Text:
        return Text("From which number does {name} write on WhatsApp? Type it.", name=self.name)

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ChooseRights | NotChanging:
        match answer:
            case Said(text=text):
                phone = await teller.settings.phone(text)
                return ChooseRights(id=self.id, name=self.name, phone=phone)
            case Cancel():
                return NotChanging()


class ChooseRights(Step):
    """Of somebody new, who has a `phone`, or of one of the staff."""

    any_words = True
    id: UUID
    name: str
    phone: str | None = None
    staff_id: UUID | None = None

    def says(self) -> Text:
        return Text(
            "What may {name} do? Choose a role, or type single rights, such as: finance:view, orders:view. "
            "Others have to approve it; new rights hold 24 hours later.",
            name=self.name,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (*(AsRole(each) for each in ROLES), Cancel())

    def menu(self) -> Text | None:
        return Text("Choose")

    async def hears(self, answer: AsRole | Said | Cancel, teller: Teller) -> ChangeShown | NotChanging:
        match answer:
            case AsRole(role=role):
                return await self._ask({"role": role}, teller)
            case Said(text=text):
                scopes = [each for each in _SCOPE_LIST.split(text.strip().casefold()) if each]
                return await self._ask({"scopes": scopes}, teller)
            case Cancel():
                return NotChanging()

    async def _ask(self, rights: dict[str, object], teller: Teller) -> ChangeShown:
        if self.staff_id is not None:
            wanted = {"action": "set", "staff_id": str(self.staff_id)} | rights
        else:
            wanted = {"action": "add", "name": self.name, "phone": self.phone} | rights
        return shown(await teller.settings.ask(self.id, "staff", wanted), teller)


async def choose(teller: Teller) -> ChooseMember:
    return ChooseMember(members=await teller.settings.staff())
