"""Settle: another person decides over what one has said became of a payout, a refund or a payment.

Each settlement is a thread of its own.

SettlementShown   -> SettlementShown | AskSettlementCode | EnterWhyNotSo
AskSettlementCode -> SettlementShown
EnterWhyNotSo     -> SettlementShown
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flows.reply import Said
from flows.staff.deciding import Approve, Cancel, Reject, reason_of
from flows.staff.review_shown import said, stands
from flows.staff.shown import short
from flows.step import Choice, Step
from flows.teller import Settlement, Teller
from flows.text import Text
from services.errors import NotPending, StepUpRequired
from services.news.review import SettlementAsked, SettlementMoved
from services.people.access import RECONCILE


class TakeItBack(Choice):
    tap_only = True
    label = Text("Take it back")


class OfSettlement(Step):
    settlement: Settlement

    @property
    def thread(self) -> str:
        return f"u{self.settlement.id.hex}"


class SettlementShown(OfSettlement):
    """`by`, `reason`: who has just moved it, and why."""

    good_for = timedelta(minutes=15)
    may_decide: bool = False
    may_take_back: bool = False
    by: str | None = None
    reason: str | None = None

    @property
    def reference(self) -> str | None:
        return short(self.settlement.id)

    def says(self) -> Text:
        lines = (said(self.settlement), *self._moved(), stands(self.settlement))
        return Text("🔎 What became of it\n{lines}", lines=lines)

    def _moved(self) -> tuple[Text, ...]:
        told = [Text("Decided by: {by}", by=self.by)] if self.by else []
        told += [Text("Reason: {reason}", reason=self.reason)] if self.reason else []
        return tuple(told)

    def choices(self) -> tuple[Choice, ...]:
        if self.settlement.state != "pending":
            return ()
        decide = (Approve(), Reject()) if self.may_decide else ()
        return (*decide, *((TakeItBack(),) if self.may_take_back else ()))

    async def hears(
        self, answer: Approve | Reject | TakeItBack, teller: Teller
    ) -> SettlementShown | AskSettlementCode | EnterWhyNotSo:
        match answer:
            case Approve():
                return await self._approve(teller)
            case Reject():
                return EnterWhyNotSo(settlement=self.settlement)
            case TakeItBack():
                try:
                    return shown(await teller.review.cancel(self.settlement.id), teller)
                except NotPending:
                    return await look(self.settlement.id, teller)

    async def _approve(self, teller: Teller) -> SettlementShown | AskSettlementCode:
        try:
            return await _approved(self.settlement, teller)
        except StepUpRequired as takes:
            if not takes.enrolled:
                raise
            return AskSettlementCode(settlement=self.settlement)


class AskSettlementCode(OfSettlement):
    """The code is looked at once, and kept nowhere."""

    any_words = True
    secret = True

    def says(self) -> Text:
        return Text(
            "To approve what became of {amount}, type the 6-digit code that your authenticator app shows "
            "now.",
            amount=self.settlement.about.amount,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> SettlementShown:
        match answer:
            case Said(text=code):
                return await _approved(self.settlement, teller, code)
            case Cancel():
                return await look(self.settlement.id, teller)


class EnterWhyNotSo(OfSettlement):
    any_words = True

    def says(self) -> Text:
        return Text(
            "Why do you reject that? Type the reason; {maker} will read it.", maker=self.settlement.maker
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> SettlementShown:
        match answer:
            case Said(text=typed):
                try:
                    return shown(await teller.review.reject(self.settlement.id, reason_of(typed)), teller)
                except NotPending:
                    pass
            case Cancel():
                pass
        return await look(self.settlement.id, teller)


async def _approved(settlement: Settlement, teller: Teller, code: str | None = None) -> SettlementShown:
    """Who comes second is told where it stands."""
    try:
        after = await teller.review.approve(settlement.id, settlement.digest, code)
    except NotPending:
        return await look(settlement.id, teller)
    return shown(after, teller)


def shown(settlement: Settlement, teller: Teller) -> SettlementShown:
    mine = settlement.maker_id == teller.me.person_id
    return SettlementShown(
        settlement=settlement,
        may_decide=not mine and RECONCILE in teller.me.scopes,
        may_take_back=mine,
    )


async def look(settlement_id: UUID, teller: Teller) -> SettlementShown:
    return shown(await teller.review.settlement(settlement_id), teller)


async def told_asked(news: SettlementAsked, teller: Teller) -> SettlementShown:
    return shown(news.settlement, teller)


async def told_moved(news: SettlementMoved, teller: Teller) -> SettlementShown:
    return shown(news.settlement, teller).model_copy(update={"by": news.by, "reason": news.reason})
