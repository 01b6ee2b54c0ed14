"""Pay: a customer pays an order, or an amount.

EnterAmount  -> ReviewOrder | AskNumber | NotPaying
ReviewOrder  -> AwaitPayment | PayOnPage | ChooseMethod | NotPaying | AlreadySettled
ChooseMethod -> ReviewOrder | AskNumber | NotPaying | AlreadySettled
AskNumber    -> ReviewOrder | ChooseMethod | NotPaying | AlreadySettled
"""

from __future__ import annotations

from flows.amounts import amount_of
from flows.customer.page import PayOnPage, left, pay_there
from flows.customer.paid import AlreadySettled
from flows.customer.waiting import AwaitPayment
from flows.customer.ways import (
    AnotherNumber,
    ChangeWay,
    Use,
    able,
    asking,
    asks_number,
    by_number,
    noted,
    others,
    proposed,
    shown,
    usual,
    ways,
    what,
    with_expired,
    with_slow,
)
from flows.reply import Said, SharedNumber
from flows.step import Choice, Step
from flows.teller import Checkout, Teller, Way
from flows.text import Text
from services.errors import AlreadyPaid, PaymentUnderWay
from services.ids import new_id
from services.money import Money
from services.rails import refuse_closed_till, refuse_uncollectable, takes


class Pay(Choice):
    tap_only = True
    label = Text("Pay")


class ChangeMethod(Choice):
    label = Text("Change method")


class Cancel(Choice):
    label = Text("Cancel")


class EnterAmount(Step):
    def says(self) -> Text:
        return Text("How much do you want to pay {shop}? Type an amount, such as 500.")

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> ReviewOrder | AskNumber | NotPaying:
        match answer:
            case Said(text=text):
                return await review(amount(text, teller), teller)
            case Cancel():
                return NotPaying()


class ReviewOrder(Step):
    """`expired`: the card that would have been offered; `others`: there are ways that are not slow."""

    checkout: Checkout
    way: Way
    expired: Way | None = None
    others: bool = False

    @property
    def reference(self) -> str | None:
        return self.checkout.order_id.hex[-6:].upper()

    def says(self) -> Text:
        asked = with_slow(self._asks(), (self.way,), others=self.others)
        return with_expired(asked, self.expired)

    def _asks(self) -> Text:
        amount, way = self.checkout.amount, shown(self.way)
        if self.checkout.number is None:
            return Text("Pay *{amount}* to *{shop}*\nWith {way}", amount=amount, way=way)
        return Text(
            "Pay *{amount}* to *{shop}*\n{what}\nWith {way}", amount=amount, what=what(self.checkout), way=way
        )

    def choices(self) -> tuple[Choice, ...]:
        return Pay(), ChangeMethod(), Cancel()

    async def hears(
        self, answer: Pay | ChangeMethod | Cancel, teller: Teller
    ) -> AwaitPayment | PayOnPage | ChooseMethod | NotPaying | AlreadySettled:
        match answer:
            case Pay():
                return await ask_to_pay(self.checkout, self.way, teller)
            case ChangeMethod():
                return await choose_method(self.checkout, teller)
            case Cancel():
                return await not_paying(self.checkout, teller)


class ChooseMethod(Step):
    checkout: Checkout
    ways: tuple[Way, ...]
    by_number: bool = True  # M-Pesa asks any number

    def says(self) -> Text:
        asked = Text("How do you want to pay {amount} to {shop}?", amount=self.checkout.amount)
        return with_slow(asked, self.ways)

    def choices(self) -> tuple[Choice, ...]:
        listed = tuple(AnotherNumber() if asks_number(way) else Use(way) for way in self.ways)
        last = self.by_number and not any(asks_number(way) for way in self.ways)
        another = (AnotherNumber(),) if last else ()
        return (*listed, *another, Cancel())

    def menu(self) -> Text | None:
        return Text("Choose method")

    async def hears(
        self, answer: Use | AnotherNumber | Cancel, teller: Teller
    ) -> ReviewOrder | AskNumber | NotPaying | AlreadySettled:
        match answer:
            case Use(way=way):
                return ReviewOrder(checkout=self.checkout, way=way, others=others(way, teller))
            case AnotherNumber():
                return AskNumber(checkout=self.checkout, hidden=teller.me.phone is None)
            case Cancel():
                return await not_paying(self.checkout, teller)


