"""Refund: a customer asks for what they paid, and hears what the shop makes of it.

AskWhyRefund -> RefundWished | NotWished
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flows.refusals import provider_name
from flows.reply import Said
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text
from services.money import Money
from services.news.refunds import PaymentKept, RefundDeclined, RefundMade, RefundUndone


class AskRefund(Choice):
    exact = True
    label = Text("Ask for refund")


class Cancel(Choice):
    label = Text("Cancel")


class AskWhyRefund(Step):
    any_words = True
    payment_id: UUID
    number: str

    def says(self) -> Text:
        return Text(
            "Why do you want your money back for order {number}? Type it in a few words; {shop} will read "
            "them and decide.",
            number=self.number,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> RefundWished | NotWished:
        match answer:
            case Said(text=reason):
                return RefundWished(number=await teller.refunds.wish(self.payment_id, reason))
            case Cancel():
                return NotWished()


class RefundWished(Step):
    number: str

    def says(self) -> Text:
        return Text(
            "I have asked {shop} to refund order {number}. They decide, and I'll tell you here.",
            number=self.number,
        )


class NotWished(Step):
    def says(self) -> Text:
        return Text("All right, I have not asked for a refund. Type *menu* to go on.")


class _Told(Step):
    number: str

    @property
    def thread(self) -> str:
        return "order"


class RefundMadeTold(_Told):
    amount: Money
    provider: str
    label: str
    receipt: str | None
    twice: bool

    def says(self) -> Text:
        facts: dict[str, Any] = {
            "amount": self.amount,
            "number": self.number,
            "method": Text("{provider} {label}", provider=provider_name(self.provider), label=self.label),
        }
        if self.twice:
            return Text(
                "✅ {shop} has given back what you paid twice for order {number}: {amount}, to {method}.",
                **facts,
            )
        if self.receipt:
            return Text(
                "✅ {shop} has refunded {amount} of order {number} to {method}. Receipt: {receipt}.",
                **facts,
                receipt=self.receipt,
            )
        return Text("✅ {shop} has refunded {amount} of order {number} to {method}.", **facts)


class RefundUndoneTold(_Told):
    amount: Money
    provider: str
    label: str
    twice: bool

    def says(self) -> Text:
        provider = provider_name(self.provider)
        facts: dict[str, Any] = {
            "amount": self.amount,
            "number": self.number,
            "provider": provider,
            "method": Text("{provider} {label}", provider=provider, label=self.label),
        }
        if self.twice:
            return Text(
                "⚠️ I told you that {shop} has given back what you paid twice for order {number}: {amount}, "
                "to {method}. {provider} now says that it has not reached you. {shop} knows, and can give it "
                "back again. Type *agent* to talk to a person.",
                **facts,
            )
        return Text(
            "⚠️ I told you that {shop} has refunded {amount} of order {number} to {method}. {provider} now "
            "says that it has not reached you. {shop} knows, and can refund it again. Type *agent* to talk "
            "to a person.",
            **facts,
        )


class PaymentKeptTold(_Told):
    amount: Money
    reason: str

    def says(self) -> Text:
        return Text(
            "{shop} has taken your second payment of {amount} for order {number} as another purchase: "
            "{reason}\nIf that is not right, please tell the shop.",
            amount=self.amount,
            number=self.number,
            reason=self.reason,
        )


class RefundDeclinedTold(_Told):
    reason: str

    def says(self) -> Text:
        return Text(
            "{shop} does not refund order {number}: {reason}\nType *agent* to talk to a person.",
            number=self.number,
            reason=self.reason,
        )


async def told_made(news: RefundMade, _teller: Teller) -> RefundMadeTold:
    return RefundMadeTold(
        number=news.number,
        amount=news.amount,
        provider=news.provider,
        label=news.label,
        receipt=news.receipt,
        twice=news.twice,
    )


async def told_undone(news: RefundUndone, _teller: Teller) -> RefundUndoneTold:
    return RefundUndoneTold(
        number=news.number,
        amount=news.amount,
        provider=news.provider,
        label=news.label,
        twice=news.twice,
    )


async def told_kept(news: PaymentKept, _teller: Teller) -> PaymentKeptTold:
    return PaymentKeptTold(number=news.number, amount=news.amount, reason=news.reason)


async def told_declined(news: RefundDeclined, _teller: Teller) -> RefundDeclinedTold:
    return RefundDeclinedTold(number=news.number, reason=news.reason)
