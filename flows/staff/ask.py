"""Ask: the staff ask a customer to pay.

EnterCustomer  -> EnterSum | NotAsking
EnterSum       -> EnterReason | NotAsking
EnterReason    -> ConfirmRequest | NotAsking
ConfirmRequest -> RequestSent | NotAsking
"""

from __future__ import annotations

from dataclasses import dataclass

from flows.amounts import amount_of
from flows.reply import Said
from flows.staff.asked import RequestSent
from flows.step import Choice, Step
from flows.teller import Checkout, Customer, Teller
from flows.text import Text
from services.ids import new_id
from services.money import Money
from services.phones import masked, normalize
from services.rails import refuse_closed_till, refuse_unpayable
from services.readable import refuse_blank

_MOST_REASON = 100


class Send(Choice):
    tap_only = True
    label = Text("Send request")


class Cancel(Choice):
    label = Text("Cancel")


@dataclass(frozen=True)
class Whom(Choice):
    exact = True
    customer: Customer

    @property
    def label(self) -> Text:
        return Text("{customer}", customer=self.customer.label)


class EnterCustomer(Step):
    recent: tuple[Customer, ...]

    def says(self) -> Text:
        if self.recent:
            return Text("Who should pay {shop}? Choose who wrote lately, or type a phone number.")
        return Text("Who should pay {shop}? Type a phone number, such as 0712 345 678.")

    def choices(self) -> tuple[Choice, ...]:
        return (*(Whom(customer) for customer in self.recent), Cancel())

    def menu(self) -> Text | None:
        return Text("Choose customer")

    async def hears(self, answer: Said | Whom | Cancel, teller: Teller) -> EnterSum | NotAsking:
        match answer:
            case Said(text=typed):
                phone = normalize(typed, teller.shop.country)
                return EnterSum(customer=Customer(label=masked(phone), phone=phone))
            case Whom(customer=customer):
                return EnterSum(customer=customer)
            case Cancel():
                return NotAsking()


class EnterSum(Step):
    customer: Customer

    def says(self) -> Text:
        return Text(
            "How much should {customer} pay? Type an amount, such as 500.", customer=self.customer.label
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> EnterReason | NotAsking:
        match answer:
            case Said(text=typed):
                amount = amount_of(typed, teller.shop.currency)
                refuse_unpayable(teller.shop, amount)
                return EnterReason(customer=self.customer, amount=amount)
            case Cancel():
                return NotAsking()


class EnterReason(Step):
    any_words = True
    customer: Customer
    amount: Money

    def says(self) -> Text:
        return Text(
            "What is it for? Type a few words; {customer} will read them.", customer=self.customer.label
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ConfirmRequest | NotAsking:  # noqa: ARG002  nothing is asked of it
        match answer:
            case Said(text=typed):
                reason = " ".join(typed.split())[:_MOST_REASON]
                refuse_blank(reason)
                checkout = Checkout(order_id=new_id(), amount=self.amount, summary=reason)
                return ConfirmRequest(customer=self.customer, checkout=checkout)
            case Cancel():
                return NotAsking()


class ConfirmRequest(Step):
    """The id is minted before it, so that sending twice asks once."""

    customer: Customer
    checkout: Checkout

    @property
    def reference(self) -> str | None:
        return self.checkout.order_id.hex[-6:].upper()

    def says(self) -> Text:
        return Text(
            "Ask {customer} to pay *{amount}* to {shop}\nFor: {reason}",
            customer=self.customer.label,
            amount=self.checkout.amount,
            reason=self.checkout.summary,
        )

    def choices(self) -> tuple[Choice, ...]:
        return Send(), Cancel()

    async def hears(self, answer: Send | Cancel, teller: Teller) -> RequestSent | NotAsking:
        match answer:
            case Send():
                refuse_closed_till(teller.shop)
                asked = await teller.request_payment(self.customer, self.checkout)
                return RequestSent(
                    customer=self.customer.label, number=asked.number, reads_now=asked.reads_now
                )
            case Cancel():
                return NotAsking()


class NotAsking(Step):
    def says(self) -> Text:
        return Text("All right, nobody was asked. Type *menu* to go on.")


async def ask(teller: Teller, _rest: str = "") -> EnterCustomer:
    """Raises ProviderNotConfigured at once, before anything is asked."""
    refuse_closed_till(teller.shop)
    return EnterCustomer(recent=await teller.recent_customers())
