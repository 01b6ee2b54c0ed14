"""Paid: what a customer is told when money has arrived.

PaidWithNew   -> MethodSaved | MethodNotSaved | PaidWithPaper
PaidWithPaper -> MethodSaved | MethodNotSaved
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flows.customer.paper import caption, paper
from flows.document import Document
from flows.refusals import provider_name, receipt_shown
from flows.step import Choice, Step
from flows.teller import Receipt, Teller
from flows.text import Text
from services.money import Money
from services.news import PaidTwice, PaymentMethod, PaymentSettled


class Save(Choice):
    exact = True
    label = Text("Save it")


class DoNotSave(Choice):
    label = Text("No, thanks")


class GetPdf(Choice):
    label = Text("PDF receipt")


class _Receipt(Step):
    payment_id: UUID
    number: str
    amount: Money
    receipt: str | None
    paid_at: datetime
    method: PaymentMethod
    late: bool

    @property
    def thread(self) -> str:
        return payment_thread(self.payment_id)

    def says(self) -> Text:
        facts: dict[str, Any] = {
            "amount": self.amount,
            "number": self.number,
            "receipt": receipt_shown(self.receipt, self.method.provider),
            "at": self.paid_at,
            "method": method_shown(self.method),
        }
        if self.late:
            return Text(
                "✅ Your payment has arrived after all: {amount} to {shop}, order {number}, with {method} "
                "on {at}. {receipt}",
                **facts,
            )
        return Text("✅ Paid: {amount} to {shop}, order {number}, with {method} on {at}. {receipt}", **facts)


class Paid(_Receipt):
    """The receipt, and the file of it for whoever taps, however late: a thread of its own, which holds
    nothing."""

    @property
    def thread(self) -> str:
        return f"f{self.payment_id.hex}"

    def choices(self) -> tuple[Choice, ...]:
        return (GetPdf(),)


class PaidWithNew(_Receipt):
    """The receipt, and the offer to save what it was paid with."""

    def says(self) -> Text:
        return Text(
            "{receipt}\n\nShall I save {method} for next time?",
            receipt=super().says(),
            method=method_shown(self.method),
        )

    def choices(self) -> tuple[Choice, ...]:
        return Save(), DoNotSave(), GetPdf()

    async def hears(
        self, answer: Save | DoNotSave | GetPdf, teller: Teller
    ) -> MethodSaved | MethodNotSaved | PaidWithPaper:
        match answer:
            case Save() | DoNotSave():
                return await _saved(self.payment_id, answer, teller)
            case GetPdf():
                return PaidWithPaper(receipt=await teller.receipt_of(self.payment_id))


class PaidWithPaper(Step):
    """The receipt on paper, and the offer that still stands."""

    receipt: Receipt

    @property
    def thread(self) -> str:
        return payment_thread(self.receipt.payment_id)

    def says(self) -> Text:
        return Text(
            "{receipt}\n\nShall I save {method} for next time?",
            receipt=caption(self.receipt),
            method=method_shown(self.receipt.method),
        )

    def once_said(self) -> PaidWithPaper:
        """The lines are on the paper."""
        return self.model_copy(update={"receipt": self.receipt.model_copy(update={"lines": ()})})

    def choices(self) -> tuple[Choice, ...]:
        return Save(), DoNotSave()

    def document(self) -> Document:
        return paper(self.receipt)

    async def hears(self, answer: Save | DoNotSave, teller: Teller) -> MethodSaved | MethodNotSaved:
        return await _saved(self.receipt.payment_id, answer, teller)


async def _saved(payment_id: UUID, answer: Save | DoNotSave, teller: Teller) -> MethodSaved | MethodNotSaved:
    match answer:
        case Save():
            return MethodSaved(payment_id=payment_id, method=await teller.save_method(payment_id))
        case DoNotSave():
            return MethodNotSaved(payment_id=payment_id)


class MethodSaved(Step):
    payment_id: UUID
    method: PaymentMethod

    @property
    def thread(self) -> str:
        return payment_thread(self.payment_id)

    def says(self) -> Text:
        return Text("Saved. Next time I'll offer {method} first.", method=method_shown(self.method))


class MethodNotSaved(Step):
    payment_id: UUID

    @property
    def thread(self) -> str:
        return payment_thread(self.payment_id)

    def says(self) -> Text:
        return Text("All right, I haven't saved it.")


class AlreadySettled(Step):
    number: str
    receipt: str | None

    def says(self) -> Text:
        if self.receipt:
            return Text(
                "Order {number} is already paid, receipt {receipt}.",
                number=self.number,
                receipt=self.receipt,
            )
        return Text("Order {number} is already paid.", number=self.number)


class PaidTwiceTold(Step):
    payment_id: UUID
    number: str
    amount: Money
    receipt: str | None

    @property
    def thread(self) -> str:
        return payment_thread(self.payment_id)

    def says(self) -> Text:
        return Text(
            "Order {number} was paid twice: {amount} too much. {receipt} {shop} has been told and will give "
            "it back. You don't need to do anything.",
            number=self.number,
            amount=self.amount,
            receipt=receipt_shown(self.receipt),
        )


def payment_thread(payment_id: UUID) -> str:
    return f"p{payment_id.hex}"


def method_shown(method: PaymentMethod) -> Text:
    provider = provider_name(method.provider)
    if not method.label:  # whatever was chosen on its page
        return provider
    return Text("{provider} {label}", provider=provider, label=method.label)


def settled(news: PaymentSettled) -> Paid | PaidWithNew:
    kind = PaidWithNew if news.can_save else Paid
    return kind(
        payment_id=news.payment_id,
        number=news.number,
        amount=news.amount,
        receipt=news.receipt,
        paid_at=news.paid_at,
        method=news.method,
        late=news.late,
    )


async def told_settled(news: PaymentSettled, _teller: Teller) -> Paid | PaidWithNew:
    return settled(news)


async def told_twice(news: PaidTwice, _teller: Teller) -> PaidTwiceTold:
    return PaidTwiceTold(
        payment_id=news.payment_id, number=news.number, amount=news.amount, receipt=news.receipt
    )
