"""Approve: another person decides over a withdrawal.

Each withdrawal is a thread of its own, so that an approver can decide amid other talk.

Approvals -> Decide | Requested | Stands
Decide    -> Approved | AskCode | AskReason | Stands
AskCode   -> Approved | Decide | Stands
AskReason -> Stands | Decide
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flows.reply import Said
from flows.staff.deciding import MOST_REASON, Approve, Cancel, Reject
from flows.staff.limited import unusual
from flows.staff.requested import Requested
from flows.staff.shown import OfWithdrawal, Stands, facts, rail_shown, short
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text
from services.errors import NotFound, NotPending, StepUpRequired
from services.news import Withdrawal, WithdrawalRequested
from services.people.access import APPROVE, VIEW_FINANCE


@dataclass(frozen=True)
class Look(Choice):
    exact = True
    withdrawal: Withdrawal

    @property
    def label(self) -> Text:
        return Text(
            "{amount} {reference}", amount=self.withdrawal.amount, reference=short(self.withdrawal.id)
        )

    @property
    def note(self) -> Text | None:
        return Text("Asked by {maker} on {at}", maker=self.withdrawal.maker, at=self.withdrawal.created_at)


class Approvals(Step):
    """`may_decide`: else the person may only ask for withdrawals, and see these."""

    withdrawals: tuple[Withdrawal, ...]
    may_decide: bool = True

    def says(self) -> Text:
        if not self.may_decide:
            return Text(
                "One withdrawal is waiting for approval. Choose it to see it.",
                "{count} withdrawals are waiting for approval. Choose one to see it.",
                count=len(self.withdrawals),
            )
        return Text(
            "One withdrawal is waiting for approval. Choose it to see it and decide.",
            "{count} withdrawals are waiting for approval. Choose one to see it and decide.",
            count=len(self.withdrawals),
        )

    def choices(self) -> tuple[Choice, ...]:
        return tuple(Look(each) for each in self.withdrawals)

    def menu(self) -> Text | None:
        return Text("Choose withdrawal")

    async def hears(self, answer: Look, teller: Teller) -> Decide | Requested | Stands:
        return await look(answer.withdrawal.id, teller)


class NoApprovals(Step):
    def says(self) -> Text:
        return Text("No withdrawal from {shop} is waiting for approval.")


class Decide(OfWithdrawal):
    """`kept`: the person was about to reject it, and did not, which is said once."""

    good_for = timedelta(minutes=15)
    kept: bool = False

    @property
    def reference(self) -> str | None:
        return short(self.withdrawal.id)

    def says(self) -> Text:
        lines = (facts(self.withdrawal), *unusual(self.withdrawal))
        told: dict[str, Any] = {"until": self.withdrawal.expires_at, "facts": lines}
        if self.kept:
            return Text(
                "All right, it is not rejected. It is waiting for your decision until {until}.\n{facts}",
                **told,
            )
        return Text("A withdrawal from {shop} is waiting for your decision until {until}.\n{facts}", **told)

    def once_said(self) -> Decide:
        return self.model_copy(update={"kept": False}) if self.kept else self

    def choices(self) -> tuple[Choice, ...]:
        return Approve(), Reject()

    async def hears(
        self, answer: Approve | Reject, teller: Teller
    ) -> Approved | AskCode | AskReason | Stands:
        match answer:
            case Approve():
                return await self._approve(teller)
            case Reject():
                return AskReason(withdrawal=self.withdrawal)

    async def _approve(self, teller: Teller) -> Approved | AskCode | Stands:
        try:
            return await _approved(self.withdrawal, teller)
        except StepUpRequired as takes:
            if not takes.enrolled:
                raise
            return AskCode(withdrawal=self.withdrawal)


class AskCode(OfWithdrawal):
    """The code is looked at once, and kept nowhere."""

    any_words = True
    secret = True

    def says(self) -> Text:
        return Text(
            "To approve {reference}, type the 6-digit code that your authenticator app shows now.\n"
            "After the fee: *{net}*\nTo: {destination}",
            reference=short(self.withdrawal.id),
            net=self.withdrawal.net,
            destination=rail_shown(self.withdrawal.method_type, self.withdrawal.to),
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> Approved | Decide | Stands:
        match answer:
            case Said(text=code):
                return await _approved(self.withdrawal, teller, code)
            case Cancel():
                return Decide(withdrawal=self.withdrawal)


class AskReason(OfWithdrawal):
    any_words = True

    def says(self) -> Text:
        return Text(
            "Why do you reject withdrawal {reference} of {amount}? Type the reason; {maker} will read it.",
            reference=short(self.withdrawal.id),
            amount=self.withdrawal.amount,
            maker=self.withdrawal.maker,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> Stands | Decide:
        match answer:
            case Said(text=reason):
                return await self._reject(reason, teller)
            case Cancel():
                return Decide(withdrawal=self.withdrawal, kept=True)

    async def _reject(self, typed: str, teller: Teller) -> Stands:
        """Who comes second is told what was decided."""
        reason = typed.strip()[:MOST_REASON]
        try:
            return Stands(withdrawal=await teller.reject(self.withdrawal.id, reason), reason=reason)
        except NotPending:
            return Stands(withdrawal=await teller.withdrawal(self.withdrawal.id))


class Approved(OfWithdrawal):
    @property
    def waits(self) -> bool:
        return self.withdrawal.status == "processing"

    def says(self) -> Text:
        if self.withdrawal.status == "pending":
            return Text(
                "Your approval of {reference} is recorded. It still needs another one.",
                reference=short(self.withdrawal.id),
            )
        return Text(
            "Approved. {net} is being sent, and I'll tell you and {maker} when it has arrived.",
            net=self.withdrawal.net,
            maker=self.withdrawal.maker,
        )


async def _approved(withdrawal: Withdrawal, teller: Teller, code: str | None = None) -> Approved | Stands:
    """Who comes second is told what was decided."""
    try:
        return Approved(withdrawal=await teller.approve(withdrawal.id, withdrawal.digest, code))
    except NotPending:
        return Stands(withdrawal=await teller.withdrawal(withdrawal.id))


async def approvals(teller: Teller, _rest: str = "") -> Approvals | NoApprovals:
    waiting = await teller.awaiting_approval()
    if not waiting:
        return NoApprovals()
    return Approvals(withdrawals=waiting, may_decide=APPROVE in teller.me.scopes)


async def approve(teller: Teller, reference: str = "") -> Approvals | NoApprovals | Decide | Stands:
    """By its reference, where it is not on the screen: shown first, and then decided. A maker's own is
    refused by the business, which records the attempt; one that is decided is shown as it stands. Raises
    NotFound, FourEyesViolation."""
    if not reference:
        return await approvals(teller)
    named = _named(reference, await teller.awaiting_approval())
    if named is None:
        return Stands(withdrawal=await _decided(reference, teller))
    if named.maker_id == teller.me.person_id:
        return Stands(withdrawal=await teller.approve(named.id, named.digest))
    return Decide(withdrawal=named) if APPROVE in teller.me.scopes else Stands(withdrawal=named)


async def reject(
    teller: Teller, reference: str = ""
) -> Approvals | NoApprovals | AskReason | Requested | Stands:
    """By its reference, where it is not on the screen: the reason is asked for, and then it is decided. A
    maker takes an own one back instead. Raises NotFound."""
    if not reference:
        return await approvals(teller)
    named = _named(reference, await teller.awaiting_approval())
    if named is None:
        return Stands(withdrawal=await _decided(reference, teller))
    mine = named.maker_id == teller.me.person_id
    return Requested(withdrawal=named) if mine else AskReason(withdrawal=named)


async def _decided(reference: str, teller: Teller) -> Withdrawal:
    """Of the latest, where the person may see them. Raises NotFound."""
    named = _named(reference, await teller.withdrawals()) if VIEW_FINANCE in teller.me.scopes else None
    if named is None:
        raise NotFound("withdrawal")
    return named


def _named(reference: str, among: Iterable[Withdrawal]) -> Withdrawal | None:
    return next((each for each in among if short(each.id).casefold() == reference), None)


async def look(withdrawal_id: UUID, teller: Teller) -> Decide | Requested | Stands:
    """As it is for this person: to be decided, waited for, or decided."""
    withdrawal = await teller.withdrawal(withdrawal_id)
    if withdrawal.status != "pending":
        return Stands(withdrawal=withdrawal)
    if withdrawal.maker_id == teller.me.person_id:
        return Requested(withdrawal=withdrawal)
    return Decide(withdrawal=withdrawal) if APPROVE in teller.me.scopes else Stands(withdrawal=withdrawal)


async def told_requested(news: WithdrawalRequested, teller: Teller) -> Decide:
    """The news names no holder of an account; who decides reads the name, and who may no longer does not."""
    try:
        seen = await teller.withdrawal(news.withdrawal.id)
    except NotFound:
        return Decide(withdrawal=news.withdrawal)
    return Decide(withdrawal=news.withdrawal.model_copy(update={"named": seen.named}))
