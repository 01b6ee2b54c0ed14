"""Wallet: what the merchant has earned, and what was withdrawn of it."""

from __future__ import annotations

from typing import Any

from flows.refusals import STATUSES
from flows.staff.shown import rail_shown, short, way_shown
from flows.step import Step
from flows.teller import Balance, Teller
from flows.text import Text
from services.news import Frozen, Resting, Withdrawal

_BECAUSE = {
    Frozen.SETTINGS: Text("the settings that they use are refused, and the operator has to correct them"),
    Frozen.FUNDS: Text("the account that they are paid from is short of money"),
    Frozen.CONTRADICTION: Text("the operator has to compare them with the provider's own records"),
    Frozen.BOOKS: Text("something in the books does not add up, and the operator has been alerted"),
    Frozen.RESTORED: Text(
        "the records were restored from a backup, and are compared with the provider's own"
    ),
    Frozen.OPERATOR: Text("the operator has stopped them"),
}


class Wallet(Step):
    funds: Balance

    def says(self) -> Text:
        if not self.funds.resting:
            return self._funds()
        return Text(
            "{wallet}\n{resting}", wallet=self._funds(), resting=tuple(map(_rests, self.funds.resting))
        )

    def _funds(self) -> Text:
        known: dict[str, Any] = {
            "at": self.funds.at,
            "available": self.funds.available,
            "held": self.funds.held,
            "posted": self.funds.posted,
        }
        if self.funds.owed:
            return Text(
                "Wallet of *{shop}* on {at}\nAvailable: *{available}*\nHeld: {held}\nIn all: {posted}\n"
                "⚠️ Owed: *{owed}*, for payments that were taken back. The next sales pay it first.",
                **known,
                owed=self.funds.owed,
            )
        return Text(
            "Wallet of *{shop}* on {at}\n"
            "Available: *{available}*\nHeld for withdrawals: {held}\nIn all: {posted}",
            **known,
        )


class History(Step):
    withdrawals: tuple[Withdrawal, ...]

    def says(self) -> Text:
        if not self.withdrawals:
            return Text("There have been no withdrawals from {shop} yet.")
        return Text(
            "The latest withdrawals from {shop}:\n{lines}",
            lines=tuple(_line(each) for each in self.withdrawals),
        )


def _line(withdrawal: Withdrawal) -> Text:
    return Text(
        "{at}: {reference}, {amount} to {destination}, by {maker}, {status}",
        at=withdrawal.created_at,
        reference=short(withdrawal.id),
        amount=withdrawal.amount,
        destination=rail_shown(withdrawal.method_type, withdrawal.destination),
        maker=withdrawal.maker,
        status=STATUSES[withdrawal.status],
    )


def _rests(resting: Resting) -> Text:
    """By which way nothing leaves now, and why."""
    because = _BECAUSE[resting.because]
    if resting.way is None:
        return Text("⏸ All payouts are stopped: {because}.", because=because)
    return Text("⏸ Payouts {way} are stopped: {because}.", way=way_shown(resting.way), because=because)


async def balance(teller: Teller, _rest: str = "") -> Wallet:
    return Wallet(funds=await teller.balance())


async def history(teller: Teller, _rest: str = "") -> History:
    return History(withdrawals=await teller.withdrawals())
