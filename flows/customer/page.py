"""Page: a customer pays on a provider's hosted page. Beside the button that leads there WhatsApp shows no
other, so what else can be done is typed.

PayOnPage -> PayOnPage | ChooseMethod | Paid | PaidWithNew | Unpaid | PageLeft | AlreadySettled
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flows.customer import pay, waiting
from flows.customer.paid import AlreadySettled, Paid, PaidWithNew, payment_thread, settled
from flows.customer.ways import ChangeWay, what
from flows.refusals import provider_name
from flows.reply import Link
from flows.step import Choice, Step
from flows.teller import Checkout, Teller, Way
from flows.text import Text
from services.errors import AlreadyPaid
from services.news import PageOpened, PaymentFailed, PaymentOpen, PaymentSettled


class LinkAgain(Choice):
    label = Text("Link")


class PayOnPage(Step):
    """`asked`: the person said that they have paid, and the provider is being asked; `still_open`:
    it has said that nothing was paid there yet."""

    checkout: Checkout
    way: Way
    payment_id: UUID
    url: str
    until: datetime
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
        return self.asked

    def link(self) -> Link | None:
        return None if self.asked else Link(Text("Open the page"), self.url)

    def says(self) -> Text:
        facts: dict[str, Any] = {
            "amount": self.checkout.amount,
            "provider": provider_name(self.way.method.provider),
            "what": what(self.checkout),
            "until": self.until,
            "number": self.checkout.number,
        }
        if self.asked:
            return Text("I'm asking {provider} about order {number}. One moment, please.", **facts)
        if self.still_open:
            return Text(
                "{provider} has not confirmed {amount} yet. If you have paid, you need not pay again: I'll "
                "tell you here. Else the page is open until {until}. Type “change” to pay in another way, "
                "or *cancel*.",
                **facts,
            )
        return Text(
            "Pay *{amount}* to *{shop}* on the page of {provider}\n{what}\n"
            "It takes this payment once, until {until}, and I'll tell you here as soon as it is paid. "
            "Type “link” to see it again, “change” to pay in another way, or *cancel*.",
            **facts,
        )

    def choices(self) -> tuple[Choice, ...]:
        return waiting.IHavePaid(), LinkAgain(), ChangeWay(), pay.Cancel()

    def concerns(self, news: Any) -> bool:
        return bool(news.payment_id == self.payment_id)

    async def hears(
        self,
        answer: waiting.IHavePaid
        | LinkAgain
        | ChangeWay
        | pay.Cancel
        | PaymentSettled
        | PaymentFailed
        | PaymentOpen,
        teller: Teller,
    ) -> PayOnPage | pay.ChooseMethod | Paid | PaidWithNew | waiting.Unpaid | PageLeft | AlreadySettled:
        match answer:
            case waiting.IHavePaid():
                return await self._check(teller)
            case LinkAgain():
                return self.model_copy(update={"asked": False, "still_open": False})
            case ChangeWay():
                await teller.leave_payment(self.payment_id)
                return await pay.choose_method(self.checkout, teller)
            case pay.Cancel():
                await teller.leave_payment(self.payment_id)
                return PageLeft(payment_id=self.payment_id, number=self.checkout.number or "")
            case PaymentSettled():
                return settled(answer)
            case PaymentFailed():
                return waiting.Unpaid(
                    checkout=self.checkout, way=self.way, payment_id=self.payment_id, because=answer.because
                )
            case PaymentOpen():
                return self.model_copy(update={"asked": False, "still_open": True})

    async def _check(self, teller: Teller) -> PayOnPage | AlreadySettled:
        try:
            await teller.check_payment(self.payment_id)
        except AlreadyPaid as paid:
            return AlreadySettled(number=paid.number, receipt=paid.receipt)
        return self.model_copy(update={"asked": True, "still_open": False})


class PageLeft(Step):
    payment_id: UUID
    number: str

    @property
    def thread(self) -> str:
        return payment_thread(self.payment_id)

    def says(self) -> Text:
        return left(self.number)


def left(number: str) -> Text:
    """What is said of it."""
    return Text(
        "All right, order {number} is not paid, and I'm closing the page: please don't pay there any "
        "more. If money still arrives, it counts for this order and I'll tell you. "
        "Type *pay* to pay it in another way.",
        number=number,
    )


def pay_there(news: PageOpened, checkout: Checkout) -> PayOnPage:
    """The one page that there is for it."""
    return PayOnPage(
        checkout=checkout.model_copy(update={"number": news.number}),
        way=Way(method=news.method),
        payment_id=news.payment_id,
        url=news.url,
        until=news.until,
    )


async def told_page(news: PageOpened, _teller: Teller) -> PayOnPage:
    """For a person who did not wait for it here: a program of the shop's has it opened."""
    return pay_there(news, Checkout(order_id=news.order_id, amount=news.amount, number=news.number))
