"""Change destination: one of the staff asks that payouts usually go somewhere else.

ChooseNewWay        -> EnterNewDestination | ChooseNewBank | NotChanging
EnterNewDestination -> ChangeShown | NotChanging
ChooseNewBank       -> EnterNewAccount | NotChanging
EnterNewAccount     -> EnterNewHolder | NotChanging
EnterNewHolder      -> ChangeShown | NotChanging
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from flows.reply import Said
from flows.staff.change_decide import ChangeShown, NotChanging, shown
from flows.staff.deciding import Cancel
from flows.staff.offered import AtBank, BankAccount, Till
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text
from services import banks
from services.ids import new_id
from services.rails import refuse_closed_way_out, refuse_closed_ways_out


class MpesaNumber(Choice):
    exact = True
    label = Text("M-Pesa number")


_WAYS: dict[str, Choice] = {"mpesa": MpesaNumber(), "bank_transfer": BankAccount(), "till": Till()}


class ChooseNewWay(Step):
    """`ways`: those that the shop can pay out by."""

    ways: tuple[str, ...]

    def says(self) -> Text:
        return Text("Where shall payouts from {shop} go usually?")

    def choices(self) -> tuple[Choice, ...]:
        return (*(choice for way, choice in _WAYS.items() if way in self.ways), Cancel())

    async def hears(
        self, answer: MpesaNumber | BankAccount | Till | Cancel, teller: Teller
    ) -> EnterNewDestination | ChooseNewBank | NotChanging:
        match answer:
            case MpesaNumber():
                refuse_closed_way_out(teller.shop, "mpesa")
                return EnterNewDestination(id=new_id())
            case Till():
                refuse_closed_way_out(teller.shop, "till")
                return EnterNewDestination(id=new_id(), way="till")
            case BankAccount():
                refuse_closed_way_out(teller.shop, "bank_transfer")
                return ChooseNewBank(id=new_id())
            case Cancel():
                return NotChanging()


class EnterNewDestination(Step):
    """A phone's number, or a till's."""

    id: UUID
    way: Literal["mpesa", "till"] = "mpesa"

    def says(self) -> Text:
        if self.way == "till":
            return Text(
                "To which till shall payouts from {shop} go usually? Type its number. "
                "Another person has to approve it, and it holds 24 hours later."
            )
        return Text(
            "To which M-Pesa number shall payouts from {shop} go usually? Type it, such as 0712 345 678. "
            "Another person has to approve it, and it holds 24 hours later."
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ChangeShown | NotChanging:
        match answer:
            case Said(text=typed):
                name = "till_number" if self.way == "till" else "phone_number"
                return await _ask(self.id, self.way, {name: typed}, teller)
            case Cancel():
                return NotChanging()


class ChooseNewBank(Step):
    id: UUID

    def says(self) -> Text:
        return Text("At which bank? Choose it, or type its name.")

    def choices(self) -> tuple[Choice, ...]:
        return (*(AtBank(code) for code in banks.BANKS), Cancel())

    async def hears(self, answer: AtBank | Said | Cancel, teller: Teller) -> EnterNewAccount | NotChanging:  # noqa: ARG002
        match answer:
            case AtBank(code=code):
                return EnterNewAccount(id=self.id, bank_code=code)
            case Said(text=text):
                return EnterNewAccount(id=self.id, bank_code=banks.code_named(text))
            case Cancel():
                return NotChanging()


class EnterNewAccount(Step):
    id: UUID
    bank_code: str

    def says(self) -> Text:
        return Text("Type the account number at {bank}.", bank=banks.BANKS[self.bank_code])

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> EnterNewHolder | NotChanging:  # noqa: ARG002
        match answer:
            case Said(text=text):
                number = banks.account_number(text)
                return EnterNewHolder(id=self.id, bank_code=self.bank_code, account_number=number)
            case Cancel():
                return NotChanging()


class EnterNewHolder(Step):
    any_words = True
    id: UUID
    bank_code: str
    account_number: str

    def says(self) -> Text:
        return Text("Whose account is it? Type the name as the bank has it.")

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ChangeShown | NotChanging:
        match answer:
            case Said(text=text):
                typed = {"account_number": self.account_number, "account_name": text}
                details = {"bank_code": self.bank_code} | typed
                return await _ask(self.id, "bank_transfer", details, teller)
            case Cancel():
                return NotChanging()


async def _ask(id_: UUID, way: str, typed: dict[str, str], teller: Teller) -> ChangeShown:
    """Raises InvalidPhone, InvalidDestination and what `Settings.ask` raises."""
    found = await teller.settings.destination(way, typed)
    wanted = {"method_type": way, "method_details": dict(found.details)}
    return shown(await teller.settings.ask(id_, "destination", wanted), teller)


def choose(teller: Teller) -> ChooseNewWay:
    """Raises ProviderNotConfigured where nothing can be paid out."""
    refuse_closed_ways_out(teller.shop)
    return ChooseNewWay(ways=teller.shop.pays_out_by)
