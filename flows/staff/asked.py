"""Asked: what becomes of a request of the staff. Each is a thread of its own, so that it can be taken back
amid other talk.

RequestSent      -> RequestTakenBack | RequestBeingPaid
RequestBeingPaid -> RequestTakenBack | RequestBeingPaid
"""

from __future__ import annotations

from typing import Any

from flows.refusals import receipt_shown
from flows.staff.limited import staff_name
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text
from services.errors import PaymentUnderWay
from services.money import Money
from services.news.requests import RequestDeclined, RequestPaid, RequestUnpaid


class TakeBack(Choice):
    tap_only = True
    label = Text("Take back")


class _OfRequest(Step):
    number: str

    @property
    def thread(self) -> str:
        return f"q{self.number}"


class RequestSent(_OfRequest):
    """Who has not written for a day reads it when they write: said, so that nobody waits."""

    customer: str
    reads_now: bool

    @property
    def reference(self) -> str | None:
        return self.number

    def says(self) -> Text:
        facts = {"number": self.number, "customer": self.customer}
        if self.reads_now:
            return Text("Request {number} is sent to {customer}. I'll tell you when it is paid.", **facts)
        return Text(
            "Request {number} is ready. {customer} has not written to {shop} for 24 hours, so they see it "
            "when they write next. I'll tell you when it is paid.",
            **facts,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (TakeBack(),)

    async def hears(self, answer: TakeBack, teller: Teller) -> RequestTakenBack | RequestBeingPaid:  # noqa: ARG002  the only choice
        return await take_back(self.number, teller)


class RequestBeingPaid(_OfRequest):
    """The customer's phone may be asking for the PIN."""

    @property
    def reference(self) -> str | None:
        return self.number

    def says(self) -> Text:
        return Text(
            "The customer may be paying request {number} at this moment. I'll tell you when it is paid; "
            "else try again in three minutes.",
            number=self.number,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (TakeBack(),)

    async def hears(self, answer: TakeBack, teller: Teller) -> RequestTakenBack | RequestBeingPaid:  # noqa: ARG002  the only choice
        return await take_back(self.number, teller)


class RequestTakenBack(_OfRequest):
    def says(self) -> Text:
        return Text("Request {number} is taken back, and the customer is told.", number=self.number)


class _Answered(_OfRequest):
    amount: Money
    customer: str


class RequestPaidTold(_Answered):
    receipt: str | None

    def says(self) -> Text:
        return Text(
            "✅ {customer} has paid {amount}, your request {number}. {receipt}",
            customer=self.customer,
            amount=self.amount,
            number=self.number,
            receipt=receipt_shown(self.receipt),
        )


class RequestDeclinedTold(_Answered):
    def says(self) -> Text:
        return Text(
            "{customer} does not want to pay {amount} now. Your request {number} is closed.",
            customer=self.customer,
            amount=self.amount,
            number=self.number,
        )


class RequestUnpaidTold(_Answered):
    """`by`: who of the staff took it back; None where its time is over."""

    by: str | None

    def says(self) -> Text:
        facts: dict[str, Any] = {
            "customer": self.customer,
            "amount": self.amount,
            "number": self.number,
        }
        if self.by is None:
            return Text(
                "{customer} has not paid {amount} within 7 days. Your request {number} is closed.", **facts
            )
        return Text(
            "{by} has taken back your request {number}: {customer}, {amount}.",
            **facts,
            by=staff_name(self.by),
        )


async def take_back(number: str, teller: Teller) -> RequestTakenBack | RequestBeingPaid:
    """Raises AlreadyPaid and OrderClosed."""
    try:
        await teller.take_back_request(number)
    except PaymentUnderWay:
        return RequestBeingPaid(number=number)
    return RequestTakenBack(number=number)


async def told_paid(news: RequestPaid, _teller: Teller) -> RequestPaidTold:
    return RequestPaidTold(
        number=news.number, amount=news.amount, customer=news.customer, receipt=news.receipt
    )


async def told_declined(news: RequestDeclined, _teller: Teller) -> RequestDeclinedTold:
    return RequestDeclinedTold(number=news.number, amount=news.amount, customer=news.customer)


async def told_unpaid(news: RequestUnpaid, _teller: Teller) -> RequestUnpaidTold:
    return RequestUnpaidTold(number=news.number, amount=news.amount, customer=news.customer, by=news.by)
