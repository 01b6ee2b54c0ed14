"""Pay: a customer pays an order, or an amount.

EnterAmount  -> ReviewOrder | AskNumber
ReviewOrder  -> AwaitPayment | ChooseMethod | NotPaying | AlreadySettled
ChooseMethod -> ReviewOrder | AskNumber | NotPaying
AskNumber    -> ReviewOrder
"""

from __future__ import annotations

from flows.amounts import amount_of
from flows.customer.paid import AlreadySettled
from flows.customer.waiting import AwaitPayment
from flows.customer.ways import AnotherNumber, Use, by_number, shown, ways, what
from flows.reply import Said, SharedNumber
from flows.step import Choice, Step
from flows.teller import Checkout, Teller, Way
from flows.text import Text
from services.errors import AlreadyPaid, ProviderNotConfigured
from services.ids import new_id
from services.rails import refuse_uncollectable


class Pay(Choice):
    tap_only = True
    label = Text("Pay")


class ChangeMethod(Choice):
    label = Text("Change method")


class Cancel(Choice):
    label = Text("Cancel")


class EnterAmount(Step):
    def says(self) -> Text:
        return Text("How much do you want to pay to {shop}? Type an amount, such as 500.")

    async def hears(self, answer: Said, teller: Teller) -> ReviewOrder | AskNumber:
        return await review(amount(answer.text, teller), teller)


class ReviewOrder(Step):
    checkout: Checkout
    way: Way

    @property
    def reference(self) -> str | None:
        return self.checkout.order_id.hex[-6:].upper()

    def says(self) -> Text:
        return Text(
            "Pay *{amount}* to *{shop}*\n{what}\nWith {way}",
            amount=self.checkout.amount,
            what=what(self.checkout),
            way=shown(self.way),
        )

    def choices(self) -> tuple[Choice, ...]:
        return Pay(), ChangeMethod(), Cancel()

    async def hears(
        self, answer: Pay | ChangeMethod | Cancel, teller: Teller
    ) -> AwaitPayment | ChooseMethod | NotPaying | AlreadySettled:
        match answer:
            case Pay():
                return await ask_to_pay(self.checkout, self.way, teller)
            case ChangeMethod():
                return await choose_method(self.checkout, teller)
            case Cancel():
                return NotPaying()


class ChooseMethod(Step):
    checkout: Checkout
    ways: tuple[Way, ...]

    def says(self) -> Text:
        return Text("How do you want to pay {amount} to {shop}?", amount=self.checkout.amount)

    def choices(self) -> tuple[Choice, ...]:
        return (*(Use(way) for way in self.ways), AnotherNumber(), Cancel())

    def menu(self) -> Text | None:
        return Text("Choose method")

    async def hears(
        self,
        answer: Use | AnotherNumber | Cancel,
        teller: Teller,  # noqa: ARG002  nothing is asked of the business yet
    ) -> ReviewOrder | AskNumber | NotPaying:
        match answer:
            case Use(way=way):
                return ReviewOrder(checkout=self.checkout, way=way)
            case AnotherNumber():
                return AskNumber(checkout=self.checkout)
            case Cancel():
                return NotPaying()


class AskNumber(Step):
    """`hidden`: WhatsApp hides this person's number, so that they are offered to share it."""

    checkout: Checkout
    hidden: bool = False

    @property
    def asks_for_number(self) -> bool:
        return self.hidden

    def says(self) -> Text:
        if self.hidden:
            return Text(
                "Which M-Pesa number pays {amount} to {shop}? Share your number below, or type another one.",
                amount=self.checkout.amount,
            )
        return Text(
            "Type the M-Pesa number that pays {amount} to {shop}, like 0712 345 678.",
            amount=self.checkout.amount,
        )

    async def hears(self, answer: Said | SharedNumber, teller: Teller) -> ReviewOrder:  # noqa: ARG002  a number says it all  # noqa: ARG002
        typed = answer.text if isinstance(answer, Said) else answer.phone
        return ReviewOrder(checkout=self.checkout, way=by_number(typed))


class NotPaying(Step):
    def says(self) -> Text:
        return Text("All right, nothing was paid. Type *menu* to go on.")


def amount(text: str, teller: Teller) -> Checkout:
    """An order of its own over this amount. Raises InvalidAmount."""
    return Checkout(order_id=new_id(), amount=amount_of(text, teller.shop.currency))


async def review(checkout: Checkout, teller: Teller) -> ReviewOrder | AskNumber:
    """With the preferred method, else with the number of this chat, else asks for one.

    Raises ProviderNotConfigured, and what the amount makes impossible.
    """
    if not teller.shop.providers:
        raise ProviderNotConfigured("mpesa")
    known = await ways(teller)
    refuse_uncollectable(known[0].method.provider if known else "mpesa", checkout.amount)
    if known:
        return ReviewOrder(checkout=checkout, way=known[0])
    return AskNumber(checkout=checkout, hidden=teller.me.phone is None)


async def choose_method(checkout: Checkout, teller: Teller) -> ChooseMethod:
    return ChooseMethod(checkout=checkout, ways=await ways(teller))


async def ask_to_pay(checkout: Checkout, way: Way, teller: Teller) -> AwaitPayment | AlreadySettled:
    """Raises what `Teller.pay` raises."""
    try:
        started = await teller.pay(checkout, way)
    except AlreadyPaid as paid:
        return AlreadySettled(number=paid.number, receipt=paid.receipt)
    numbered = checkout.model_copy(update={"number": started.number})
    return AwaitPayment(checkout=numbered, way=way, payment_id=started.payment_id)


async def pay(teller: Teller, rest: str = "") -> ReviewOrder | AskNumber | EnterAmount:
    """An amount that was typed, else the order that waits, else asks for an amount."""
    if rest:
        return await review(amount(rest, teller), teller)
    waiting = await teller.open_order()
    return await review(waiting, teller) if waiting else EnterAmount()
