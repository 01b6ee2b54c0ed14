"""Requested: a withdrawal is asked for, or is not after all.

Requested -> Stands
"""

from __future__ import annotations

from flows.staff.shown import Stands, facts, short, withdrawal_thread
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text
from services.news import Unsent, Withdrawal
from services.news.approval import WithdrawalAskedAgain


class TakeBack(Choice):
    tap_only = True
    label = Text("Cancel withdrawal")


class Requested(Step):
    """The maker waits for the approval. `again`: it is asked for anew, since it was approved and could not be
    sent in time; or, with `rules`, since what was approved is not enough any more."""

    withdrawal: Withdrawal
    again: bool = False
    rules: bool = False

    @property
    def thread(self) -> str:
        return withdrawal_thread(self.withdrawal.id)

    @property
    def reference(self) -> str | None:
        return short(self.withdrawal.id)

    def says(self) -> Text:
        if self.rules:
            return Text(
                "Who may approve, or how many have to, has changed since you asked for this withdrawal, so "
                "it has to be approved again. I've asked the approvers.\n{facts}",
                facts=facts(self.withdrawal),
            )
        if self.again:
            return Text(
                "This withdrawal was approved, but it could not be sent within 30 minutes, so it has to be "
                "approved again. I've asked the approvers.\n{facts}",
                facts=facts(self.withdrawal),
            )
        return Text(
            "Requested. I've asked the approvers and will tell you what they decide.\n{facts}",
            facts=facts(self.withdrawal),
        )

    def choices(self) -> tuple[Choice, ...]:
        return (TakeBack(),)

    async def hears(self, answer: TakeBack, teller: Teller) -> Stands:  # noqa: ARG002  the only choice
        return Stands(withdrawal=await teller.cancel_withdrawal(self.withdrawal.id))


async def told_asked_again(news: WithdrawalAskedAgain, _teller: Teller) -> Requested:
    return Requested(withdrawal=news.withdrawal, again=True, rules=news.because == Unsent.APPROVER)


class NotWithdrawing(Step):
    def says(self) -> Text:
        return Text("All right, nothing was withdrawn. Type *menu* to go on.")
