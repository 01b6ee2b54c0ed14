"""Waiting: a customer waits for the provider's word on a payment.

AwaitPayment -> AwaitPayment | PayOnPage | Paid | PaidWithNew | Unpaid | NotWaiting | AlreadySettled
Unpaid       -> AwaitPayment | PayOnPage | ReviewOrder | AskNumber | ChooseMethod | NotPaying
Unpaid       -> Paid | PaidWithNew | AlreadySettled
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flows.customer import page, pay
from flows.customer.paid import AlreadySettled, Paid, PaidWithNew, payment_thread, settled
from flows.customer.unpaid import because
from flows.customer.ways import by_page, charged, shown
from flows.refusals import provider_name
from flows.step import Choice, Step
from flows.teller import Checkout, Teller, Way
from flows.text import Text
from services.errors import AlreadyPaid
from services.money import Money
from services.news import PageOpened, PaymentFailed, PaymentOpen, PaymentSettled
from services.news import Unpaid as Because
from services.rails import opens_page


class IHavePaid(Choice):
    label = Text("I have paid")


class TryAgain(Choice):
    tap_only = True
    label = Text("Try again")


class AwaitPayment(Step):
    """`asked`: the person said that they have paid, and the provider is being asked."""

    checkout: Checkout
    way: Way
    payment_id: UUID
    asked: bool = False
    still_open: bool = False

    @property
    def thread(self) -> str:
        return payment_thread(self.payment_id)

    @property
    def reference(self) -> str | None:
        return self.checkout.number

    @property
    def waits(self) -> bool:
        return not self.still_open

    def says(self) -> Text:
        facts: dict[str, Any] = {
            "amount": self.checkout.amount,
            "way": shown(self.way),
            "number": self.checkout.number,
            "provider": provider_name(self.way.method.provider),
        }
        if self.still_open:
            return _not_yet(self.checkout.amount, self.checkout.number, self.way.method.provider)
        if self.asked:
            return Text("I'm asking {provider} about order {number}. One moment, please.", **facts)
        if by_page(self.way):
            return Text(
                "I'm having the page of {provider} opened for {amount} to {shop}, order {number}. "
                "The link comes in a moment.",
                **facts,
            )
        if charged(self.way):
            return Text(
                "{way} is being charged {amount} for {shop}, order {number}. "
                "I'll tell you here as soon as it is paid.",
                **facts,
            )
        return Text(
            "Look at your phone: {way} is being asked for {amount} for {shop}, order {number}. "
            "Enter your M-Pesa PIN there, and I'll tell you here as soon as it is paid.",
            **facts,
        )

    def choices(self) -> tuple[Choice, ...]:
        if self.still_open or not (by_page(self.way) or charged(self.way)):
            return IHavePaid(), TryAgain(), pay.Cancel()
        return (pay.Cancel(),)

    def concerns(self, news: Any) -> bool:
        return bool(news.payment_id == self.payment_id)

    async def hears(
        self,
        answer: IHavePaid | TryAgain | pay.Cancel | PageOpened | PaymentSettled | PaymentFailed | PaymentOpen,
        teller: Teller,
    ) -> AwaitPayment | page.PayOnPage | Paid | PaidWithNew | Unpaid | NotWaiting | AlreadySettled:
        match answer:
            case IHavePaid():
                return await self._check(teller)
            case TryAgain():
                return await pay.ask_to_pay(self.checkout, self.way, teller)
            case pay.Cancel():
                await teller.leave_payment(self.payment_id)
                provider = self.way.method.provider
                number = self.checkout.number or ""
                return NotWaiting(payment_id=self.payment_id, number=number, provider=provider)
            case PageOpened():
                return page.pay_there(answer, self.checkout)
            case PaymentSettled():
                return settled(answer)
            case PaymentFailed():
                return Unpaid(
                    checkout=self.checkout, way=self.way, payment_id=self.payment_id, because=answer.because
                )
            case PaymentOpen():
                return self.model_copy(update={"asked": False, "still_open": True})

    async def _check(self, teller: Teller) -> AwaitPayment | AlreadySettled:
        try:
            await teller.check_payment(self.payment_id)
        except AlreadyPaid as paid:
            return AlreadySettled(number=paid.number, receipt=paid.receipt)
        return self.model_copy(update={"asked": True, "still_open": False})


class Unpaid(Step):
    """`way` is not known where the person had left before the provider's no."""

    checkout: Checkout
    way: Way | None
    payment_id: UUID
    because: Because
    provider: str = "mpesa"  # where the way is not known

    @property
    def thread(self) -> str:
        return payment_thread(self.payment_id)

    @property
    def reference(self) -> str | None:
        return self.checkout.number

    def says(self) -> Text:
        return Text(
            "Order {number} for {amount} is not paid: {because}",
            number=self.checkout.number,
            amount=self.checkout.amount,
            because=self._because(),
        )

    def _because(self) -> Text:
        if self.way is None:
            return because(self.because, self.provider, phone=not opens_page(self.provider))
        phone = not (by_page(self.way) or charged(self.way))
        return because(self.because, self.way.method.provider, phone=phone)

    def choices(self) -> tuple[Choice, ...]:
        if self.because == Because.RESTING:
            return pay.ChangeMethod(), TryAgain(), pay.Cancel()
        return TryAgain(), pay.ChangeMethod(), pay.Cancel()

    def concerns(self, news: Any) -> bool:
        return bool(news.payment_id == self.payment_id)

    async def hears(
        self, answer: TryAgain | pay.ChangeMethod | pay.Cancel | PaymentSettled, teller: Teller
    ) -> (
        AwaitPayment
        | page.PayOnPage
        | pay.ReviewOrder
        | pay.AskNumber
        | pay.ChooseMethod
        | pay.NotPaying
        | Paid
        | PaidWithNew
        | AlreadySettled
    ):
        match answer:
            case TryAgain() if self.way is not None:
                return await pay.ask_to_pay(self.checkout, self.way, teller)
            case TryAgain():
                return await pay.review(self.checkout, teller)
            case pay.ChangeMethod():
                return await pay.choose_method(self.checkout, teller)
            case pay.Cancel():
                return await pay.not_paying(self.checkout, teller)
            case PaymentSettled():
                return settled(answer)


