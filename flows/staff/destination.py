"""Destination: where a withdrawal goes, and the last look at it before it is asked for.

ChooseDestination  -> ConfirmWithdrawal | EnterPayoutNumber | FillBank | ChooseBank | NotWithdrawing
EnterPayoutNumber  -> ConfirmWithdrawal | NotWithdrawing
FillBank           -> ConfirmWithdrawal | EnterAccount | ChooseBank | NotWithdrawing
ChooseBank         -> EnterAccount | NotWithdrawing
EnterAccount       -> EnterHolder | NotWithdrawing
EnterHolder        -> ConfirmWithdrawal | NotWithdrawing
ConfirmWithdrawal  -> Requested | ChooseDestination | NotWithdrawing | ConfirmWithdrawal
"""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

from flows.form import Form
from flows.reply import Filled, Said
from flows.staff import bank_form
from flows.staff.deciding import Cancel
from flows.staff.offered import OTHER_WAYS, AnotherNumber, AtBank, BankAccount, SendTo, Till, TypeInstead
from flows.staff.requested import NotWithdrawing, Requested
from flows.staff.shown import destination_shown, short
from flows.step import Choice, Step
from flows.teller import Destination, Quote, Teller
from flows.text import Text
from services import banks
from services.errors import Changed
from services.ids import new_id
from services.money import Money


class Confirm(Choice):
    tap_only = True
    label = Text("Withdraw")


class ChangeDestination(Choice):
    label = Text("Change destination")


class ChooseDestination(Step):
    """`ways`: those that the shop can pay out by."""

    amount: Money
    destinations: tuple[Destination, ...]
    ways: tuple[str, ...] = ("mpesa",)

    def says(self) -> Text:
        return Text("Where should {amount} go?", amount=self.amount)

    def choices(self) -> tuple[Choice, ...]:
        others = (choice for way, choice in OTHER_WAYS.items() if way in self.ways)
        return (*(SendTo(each) for each in self.destinations), *others, Cancel())

    def menu(self) -> Text | None:
        return Text("Choose destination")

    async def hears(
        self, answer: SendTo | AnotherNumber | BankAccount | Till | Cancel, teller: Teller
    ) -> ConfirmWithdrawal | EnterPayoutNumber | FillBank | ChooseBank | NotWithdrawing:
        match answer:
            case SendTo(destination=destination):
                return await confirm(self.amount, destination, teller)
            case AnotherNumber():
                return EnterPayoutNumber(amount=await possible(self.amount, "mpesa", teller))
            case Till():
                return EnterPayoutNumber(amount=await possible(self.amount, "till", teller), way="till")
            case BankAccount():
                amount = await possible(self.amount, "bank_transfer", teller)
                asks_all = bank_form.NAME in teller.shop.forms
                return FillBank(amount=amount) if asks_all else ChooseBank(amount=amount)
            case Cancel():
                return NotWithdrawing()


