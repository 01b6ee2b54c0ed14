"""Unasked: a person stops what is written to them unasked, and starts it again. What they have asked for,
and what is about their own money, comes in any case."""

from __future__ import annotations

from flows.customer.menu import Menu, menu
from flows.step import Step
from flows.teller import Teller
from flows.text import Text


class Stopped(Step):
    staff: bool = False

    def says(self) -> Text:
        if self.staff:
            return Text(
                "Done. You get no more summaries and reminders from {shop} here. I still tell you about "
                "withdrawals and trouble with money. To undo this, type *start*."
            )
        return Text(
            "Done. {shop} sends you no more reminders or requests here. You can still write to me, and I "
            "still tell you about your payments. To undo this, type *start*."
        )


class WelcomeBack(Step):
    def says(self) -> Text:
        return Text("Welcome back. {shop} may write to you again. Type *menu* to go on.")


async def stop(teller: Teller, _rest: str = "") -> Stopped:
    await teller.stop_unasked()
    return Stopped(staff=teller.me.is_staff)


async def start(teller: Teller, _rest: str = "") -> WelcomeBack | Menu:
    return WelcomeBack() if await teller.start_unasked() else await menu(teller)
