"""Withdraw: a member of staff asks for the earnings; another one will have to approve.

EnterWithdrawal -> ConfirmWithdrawal | ChooseDestination | EnterPayoutNumber | NotWithdrawing
"""

from __future__ import annotations

from flows.amounts import amount_of
from flows.reply import Said
from flows.staff.deciding import Cancel
from flows.staff.destination import (
    ChooseDestination,
    ConfirmWithdrawal,
    EnterPayoutNumber,
    choose,
    confirm,
)
from flows.staff.requested import NotWithdrawing
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text
from services.money import Money
from services.rails import refuse_closed_ways_out


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


async def start(amount: Money, teller: Teller) -> ConfirmWithdrawal | ChooseDestination | EnterPayoutNumber:
    """The configured destination is offered first, in one message."""
    refuse_closed_ways_out(teller.shop)
    known, ways = await teller.destinations(), teller.shop.pays_out_by
    if known and known[0].configured:
        return await confirm(amount, known[0], teller)
    await teller.quote(amount, ways[0])  # an impossible amount is refused before the next question
    if not known and ways == ("mpesa",):
        return EnterPayoutNumber(amount=amount)
    return choose(amount, known, teller)


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