class AskNumber(Step):
    """`hidden`: WhatsApp hides this person's number, so that they are offered to share it. Beside that
    offer WhatsApp shows no button, so *cancel* is said, and how to `change` where they can."""

    checkout: Checkout
    hidden: bool = False
    change: bool = False

    @property
    def asks_for_number(self) -> bool:
        return self.hidden

    def says(self) -> Text:
        if self.hidden and self.change:
            return Text(
                "Which M-Pesa number will pay {amount} to {shop}? Share your number below or type another "
                "one. Type “change” to pay in another way, or *cancel*.",
                amount=self.checkout.amount,
            )
        if self.hidden:
            return Text(
                "Which M-Pesa number will pay {amount} to {shop}? Share your number below, type another one, "
                "or type *cancel*.",
                amount=self.checkout.amount,
            )
        return Text(
            "Type the M-Pesa number that will pay {amount} to {shop}, such as 0712 345 678.",
            amount=self.checkout.amount,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (ChangeWay(), Cancel()) if self.change else (Cancel(),)

    async def hears(
        self, answer: Said | SharedNumber | ChangeWay | Cancel, teller: Teller
    ) -> ReviewOrder | ChooseMethod | NotPaying | AlreadySettled:
        match answer:
            case Said(text=typed) | SharedNumber(phone=typed):
                way = noted(by_number(typed, asking(teller) or "mpesa"), teller)
                return ReviewOrder(checkout=self.checkout, way=way, others=others(way, teller))
            case ChangeWay():
                return await choose_method(self.checkout, teller)
            case Cancel():
                return await not_paying(self.checkout, teller)


class NotPaying(Step):
    """`still_asked`: an order for which the phone may still ask for the PIN; `by_page`: it has a page
    instead, which is closed now; `by_card`: a saved card that may still be charged. `cart`: what was not paid
    stays in the cart."""

    still_asked: str | None = None
    by_page: bool = False
    by_card: bool = False
    cart: bool = False

    def says(self) -> Text:
        if self.still_asked and self.by_page:
            return left(self.still_asked)
        if self.still_asked and self.by_card:
            return Text(
                "All right, order {number} is not paid yet. The card may still be charged for it: then it "
                "counts for this order, and I'll tell you. Type *menu* to go on.",
                number=self.still_asked,
            )
        if self.still_asked:
            return Text(
                "All right, order {number} is not paid yet. The phone may still ask for the M-Pesa PIN: "
                "cancel it there too. Money that still arrives counts for this order, and I'll tell you. "
                "Type *menu* to go on.",
                number=self.still_asked,
            )
        if self.cart:
            return Text("All right, nothing was paid. What you chose is still in your *cart*.")
        return Text("All right, nothing was paid. Type *menu* to go on.")


def amount(text: str, teller: Teller) -> Checkout:
    """An order of its own over this amount. Raises InvalidAmount."""
    return Checkout(order_id=new_id(), amount=amount_of(text, teller.shop.currency))


async def review(checkout: Checkout, teller: Teller) -> ReviewOrder | AskNumber:
    """With the preferred method, else with what is offered first of the others: where that is M-Pesa and
    WhatsApp hides the number, it is asked for.

    Raises ProviderNotConfigured, and what the amount makes impossible.
    """
    await refuse_unpayable(checkout.amount, teller)
    way, expired = await proposed(teller, checkout.amount)
    if way is None:  # M-Pesa alone, and this chat's number is none of its
        return AskNumber(checkout=checkout)
    if asks_number(way):
        change = any(other != way.method.provider for other in able(teller, checkout.amount))
        return AskNumber(checkout=checkout, hidden=True, change=change)
    return ReviewOrder(checkout=checkout, way=way, expired=expired, others=others(way, teller))


async def refuse_unpayable(total: Money, teller: Teller) -> None:
    """Raises ProviderNotConfigured, and what the amount makes impossible."""
    refuse_closed_till(teller.shop)
    if not able(teller, total):
        saved = await teller.ways()
        first = saved[0].method.provider if saved else usual(teller)
        refuse_uncollectable(first, total, phone=not saved and first == asking(teller))


async def choose_method(checkout: Checkout, teller: Teller) -> ChooseMethod:
    known = await ways(teller, checkout.amount)
    asks = asking(teller)
    by_number = asks is not None and takes(asks, checkout.amount, phone=True)
    return ChooseMethod(checkout=checkout, ways=known, by_number=by_number)


async def ask_to_pay(
    checkout: Checkout, way: Way, teller: Teller
) -> AwaitPayment | PayOnPage | AlreadySettled:
    """Raises what `Teller.pay` raises."""
    try:
        started = await teller.pay(checkout, way)
    except AlreadyPaid as paid:
        return AlreadySettled(number=paid.number, receipt=paid.receipt)
    except PaymentUnderWay:
        if (news := await teller.open_page(checkout.order_id)) is not None:
            return pay_there(news, checkout)
        raise
    numbered = checkout.model_copy(update={"number": started.number})
    return AwaitPayment(checkout=numbered, way=way, payment_id=started.payment_id)


async def not_paying(checkout: Checkout, teller: Teller) -> NotPaying | AlreadySettled:
    """An order of the person's own amount is closed with it, so that `pay` asks for an amount again.
    Raises PaymentUnderWay where a payment was told of, and is being confirmed."""
    if checkout.number is None:  # nothing was made of it yet
        return NotPaying()
    try:
        await teller.drop_order(checkout.order_id)
    except AlreadyPaid as paid:
        return AlreadySettled(number=paid.number, receipt=paid.receipt)
    except PaymentUnderWay as under_way:
        if under_way.told:
            raise
        if (news := await teller.open_page(checkout.order_id)) is not None:
            await teller.leave_payment(news.payment_id)
            return NotPaying(still_asked=under_way.number, by_page=True)
        return NotPaying(still_asked=under_way.number, by_card=under_way.by == "card")
    return NotPaying(cart=checkout.of_cart)
