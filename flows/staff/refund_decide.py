"""Refund decide: another person decides over a refund, or over keeping what was paid twice.

RefundRequestedShown -> RefundStands
DecideRefund         -> RefundStands | AskRefundCode | AskRefusal
AskRefundCode        -> RefundStands | DecideRefund
AskRefusal           -> RefundStands | DecideRefund
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flows.reply import Said
from flows.staff.deciding import Approve, Cancel, Reject, reason_of
from flows.staff.refund_shown import OfRefund, RefundStands, refund_facts
from flows.staff.shown import short
from flows.step import Choice
from flows.teller import Teller
from flows.text import Text
from services.errors import NotPending, StepUpRequired
from services.news.refunds import Refund, RefundRequested, RefundTold


class TakeBack(Choice):
    tap_only = True
    label = Text("Cancel refund")


class RefundRequestedShown(OfRefund):
    """The maker waits for the approval."""

    @property
    def reference(self) -> str | None:
        return short(self.refund.id)

    def says(self) -> Text:
        return Text(
            "Requested. I've asked the others who decide over refunds and will tell you what they decide."
            "\n{facts}",
            facts=refund_facts(self.refund),
        )

    def choices(self) -> tuple[Choice, ...]:
        return (TakeBack(),)

    async def hears(self, answer: TakeBack, teller: Teller) -> RefundStands:  # noqa: ARG002  the only choice
        try:
            return RefundStands(refund=await teller.refunds.cancel(self.refund.id))
        except NotPending:
            return RefundStands(refund=await teller.refunds.refund(self.refund.id))


class DecideRefund(OfRefund):
    good_for = timedelta(minutes=15)

    @property
    def reference(self) -> str | None:
        return short(self.refund.id)

    def says(self) -> Text:
        return Text(
            "A refund from {shop} is waiting for your decision until {until}.\n{facts}",
            until=self.refund.expires_at,
            facts=refund_facts(self.refund),
        )

    def choices(self) -> tuple[Choice, ...]:
        return Approve(), Reject()

    async def hears(
        self, answer: Approve | Reject, teller: Teller
    ) -> RefundStands | AskRefundCode | AskRefusal:
        match answer:
            case Approve():
                return await self._approve(teller)
            case Reject():
                return AskRefusal(refund=self.refund)

    async def _approve(self, teller: Teller) -> RefundStands | AskRefundCode:
        try:
            return await _approved(self.refund, teller)
        except StepUpRequired as takes:
            if not takes.enrolled:
                raise
            return AskRefundCode(refund=self.refund)


class AskRefundCode(OfRefund):
    """The code is looked at once, and kept nowhere."""

    any_words = True
    secret = True

    def says(self) -> Text:
        return Text(
            "To approve refund {reference} of {amount}, type the 6-digit code that your authenticator app "
            "shows now.",
            reference=short(self.refund.id),
            amount=self.refund.amount,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> RefundStands | DecideRefund:
        match answer:
            case Said(text=code):
                return await _approved(self.refund, teller, code)
            case Cancel():
                return DecideRefund(refund=self.refund)


async def _approved(refund: Refund, teller: Teller, code: str | None = None) -> RefundStands:
    """Who comes second is told what was decided."""
    try:
        return RefundStands(refund=await teller.refunds.approve(refund.id, refund.digest, code))
    except NotPending:
        return RefundStands(refund=await teller.refunds.refund(refund.id))


class AskRefusal(OfRefund):
    any_words = True

    def says(self) -> Text:
        return Text(
            "Why do you reject refund {reference} of {amount}? Type the reason; {maker} will read it, and so "
            "will the customer if they have asked for it.",
            reference=short(self.refund.id),
            amount=self.refund.amount,
            maker=self.refund.maker,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> RefundStands | DecideRefund:
        match answer:
            case Said(text=typed):
                reason = reason_of(typed)
                try:
                    after = await teller.refunds.reject(self.refund.id, reason)
                except NotPending:
                    return RefundStands(refund=await teller.refunds.refund(self.refund.id))
                return RefundStands(refund=after, reason=reason)
            case Cancel():
                return DecideRefund(refund=self.refund)


async def look(refund_id: UUID, teller: Teller) -> DecideRefund | RefundRequestedShown | RefundStands:
    """As it is for this person: to be decided, waited for, or decided."""
    refund = await teller.refunds.refund(refund_id)
    if refund.status != "pending":
        return RefundStands(refund=refund)
    if refund.maker_id == teller.me.person_id:
        return RefundRequestedShown(refund=refund)
    return DecideRefund(refund=refund)


async def told_requested(news: RefundRequested, _teller: Teller) -> DecideRefund:
    return DecideRefund(refund=news.refund)


async def told(news: RefundTold, _teller: Teller) -> RefundStands:
    return RefundStands(
        refund=news.refund,
        by=news.by,
        reason=news.reason,
        because=news.because,
        undecided=news.undecided,
    )
