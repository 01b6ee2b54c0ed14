"""Review: one of the staff says what became of money whose provider does not say it.

Undecideds     -> UndecidedShown | SettlementShown
UndecidedShown -> EnterReceipt | EnterProof
EnterReceipt   -> EnterNote | UndecidedShown
EnterProof     -> EnterNote | UndecidedShown
EnterNote      -> SettlementShown | UndecidedShown
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flows.refusals import provider_name
from flows.reply import Said
from flows.staff.deciding import Cancel, reason_of
from flows.staff.review_shown import in_short, sent_to, what_is_known
from flows.staff.settle import SettlementShown, look, shown
from flows.staff.shown import short
from flows.step import Choice, Step
from flows.teller import ReviewQueue, Settlement, Teller, Undecided
from flows.text import Text
from services.errors.review import InvalidReference
from services.ids import new_id
from services.readable import is_blank


@dataclass(frozen=True)
class LookAt(Choice):
    exact = True
    about: Undecided

    @property
    def label(self) -> Text:
        return Text("{amount} {reference}", amount=self.about.amount, reference=short(self.about.of))

    @property
    def note(self) -> Text | None:
        return Text("Not known since {at}", at=self.about.since or self.about.sent_at)


@dataclass(frozen=True)
class LookAtSettlement(Choice):
    exact = True
    settlement: Settlement

    @property
    def label(self) -> Text:
        about = self.settlement.about
        return Text("{amount} {reference}", amount=about.amount, reference=short(about.of))

    @property
    def note(self) -> Text | None:
        return in_short(self.settlement)


class WasPaid(Choice):
    tap_only = True
    label = Text("It was paid")


class WasNotPaid(Choice):
    tap_only = True
    label = Text("It was not paid")


class Undecideds(Step):
    queue: ReviewQueue

    def says(self) -> Text:
        return Text(
            "Of one payment, payout or refund of {shop} the provider does not say what became of it. Choose "
            "it to see it.",
            "Of {count} payments, payouts and refunds of {shop} the providers do not say what became of "
            "them. Choose one to see it.",
            count=len(self.choices()),
        )

    def choices(self) -> tuple[Choice, ...]:
        said = {each.about.id for each in self.queue.settlements}
        open_ = [LookAt(each) for each in self.queue.undecided if each.id not in said]
        return (*(LookAtSettlement(each) for each in self.queue.settlements), *open_)

    def menu(self) -> Text | None:
        return Text("Choose")

    async def hears(
        self, answer: LookAt | LookAtSettlement, teller: Teller
    ) -> UndecidedShown | SettlementShown:
        match answer:
            case LookAt(about=about):
                return UndecidedShown(about=await teller.review.undecided(about.id))
            case LookAtSettlement(settlement=settlement):
                return await look(settlement.id, teller)


class NothingUndecided(Step):
    def says(self) -> Text:
        return Text(
            "Of every payment, payout and refund of {shop} it is known what became of it, or I am still "
            "asking."
        )


class UndecidedShown(Step):
    about: Undecided

    def says(self) -> Text:
        return Text(
            "{what}\n{known}\nLook for it in {provider}'s own records. What became of it? Another person has "
            "to approve what you say, and nothing is sent again.",
            what=sent_to(self.about),
            known=what_is_known(self.about),
            provider=provider_name(self.about.provider),
        )

    def choices(self) -> tuple[Choice, ...]:
        return WasPaid(), WasNotPaid()

    async def hears(self, answer: WasPaid | WasNotPaid, teller: Teller) -> EnterReceipt | EnterProof:
        about = await teller.review.undecided(self.about.id)
        match answer:
            case WasPaid():
                return EnterReceipt(id=new_id(), about=about)
            case WasNotPaid():
                return EnterProof(id=new_id(), about=about)


class EnterReceipt(Step):
    any_words = True
    id: UUID
    about: Undecided

    def says(self) -> Text:
        return Text(
            "Type the receipt that {provider} has for it, such as {example}.",
            provider=provider_name(self.about.provider),
            example="TRF_1ptvuv321ahaa7q" if self.about.provider == "paystack" else "SJK7ABC123",
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> EnterNote | UndecidedShown:
        match answer:
            case Said(text=typed):
                receipt = await teller.review.receipt(self.about.id, typed)
                return EnterNote(id=self.id, about=self.about, outcome="paid", evidence=receipt)
            case Cancel():
                return UndecidedShown(about=self.about)


class EnterProof(Step):
    any_words = True
    id: UUID
    about: Undecided

    def says(self) -> Text:
        return Text(
            "What shows that it was not paid? Type the date of {provider}'s statement, or the number of your "
            "request to their support.",
            provider=provider_name(self.about.provider),
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> EnterNote | UndecidedShown:  # noqa: ARG002  nothing to ask yet
        match answer:
            case Said(text=typed):
                proof = reason_of(typed)[:100]
                if is_blank(proof):
                    raise InvalidReference(proof)
                return EnterNote(id=self.id, about=self.about, outcome="not_paid", evidence=proof)
            case Cancel():
                return UndecidedShown(about=self.about)


class EnterNote(Step):
    any_words = True
    id: UUID
    about: Undecided
    outcome: str
    evidence: str

    def says(self) -> Text:
        return Text(
            "Where did you look, and what did you find? Type it in a few words: whoever approves it will "
            "read them."
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> SettlementShown | UndecidedShown:
        match answer:
            case Said(text=typed):
                made = await teller.review.propose(
                    self.id, self.about.id, self.outcome, self.evidence, reason_of(typed)
                )
                return shown(made, teller)
            case Cancel():
                return UndecidedShown(about=self.about)


async def review(teller: Teller, _rest: str = "") -> Undecideds | NothingUndecided:
    queue = await teller.review.queue()
    return Undecideds(queue=queue) if queue.undecided or queue.settlements else NothingUndecided()