class EnterPayoutNumber(Step):
    """Of a phone, or of a till."""

    amount: Money
    way: Literal["mpesa", "till"] = "mpesa"

    def says(self) -> Text:
        if self.way == "till":
            return Text("Type the till number that {amount} should go to.", amount=self.amount)
        return Text(
            "Type the M-Pesa number that {amount} should go to, such as 0712 345 678.", amount=self.amount
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ConfirmWithdrawal | NotWithdrawing:
        match answer:
            case Said(text=text):
                name = "till_number" if self.way == "till" else "phone_number"
                destination = await teller.destination(self.way, {name: text})
                return await confirm(self.amount, destination, teller)
            case Cancel():
                return NotWithdrawing()


class FillBank(Step):
    """All at once in a form, or one after another here: whoever types is answered here."""

    amount: Money

    def says(self) -> Text:
        return Text(
            "Which bank account should {amount} go to? Fill in the form, or type the bank's name here.",
            amount=self.amount,
        )

    def form(self) -> Form | None:
        return bank_form.form(self.amount)

    def choices(self) -> tuple[Choice, ...]:
        return TypeInstead(), Cancel()

    async def hears(
        self, answer: Filled | Said | TypeInstead | Cancel, teller: Teller
    ) -> ConfirmWithdrawal | EnterAccount | ChooseBank | NotWithdrawing:
        match answer:
            case Filled(values=values):
                destination = await teller.destination("bank_transfer", bank_form.details(values))
                return await confirm(self.amount, destination, teller)
            case Said(text=text):
                return self._at(text)
            case TypeInstead():
                return ChooseBank(amount=self.amount)
            case Cancel():
                return NotWithdrawing()

    def _at(self, bank: str) -> EnterAccount | ChooseBank:
        try:
            return EnterAccount(amount=self.amount, bank_code=banks.code_named(bank))
        except banks.InvalidDestination:
            return ChooseBank(amount=self.amount)


class ChooseBank(Step):
    amount: Money

    def says(self) -> Text:
        return Text("At which bank? Choose it, or type its name.")

    def choices(self) -> tuple[Choice, ...]:
        return (*(AtBank(code) for code in banks.BANKS), Cancel())

    def menu(self) -> Text | None:
        return Text("Choose bank")

    async def hears(self, answer: AtBank | Said | Cancel, teller: Teller) -> EnterAccount | NotWithdrawing:  # noqa: ARG002
        match answer:
            case AtBank(code=code):
                return EnterAccount(amount=self.amount, bank_code=code)
            case Said(text=text):
                return EnterAccount(amount=self.amount, bank_code=banks.code_named(text))
            case Cancel():
                return NotWithdrawing()


class EnterAccount(Step):
    amount: Money
    bank_code: str

    def says(self) -> Text:
        return Text("Type the account number at {bank}.", bank=banks.BANKS[self.bank_code])

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> EnterHolder | NotWithdrawing:  # noqa: ARG002
        match answer:
            case Said(text=text):
                number = banks.account_number(text)
                return EnterHolder(amount=self.amount, bank_code=self.bank_code, account_number=number)
            case Cancel():
                return NotWithdrawing()


class EnterHolder(Step):
    any_words: ClassVar[bool] = True
    amount: Money
    bank_code: str
    account_number: str

    def says(self) -> Text:
        return Text("Whose account is it? Type the name as the bank has it.")

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ConfirmWithdrawal | NotWithdrawing:
        match answer:
            case Said(text=text):
                typed = {"account_number": self.account_number, "account_name": text}
                destination = await teller.destination("bank_transfer", {"bank_code": self.bank_code} | typed)
                return await confirm(self.amount, destination, teller)
            case Cancel():
                return NotWithdrawing()


class ConfirmWithdrawal(Step):
    """The id is minted here, so that confirming twice withdraws once."""

    id: UUID
    quote: Quote
    destination: Destination

    @property
    def reference(self) -> str | None:
        return short(self.id)

    def says(self) -> Text:
        return Text(
            "Withdraw *{gross}* from {shop}\nFee: {fee}\nAfter the fee: *{net}*\nTo: {destination}\n"
            "Another person must approve it.",
            gross=self.quote.gross,
            fee=self.quote.fee,
            net=self.quote.net,
            destination=destination_shown(self.destination),
        )

    def choices(self) -> tuple[Choice, ...]:
        return Confirm(), ChangeDestination(), Cancel()

    async def hears(
        self, answer: Confirm | ChangeDestination | Cancel, teller: Teller
    ) -> Requested | ChooseDestination | NotWithdrawing | ConfirmWithdrawal:
        match answer:
            case Confirm():
                return await self._request(teller)
            case ChangeDestination():
                return choose(self.quote.gross, await teller.destinations(), teller)
            case Cancel():
                return NotWithdrawing()

    async def _request(self, teller: Teller) -> Requested | ConfirmWithdrawal:
        """A fee that has changed since is shown anew, never charged unseen."""
        try:
            return Requested(withdrawal=await teller.withdraw(self.id, self.quote, self.destination))
        except Changed:
            return await confirm(self.quote.gross, self.destination, teller)


async def confirm(amount: Money, destination: Destination, teller: Teller) -> ConfirmWithdrawal:
    """Raises what `Teller.quote` raises."""
    quote = await teller.quote(amount, destination.method_type)
    return ConfirmWithdrawal(id=new_id(), quote=quote, destination=destination)


def choose(amount: Money, known: tuple[Destination, ...], teller: Teller) -> ChooseDestination:
    return ChooseDestination(amount=amount, destinations=known, ways=teller.shop.pays_out_by)


async def possible(amount: Money, way: str, teller: Teller) -> Money:
    """An impossible amount is refused before the next question. Raises what `Teller.quote` raises."""
    await teller.quote(amount, way)
    return amount
