"""Doubt: what a customer is told where the provider's words on a payment do not fit together."""

from uuid import UUID

from flows.customer.paid import payment_thread
from flows.refusals import provider_name
from flows.step import Step
from flows.teller import Teller
from flows.text import Text
from services.money import Money
from services.news import PaymentInDoubt


class InDoubt(Step):
    payment_id: UUID
    number: str
    amount: Money
    provider: str = "mpesa"

    @property
    def thread(self) -> str:
        return payment_thread(self.payment_id)

    def says(self) -> Text:
        return Text(
            "{provider} has not said clearly whether order {number} for {amount} is paid. {shop} has been "
            "told and is looking into it. Please don't pay it again before they answer you.",
            number=self.number,
            amount=self.amount,
            provider=provider_name(self.provider),
        )


async def told_in_doubt(news: PaymentInDoubt, _teller: Teller) -> InDoubt:
    facts = {"number": news.number, "amount": news.amount, "provider": news.provider}
    return InDoubt(payment_id=news.payment_id, **facts)
