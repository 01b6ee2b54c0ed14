"""Wallet: what the merchant has earned, and what was withdrawn of it."""

from __future__ import annotations

from typing import Any

from flows.refusals import STATUSES
from flows.staff.shown import rail_shown, short
from flows.step import Step
from flows.teller import Balance, Teller
from flows.text import Text
from services.news import Withdrawal


class Wallet(Step):
    funds: Balance

    def says(self) -> Text:
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


async def balance(teller: Teller, _rest: str = "") -> Wallet:
    return Wallet(funds=await teller.balance())


async def history(teller: Teller, _rest: str = "") -> History:
    return History(withdrawals=await teller.withdrawals())