class NotWaiting(Step):
    payment_id: UUID
    number: str
    provider: str = "mpesa"

    @property
    def thread(self) -> str:
        return payment_thread(self.payment_id)

    def says(self) -> Text:
        return Text(
            "All right, I've stopped waiting for order {number}, which is not paid yet. If {provider} still "
            "takes the money, it counts for this order and I'll tell you.",
            number=self.number,
            provider=provider_name(self.provider),
        )


class StillOpen(Step):
    payment_id: UUID
    number: str
    amount: Money
    provider: str = "mpesa"

    @property
    def thread(self) -> str:
        return payment_thread(self.payment_id)

    def says(self) -> Text:
        return _not_yet(self.amount, self.number, self.provider)


def _not_yet(amount: Money, number: str | None, provider: str) -> Text:
    return Text(
        "{provider} has not confirmed {amount} for order {number} yet. If the money has left your account, "
        "you need not pay again: it counts as soon as {provider} tells me of it, and I'll tell you here.",
        amount=amount,
        number=number,
        provider=provider_name(provider),
    )


async def told_failed(news: PaymentFailed, _teller: Teller) -> Unpaid:
    """For a person who no longer waited."""
    checkout = Checkout(order_id=news.order_id, amount=news.amount, number=news.number)
    return Unpaid(
        checkout=checkout,
        way=None,
        payment_id=news.payment_id,
        because=news.because,
        provider=news.provider,
    )


async def told_open(news: PaymentOpen, _teller: Teller) -> StillOpen:
    """For a person who no longer waited."""
    return StillOpen(
        payment_id=news.payment_id, number=news.number, amount=news.amount, provider=news.provider
    )
