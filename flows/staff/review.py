"""Review: one of the staff says what became of money whose provider does not say it.

Undecideds     -> UndecidedShown | SettlementShown
UndecidedShown -> EnterReceipt | EnterProof
EnterReceipt   -> EnterNote | EnterBooked | UndecidedShown
EnterBooked    -> EnterNote | UndecidedShown
EnterProof     -> EnterNote | UndecidedShown
EnterNote      -> SettlementShown | UndecidedShown
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flows.amounts import amount_of
from flows.refusals import provider_name
from flows.reply import Said
from flows.staff.deciding import Cancel, reason_of
from flows.staff.order import NoSuchOrder, number_of
from flows.staff.review_shown import in_a_list, in_short, sent_to, still_asked, what_is_known
from flows.staff.review_told import told_of
from flows.staff.settle import SettlementShown, look, shown
from flows.step import Choice, Step
from flows.teller import ReviewQueue, Settlement, Teller, Undecided
from flows.text import Text
from services.errors import NotFound
from services.errors.review import AmountDiffers, InvalidReference
from services.ids import new_id
from services.money import Money
from services.readable import is_blank


@dataclass(frozen=True)
class LookAt(Choice):
    exact = True
    about: Undecided

    @property
    def label(self) -> Text:
        return in_a_list(self.about)

    @property
    def note(self) -> Text | None:
        return Text("Not known since {at}", at=self.about.since or self.about.sent_at)


@dataclass(frozen=True)
class LookAtSettlement(Choice):
    exact = True
    settlement: Settlement

    @property
    def label(self) -> Text:
        return in_a_list(self.settlement.about)

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
        choose = Text(
            "Of one payment, payout or refund of {shop} the provider does not say what became of it. Choose "
            "it to see it.",
            "Of {count} payments, payouts and refunds of {shop} the providers do not say what became of "
            "them. Choose one to see it.",
            count=len(self.choices()),
        )
        return Text("{lines}", lines=(choose, *still_asked(self.queue)))

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
    queue: ReviewQueue = ReviewQueue(undecided=(), settlements=())

    def says(self) -> Text:
        known = Text(
            "Of every payment, payout and refund of {shop} it is known what became of it, or I am still "
            "asking."
        )
        unanswered = Text(
            "For a payment that nobody answered in time, type *review* with its order's number, such as "
            "*review K7Q2X0*."
        )
        return Text("{lines}", lines=(known, *still_asked(self.queue), unanswered))


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
                if about.firm is not None:
                    raise AmountDiffers(about.amount, about.firm)
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

    async def hears(self, answer: Said | Cancel, teller: Teller) -> EnterNote | EnterBooked | UndecidedShown:
        match answer:
            case Said(text=typed):
                receipt = await teller.review.receipt(self.about.id, typed)
                if self.about.differs:
                    return EnterBooked(id=self.id, about=self.about, receipt=receipt)
                return EnterNote(id=self.id, about=self.about, outcome="paid", evidence=receipt)
            case Cancel():
                return UndecidedShown(about=self.about)


class EnterBooked(Step):
    """Where another amount was told than was asked for: nobody says "paid" and means that one."""

    any_words = True
    id: UUID
    about: Undecided
    receipt: str

    def says(self) -> Text:
        return Text(
            "{told}\nHow much do {provider}'s own records have for receipt {receipt}? Type the amount.",
            told=told_of(self.about, self.receipt),
            provider=provider_name(self.about.provider),
            receipt=self.receipt,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> EnterNote | UndecidedShown:  # noqa: ARG002  nothing to ask yet
        match answer:
            case Said(text=typed):
                amount = amount_of(typed, self.about.amount.currency)
                if amount != self.about.amount:
                    raise AmountDiffers(self.about.amount, amount)
                known = {"outcome": "paid", "evidence": self.receipt, "amount": amount}
                return EnterNote(id=self.id, about=self.about, **known)
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
    amount: Money | None = None

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
                    self.id, self.about.id, self.outcome, self.evidence, reason_of(typed), self.amount
                )
                return shown(made, teller)
            case Cancel():
                return UndecidedShown(about=self.about)


async def review(
    teller: Teller, rest: str = ""
) -> Undecideds | NothingUndecided | UndecidedShown | SettlementShown | NoSuchOrder:
    """`rest`: an order's number, for what was asked of its customer and nobody says the end of."""
    if rest:
        return await _of_order(rest, teller)
    queue = await teller.review.queue()
    return Undecideds(queue=queue) if queue.undecided or queue.settlements else NothingUndecided(queue=queue)


async def _of_order(
    typed: str, teller: Teller
) -> Undecideds | UndecidedShown | SettlementShown | NoSuchOrder:
    number = number_of(typed)
    try:
        queue = await teller.review.of_order(number)
    except NotFound:
        return NoSuchOrder(number=number)
    match Undecideds(queue=queue).choices():
        case (LookAt(about=about),):
            return UndecidedShown(about=about)
        case (LookAtSettlement(settlement=settlement),):
            return shown(settlement, teller)
    return Undecideds(queue=queue)
