"""Refund ask: one of the staff asks that money goes back: of an order, for a customer who wants it, or of
what was paid twice.

EnterRefundAmount -> EnterRefundReason | NotRefunding
EnterRefundReason -> RefundRequestedShown | NotRefunding
WishShown         -> EnterRefundAmount | EnterWhyNot
EnterWhyNot       -> WishDeclined | WishShown
TwiceShown        -> EnterTwiceReason
EnterTwiceReason  -> RefundRequestedShown | TwiceShown
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flows.amounts import amount_of
from flows.refusals import provider_name, receipt_shown
from flows.reply import Said
from flows.staff.answering import quoted
from flows.staff.refund_decide import RefundRequestedShown
from flows.step import Choice, Step
from flows.teller import PaidTwice, Refundable, RefundWish, Teller
from flows.text import Text
from services.errors.refunds import MoreThanRemains
from services.ids import new_id
from services.money import Money
from services.news.refunds import RefundWanted


class GiveBack(Choice):
    exact = True
    label = Text("Refund it")


class AllOfIt(Choice):
    exact = True
    label = Text("All of it")


class Decline(Choice):
    exact = True
    label = Text("Decline")


class KeepIt(Choice):
    exact = True
    label = Text("Keep as sale")


class Cancel(Choice):
    label = Text("Cancel")


class EnterRefundAmount(Step):
    of: Refundable

    def says(self) -> Text:
        facts: dict[str, Any] = {"number": self.of.number, "customer": self.of.customer, "left": self.of.left}
        if self.of.fee:
            return Text(
                "How much of order {number} goes back to {customer}? At most {left}. The sale's fee of {fee} "
                "is not given back. Type an amount, such as 200.",
                **facts,
                fee=self.of.fee,
            )
        return Text(
            "How much of order {number} goes back to {customer}? At most {left}. Type an amount, such as "
            "200.",
            **facts,
        )

    def choices(self) -> tuple[Choice, ...]:
        return AllOfIt(), Cancel()

    async def hears(
        self, answer: Said | AllOfIt | Cancel, teller: Teller
    ) -> EnterRefundReason | NotRefunding:
        match answer:
            case Said(text=typed):
                amount = amount_of(typed, teller.shop.currency)
                if amount > self.of.left:
                    raise MoreThanRemains(self.of.left, amount)
                return EnterRefundReason(of=self.of, amount=amount, id=new_id())
            case AllOfIt():
                return EnterRefundReason(of=self.of, amount=self.of.left, id=new_id())
            case Cancel():
                return NotRefunding()


class EnterRefundReason(Step):
    any_words = True
    of: Refundable
    amount: Money
    id: UUID

    def says(self) -> Text:
        return Text(
            "Why does {amount} of order {number} go back? Type a few words; who approves it will read them.",
            amount=self.amount,
            number=self.of.number,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> RefundRequestedShown | NotRefunding:
        match answer:
            case Said(text=reason):
                asked = await teller.refunds.ask(self.id, self.of.payment_id, self.amount, reason)
                return RefundRequestedShown(refund=asked)
            case Cancel():
                return NotRefunding()


class NotRefunding(Step):
    def says(self) -> Text:
        return Text("All right, nothing is refunded. Type *menu* to go on.")


class _OfWish(Step):
    wish: RefundWish

    @property
    def thread(self) -> str:
        return f"k{self.wish.id.hex}"


class WishShown(_OfWish):
    def says(self) -> Text:
        return Text(
            "*{customer}* asks for a refund of order {number}, {amount}:\n{reason}",
            customer=self.wish.customer or Text("A customer"),
            number=self.wish.number,
            amount=self.wish.amount,
            reason=quoted(self.wish.reason),
        )

    def choices(self) -> tuple[Choice, ...]:
        return GiveBack(), Decline()

    async def hears(self, answer: GiveBack | Decline, teller: Teller) -> EnterRefundAmount | EnterWhyNot:
        match answer:
            case GiveBack():
                return EnterRefundAmount(of=await teller.refunds.refundable(self.wish.number))
            case Decline():
                return EnterWhyNot(wish=self.wish)


class EnterWhyNot(_OfWish):
    any_words = True

    def says(self) -> Text:
        return Text(
            "Why is order {number} not refunded? Type a few words; the customer will read them.",
            number=self.wish.number,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> WishDeclined | WishShown:
        match answer:
            case Said(text=reason):
                first = await teller.refunds.decline(self.wish.id, reason)
                return WishDeclined(wish=self.wish, first=first)
            case Cancel():
                return WishShown(wish=self.wish)


class WishDeclined(_OfWish):
    first: bool

    def says(self) -> Text:
        if not self.first:
            return Text("Somebody has answered {customer} already.", customer=self.wish.customer)
        return Text("{customer} is told why.", customer=self.wish.customer)


class _OfTwice(Step):
    twice: PaidTwice

    @property
    def thread(self) -> str:
        return f"t{self.twice.attempt_id.hex}"


class TwiceShown(_OfTwice):
    def says(self) -> Text:
        method = self.twice.method
        return Text(
            "Order {number} was paid twice by {customer}. Since {at} the second {amount}, {provider} "
            "{label}, lies apart from the wallet. {receipt}\nIt goes back to the customer, or, where they "
            "bought twice, is kept as a sale. Another person approves it.",
            number=self.twice.number,
            customer=self.twice.customer,
            at=self.twice.at,
            amount=self.twice.amount,
            provider=provider_name(method.provider),
            label=method.label,
            receipt=receipt_shown(self.twice.receipt, method.provider),
        )

    def choices(self) -> tuple[Choice, ...]:
        return GiveBack(), KeepIt()

    async def hears(self, answer: GiveBack | KeepIt, teller: Teller) -> EnterTwiceReason:  # noqa: ARG002
        return EnterTwiceReason(twice=self.twice, keep=isinstance(answer, KeepIt), id=new_id())


class EnterTwiceReason(_OfTwice):
    any_words = True
    keep: bool
    id: UUID

    def says(self) -> Text:
        if self.keep:
            return Text("Why is it kept as a sale? Type a few words; the customer will read them.")
        return Text("Why does it go back? Type a few words; who approves it will read them.")

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> RefundRequestedShown | TwiceShown:
        match answer:
            case Said(text=reason):
                asked = await teller.refunds.resolve_twice(
                    self.id, self.twice.attempt_id, reason, keep=self.keep
                )
                return RefundRequestedShown(refund=asked)
            case Cancel():
                return TwiceShown(twice=self.twice)


async def look_wish(wish_id: UUID, teller: Teller) -> WishShown | None:
    """What is still to be answered; None where it has been."""
    wishes = (await teller.refunds.queue()).wishes
    return next((WishShown(wish=wish) for wish in wishes if wish.id == wish_id), None)


async def told_wanted(news: RefundWanted, teller: Teller) -> WishShown:
    wish = RefundWish(
        id=news.wish_id,
        number=news.number,
        amount=news.amount,
        customer=news.customer,
        reason=news.reason,
        at=teller.now,
    )
    return WishShown(wish=wish)
