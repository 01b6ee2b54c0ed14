"""Withdraw: a member of staff asks for the earnings; another one will have to approve.

EnterWithdrawal    -> ConfirmWithdrawal | ChooseDestination | EnterPayoutNumber | NotWithdrawing
ChooseDestination  -> ConfirmWithdrawal | EnterPayoutNumber | NotWithdrawing
EnterPayoutNumber  -> ConfirmWithdrawal | NotWithdrawing
ConfirmWithdrawal  -> Requested | ChooseDestination | NotWithdrawing | ConfirmWithdrawal
Requested          -> Stands
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flows.amounts import amount_of
from flows.reply import Said
from flows.staff.shown import Stands, destination_shown, facts, short, withdrawal_thread
from flows.step import Choice, Step
from flows.teller import Destination, Quote, Teller
from flows.text import Text
from services.errors import Changed
from services.ids import new_id
from services.money import Money
from services.news import Withdrawal
from services.rails import refuse_closed_ways_out


class Confirm(Choice):
    tap_only = True
    label = Text("Withdraw")


class ChangeDestination(Choice):
    label = Text("Change destination")


class Cancel(Choice):
    label = Text("Cancel")


class TakeBack(Choice):
    tap_only = True
    label = Text("Cancel withdrawal")


class AnotherNumber(Choice):
    label = Text("Another number")


@dataclass(frozen=True)
class SendTo(Choice):
    exact = True
    destination: Destination

    @property
    def label(self) -> Text:
        return destination_shown(self.destination)

    @property
    def note(self) -> Text | None:
        return Text("From the settings") if self.destination.configured else Text("Used before")


class EnterWithdrawal(Step):
    available: Money

    def says(self) -> Text:
        return Text(
            "How much do you want to withdraw? {available} is available. Type an amount, such as 1000.",
            available=self.available,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(
        self, answer: Said | Cancel, teller: Teller
    ) -> ConfirmWithdrawal | ChooseDestination | EnterPayoutNumber | NotWithdrawing:
        match answer:
            case Said(text=text):
                return await start(amount_of(text, teller.shop.currency), teller)
            case Cancel():
                return NotWithdrawing()


class ChooseDestination(Step):
    amount: Money
    destinations: tuple[Destination, ...]

    def says(self) -> Text:
        return Text("Where should {amount} go?", amount=self.amount)

    def choices(self) -> tuple[Choice, ...]:
        return (*(SendTo(each) for each in self.destinations), AnotherNumber(), Cancel())

    def menu(self) -> Text | None:
        return Text("Choose destination")

    async def hears(
        self, answer: SendTo | AnotherNumber | Cancel, teller: Teller
    ) -> ConfirmWithdrawal | EnterPayoutNumber | NotWithdrawing:
        match answer:
            case SendTo(destination=destination):
                return await confirm(self.amount, destination, teller)
            case AnotherNumber():
                return EnterPayoutNumber(amount=self.amount)
            case Cancel():
                return NotWithdrawing()


class EnterPayoutNumber(Step):
    amount: Money

    def says(self) -> Text:
        return Text(
            "Type the M-Pesa number that {amount} should go to, such as 0712 345 678.", amount=self.amount
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ConfirmWithdrawal | NotWithdrawing:
        match answer:
            case Said(text=text):
                return await confirm(self.amount, await teller.number_destination(text), teller)
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
                return ChooseDestination(amount=self.quote.gross, destinations=await teller.destinations())
            case Cancel():
                return NotWithdrawing()

    async def _request(self, teller: Teller) -> Requested | ConfirmWithdrawal:
        """A fee that has changed since is shown anew, never charged unseen."""
        try:
            return Requested(withdrawal=await teller.withdraw(self.id, self.quote, self.destination))
        except Changed:
            return await confirm(self.quote.gross, self.destination, teller)


class Requested(Step):
    """The maker waits for the approval."""

    withdrawal: Withdrawal

    @property
    def thread(self) -> str:
        return withdrawal_thread(self.withdrawal.id)

    @property
    def reference(self) -> str | None:
        return short(self.withdrawal.id)

    def says(self) -> Text:
        return Text(
            "Requested. I've asked the approvers and will tell you what they decide.\n{facts}",
            facts=facts(self.withdrawal),
        )

    def choices(self) -> tuple[Choice, ...]:
        return (TakeBack(),)

    async def hears(self, answer: TakeBack, teller: Teller) -> Stands:  # noqa: ARG002  the only choice
        return Stands(withdrawal=await teller.cancel_withdrawal(self.withdrawal.id))


class NotWithdrawing(Step):
    def says(self) -> Text:
        return Text("All right, nothing was withdrawn. Type *menu* to go on.")


async def confirm(amount: Money, destination: Destination, teller: Teller) -> ConfirmWithdrawal:
    """Raises what `Teller.quote` raises."""
    quote = await teller.quote(amount, destination.method_type)
    return ConfirmWithdrawal(id=new_id(), quote=quote, destination=destination)


async def start(amount: Money, teller: Teller) -> ConfirmWithdrawal | ChooseDestination | EnterPayoutNumber:
    """The configured destination is offered first, in one message."""
    refuse_closed_ways_out(teller.shop)
    known = await teller.destinations()
    if known and known[0].configured:
        return await confirm(amount, known[0], teller)
    await teller.quote(amount, "mpesa")  # an impossible amount is refused before the next question
    return ChooseDestination(amount=amount, destinations=known) if known else EnterPayoutNumber(amount=amount)


async def ask_amount(teller: Teller) -> EnterWithdrawal:
    """Raises ProviderNotConfigured at once, before anything is asked."""
    refuse_closed_ways_out(teller.shop)
    return EnterWithdrawal(available=(await teller.balance()).available)


async def withdraw(
    teller: Teller, rest: str = ""
) -> EnterWithdrawal | ConfirmWithdrawal | ChooseDestination | EnterPayoutNumber:
    if rest:
        return await start(amount_of(rest, teller.shop.currency), teller)
    return await ask_amount(teller)
