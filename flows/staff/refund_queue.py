"""Refund queue: what waits about money that goes back, and what is told of it and needs no answer.

RefundsWaiting -> DecideRefund | RefundRequestedShown | RefundStands | WishShown | TwiceShown
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flows.refusals import provider_name
from flows.staff.refund_ask import TwiceShown, WishShown
from flows.staff.refund_decide import DecideRefund, RefundRequestedShown, look
from flows.staff.refund_shown import RefundStands
from flows.staff.shown import short
from flows.step import Choice, Step
from flows.teller import PaidTwice, RefundQueue, RefundWish, Teller
from flows.text import Text
from services.money import Money
from services.news.refunds import MoneyTakenBack, PaymentDisputed, Refund


@dataclass(frozen=True)
class LookAt(Choice):
    exact = True
    refund: Refund

    @property
    def label(self) -> Text:
        return Text("{amount} {reference}", amount=self.refund.amount, reference=short(self.refund.id))

    @property
    def note(self) -> Text | None:
        return Text("Asked by {maker} on {at}", maker=self.refund.maker, at=self.refund.created_at)


@dataclass(frozen=True)
class TakeUp(Choice):
    exact = True
    wish: RefundWish

    @property
    def label(self) -> Text:
        return Text("{amount} {number}", amount=self.wish.amount, number=self.wish.number)

    @property
    def note(self) -> Text | None:
        return Text("A customer asked on {at}", at=self.wish.at)


@dataclass(frozen=True)
class Resolve(Choice):
    exact = True
    twice: PaidTwice

    @property
    def label(self) -> Text:
        return Text("{amount} {number}", amount=self.twice.amount, number=self.twice.number)

    @property
    def note(self) -> Text | None:
        return Text("Paid twice, apart since {at}", at=self.twice.at)


class RefundsWaiting(Step):
    queue: RefundQueue

    def says(self) -> Text:
        return Text("This is waiting at {shop} about refunds. Choose one to see it and decide.")

    def choices(self) -> tuple[Choice, ...]:
        return (
            *(LookAt(each) for each in self.queue.refunds),
            *(TakeUp(each) for each in self.queue.wishes),
            *(Resolve(each) for each in self.queue.twice),
        )

    def menu(self) -> Text | None:
        return Text("Choose")

    async def hears(
        self, answer: LookAt | TakeUp | Resolve, teller: Teller
    ) -> DecideRefund | RefundRequestedShown | RefundStands | WishShown | TwiceShown:
        match answer:
            case LookAt(refund=refund):
                return await look(refund.id, teller)
            case TakeUp(wish=wish):
                return WishShown(wish=wish)
            case Resolve(twice=twice):
                return TwiceShown(twice=twice)


class NothingWaits(Step):
    def says(self) -> Text:
        return Text(
            "Nothing is waiting at {shop} about refunds. To refund an order, type *order* and its number."
        )


class TakenBackTold(Step):
    number: str
    amount: Money
    owed: Money
    provider: str
    left: Money | None = None

    @property
    def thread(self) -> str:
        return "notice"

    def says(self) -> Text:
        facts: dict[str, Any] = {
            "provider": provider_name(self.provider),
            "amount": self.amount,
            "number": self.number,
        }
        if self.left is not None:
            return Text(
                "⚠️ {provider} says that it has taken {amount} of order {number} back to the customer, though "
                "only {left} of it was left. I have booked nothing, and the operator is told. Please look it "
                "up in the records of {provider}: what it did take beyond that, {shop} owes.",
                **facts,
                left=self.left,
            )
        if self.owed:
            return Text(
                "⚠️ {provider} has taken {amount} of order {number} back to the customer. The wallet did not "
                "cover {owed} of it: {shop} owes that, and the next sales pay it first.",
                **facts,
                owed=self.owed,
            )
        return Text(
            "⚠️ {provider} has taken {amount} of order {number} back to the customer, out of the wallet.",
            **facts,
        )


class DisputedTold(Step):
    number: str
    amount: Money
    provider: str

    @property
    def thread(self) -> str:
        return "notice"

    def says(self) -> Text:
        return Text(
            "⚠️ The customer of order {number} disputes {amount} at {provider}. Nothing has moved yet. Please "
            "answer it there in time.",
            number=self.number,
            amount=self.amount,
            provider=provider_name(self.provider),
        )


async def refunds(teller: Teller, _rest: str = "") -> RefundsWaiting | NothingWaits:
    queue = await teller.refunds.queue()
    waits = queue.refunds or queue.wishes or queue.twice
    return RefundsWaiting(queue=queue) if waits else NothingWaits()


async def told_taken_back(news: MoneyTakenBack, _teller: Teller) -> TakenBackTold:
    return TakenBackTold(
        number=news.number, amount=news.amount, owed=news.owed, provider=news.provider, left=news.left
    )


async def told_disputed(news: PaymentDisputed, _teller: Teller) -> DisputedTold:
    return DisputedTold(number=news.number, amount=news.amount, provider=news.provider)
