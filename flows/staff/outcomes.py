"""Outcomes: what is told of a withdrawal once it was decided, to the people that it concerns."""

from __future__ import annotations

from datetime import datetime

from flows.refusals import carrier_name, receipt_shown
from flows.staff.shown import OfWithdrawal, ended, facts, short, way_shown
from flows.staff.unsent import because
from flows.teller import Teller
from flows.text import Text
from services.money import Money
from services.news import (
    Held,
    SelfApprovalTried,
    Unsent,
    WithdrawalApproved,
    WithdrawalClosed,
    WithdrawalHeldBack,
    WithdrawalPaid,
    WithdrawalPaidLate,
)


class ApprovedTold(OfWithdrawal):
    by: str

    def says(self) -> Text:
        return Text(
            "{by} approved withdrawal {reference} of {amount}. {net} is being sent.",
            by=self.by,
            reference=short(self.withdrawal.id),
            amount=self.withdrawal.amount,
            net=self.withdrawal.net,
        )


class ClosedTold(OfWithdrawal):
    """`reason` is what a person typed, `because` is ours."""

    by: str | None
    reason: str | None
    because: Unsent | None

    def says(self) -> Text:
        if self.because == Unsent.RETURNED:
            return Text(
                "⚠️ {provider} has given back what it had told as paid out. {amount} is in the wallet again, "
                "the fee included. Check the destination before you ask again.\n{facts}",
                provider=carrier_name(self.withdrawal),
                amount=self.withdrawal.amount,
                facts=facts(self.withdrawal),
            )
        if self.because == Unsent.DENIED:
            return Text(
                "⚠️ {provider} says that this was not paid, though two people had found that it was. {amount} "
                "is in the wallet again, the fee included. Payouts from {shop} are stopped until the "
                "operator has looked.\n{facts}",
                provider=carrier_name(self.withdrawal),
                amount=self.withdrawal.amount,
                facts=facts(self.withdrawal),
            )
        ours = because(self.because, self.withdrawal.method_type) if self.because else None
        return ended(self.withdrawal, ours or self.reason, self.by)


class HeldBackTold(OfWithdrawal):
    until: datetime | None = None
    because: Held = Held.STOPPED

    def says(self) -> Text:
        if self.because is Held.RAIL:
            return Text(
                "Withdrawal {reference} of {amount} is approved, but payouts from {shop} {way} are stopped "
                "just now. It is sent as soon as they resume. If that takes more than 30 minutes, it has to "
                "be approved again.",
                reference=short(self.withdrawal.id),
                amount=self.withdrawal.amount,
                way=way_shown(self.withdrawal.method_type),
            )
        if self.because is Held.TURN:
            return Text(
                "Withdrawal {reference} of {amount} is approved and waits its turn: another payout to a till "
                "is on its way, and only one may be. It is sent as soon as that one has arrived. If that "
                "takes more than 30 minutes, it has to be approved again.",
                reference=short(self.withdrawal.id),
                amount=self.withdrawal.amount,
            )
        if self.because is Held.FLOAT:
            return Text(
                "Withdrawal {reference} of {amount} is approved and waits: the {provider} account that it is "
                "paid from holds too little just now. It is sent as soon as there is enough. If that takes "
                "more than a day, it has to be approved again.",
                reference=short(self.withdrawal.id),
                amount=self.withdrawal.amount,
                provider=carrier_name(self.withdrawal),
            )
        if self.until is not None:
            return Text(
                "Withdrawal {reference} of {amount} is approved. Nothing leaves {shop} at this hour: it is "
                "sent on {until}.",
                reference=short(self.withdrawal.id),
                amount=self.withdrawal.amount,
                until=self.until,
            )
        return Text(
            "Withdrawal {reference} of {amount} is approved, but payouts from {shop} are stopped just now. "
            "It is sent as soon as they resume. If that takes more than 30 minutes, it has to be approved "
            "again.",
            reference=short(self.withdrawal.id),
            amount=self.withdrawal.amount,
        )


class PaidOutTold(OfWithdrawal):
    receipt: str | None

    def says(self) -> Text:
        return Text(
            "✅ Paid out: {net} has arrived. {receipt}\n{facts}",
            net=self.withdrawal.net,
            receipt=receipt_shown(self.receipt, self.withdrawal.method_type),
            facts=facts(self.withdrawal),
        )


class PaidLateTold(OfWithdrawal):
    """It had failed, and has arrived after all."""

    owed: Money

    def says(self) -> Text:
        if self.owed:
            return Text(
                "⚠️ {provider} says now that this was paid after all, though it had failed. {net} has left "
                "without a fee. The wallet did not cover {owed} of it: that is owed, and what comes in pays "
                "it first. Payouts from {shop} are stopped until the operator has looked. Do not ask for it "
                "again.\n{facts}",
                owed=self.owed,
                provider=carrier_name(self.withdrawal),
                net=self.withdrawal.net,
                facts=facts(self.withdrawal),
            )
        return Text(
            "⚠️ {provider} says now that this was paid after all, though it had failed. {net} is taken from "
            "the wallet, without a fee. Payouts from {shop} are stopped until the operator has looked. Do "
            "not ask for it again.\n{facts}",
            provider=carrier_name(self.withdrawal),
            net=self.withdrawal.net,
            facts=facts(self.withdrawal),
        )


class SelfApprovalTold(OfWithdrawal):
    def says(self) -> Text:
        return Text(
            "⚠️ {maker} tried to approve their own withdrawal. It was refused and recorded. Please check with "
            "them; another approver can still decide.\n{facts}",
            maker=self.withdrawal.maker,
            facts=facts(self.withdrawal),
        )


async def told_approved(news: WithdrawalApproved, _teller: Teller) -> ApprovedTold:
    return ApprovedTold(withdrawal=news.withdrawal, by=news.by)


async def told_closed(news: WithdrawalClosed, _teller: Teller) -> ClosedTold:
    return ClosedTold(withdrawal=news.withdrawal, by=news.by, reason=news.reason, because=news.because)


async def told_held_back(news: WithdrawalHeldBack, _teller: Teller) -> HeldBackTold:
    return HeldBackTold(withdrawal=news.withdrawal, until=news.until, because=news.because)


async def told_paid(news: WithdrawalPaid, _teller: Teller) -> PaidOutTold:
    return PaidOutTold(withdrawal=news.withdrawal, receipt=news.receipt)


async def told_paid_late(news: WithdrawalPaidLate, _teller: Teller) -> PaidLateTold:
    return PaidLateTold(withdrawal=news.withdrawal, owed=news.owed)


async def told_self_approval(news: SelfApprovalTried, _teller: Teller) -> SelfApprovalTold:
    return SelfApprovalTold(withdrawal=news.withdrawal)
