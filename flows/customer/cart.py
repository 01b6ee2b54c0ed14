"""Cart: a customer sees what they have chosen, changes it, and pays it.

InCart     -> ReviewOrder | AskNumber | InCart | Products | ChangeCart
ChangeCart -> ChangeLine | WriteNote | InCart | Products
ChangeLine -> InCart | Products
WriteNote  -> InCart | Products
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flows.customer import shop
from flows.customer.pay import AskNumber, Cancel, ReviewOrder, refuse_unpayable, review
from flows.customer.ways import handed_over
from flows.reply import Said
from flows.step import Choice, Step
from flows.teller import Cart, Line, Short, Teller
from flows.text import Text
from services.errors import EmptyCart, OutOfStock, UnknownProduct

_SHOWN = 10  # lines
_NAME = 40  # characters of a product's name, beside others


class CheckOut(Choice):
    exact = True
    label = Text("Pay")


class AddMore(Choice):
    label = Text("Add more")


class Change(Choice):
    label = Text("Change")


class InCart(Step):
    """`added`: the product that was just put in; `repriced`: what was ordered had other prices."""

    cart: Cart
    added: str | None = None
    repriced: bool = False

    def once_said(self) -> InCart:
        return InCart(cart=self.cart.model_copy(update={"short": ()}))

    def says(self) -> Text:
        return Text("{lines}", lines=tuple(self._lines()))

    def _lines(self) -> Iterator[Text]:
        yield from fewer_lines(self.cart.short)
        if self.repriced:
            yield Text("The prices of {shop} have changed. These are the ones of now.")
        if self.added and not self.cart.short:
            yield Text("Added: {name}", name=shop.shortened(self.added, _NAME))
        yield Text("🛒 *Your cart at {shop}*")
        yield from lines_shown(self.cart.lines)
        yield Text("Total: *{total}*", total=self.cart.total)
        if self.cart.delivery or self.cart.note:
            yield handed_over(self.cart.note, delivery=self.cart.delivery)
        else:
            yield Text("You pick it up at {shop}. For delivery, tap *Change*.")

    def choices(self) -> tuple[Choice, ...]:
        return CheckOut(), AddMore(), Change()

    async def hears(
        self, answer: CheckOut | AddMore | Change, teller: Teller
    ) -> ReviewOrder | AskNumber | InCart | shop.Products | ChangeCart:
        match answer:
            case CheckOut():
                return await check_out(teller)
            case AddMore():
                return await shop.browse(teller)
            case Change():
                return await change(teller)


@dataclass(frozen=True)
class EditLine(Choice):
    line: Line

    @property
    def label(self) -> Text:
        return Text("{name}", name=shop.row_title(self.line.name))

    @property
    def note(self) -> Text:
        return line_shown(self.line)


class Deliver(Choice):
    label = Text("Deliver it")
    note = Text("Type where to")


class PickUp(Choice):
    label = Text("I pick it up")


class AddNote(Choice):
    label = Text("Write a note")
    note = Text("For the shop, with this order")


class Empty(Choice):
    exact = True
    label = Text("Empty the cart")


class ToCart(Choice):
    label = Text("Back to cart")


class ChangeCart(Step):
    cart: Cart

    def once_said(self) -> ChangeCart:
        return ChangeCart(cart=self.cart.model_copy(update={"short": ()}))

    def says(self) -> Text:
        return Text("{lines}", lines=(*fewer_lines(self.cart.short), Text("What shall I change?")))

    def choices(self) -> tuple[Choice, ...]:
        getting: tuple[Choice, ...] = (PickUp(),) if self.cart.delivery else (Deliver(), AddNote())
        return (*getting, *(EditLine(line) for line in self.cart.lines), Empty(), ToCart())

    def menu(self) -> Text | None:
        return Text("Change")

    async def hears(
        self, answer: EditLine | Deliver | PickUp | AddNote | Empty | ToCart, teller: Teller
    ) -> ChangeLine | WriteNote | InCart | shop.Products:
        match answer:
            case EditLine(line=line):
                return ChangeLine(line=line)
            case Deliver():
                return WriteNote(delivery=True)
            case AddNote():
                return WriteNote(note=self.cart.note)
            case PickUp():
                return await seen(await teller.hand_over(None, delivery=False), teller)
            case Empty():
                await teller.empty_cart()
                return await shop.browse(teller, emptied=True)
            case ToCart():
                return await seen(await teller.cart(), teller)


class Remove(Choice):
    exact = True
    label = Text("Remove")


class OneMore(Choice):
    label = Text("One more")


class ChangeLine(Step):
    line: Line

    def says(self) -> Text:
        return Text("{line}\nHow many shall it be? Tap below or type a number.", line=line_shown(self.line))

    def choices(self) -> tuple[Choice, ...]:
        return OneMore(), Remove(), Cancel()

    async def hears(self, answer: OneMore | Remove | Cancel | Said, teller: Teller) -> InCart | shop.Products:
        match answer:
            case OneMore():
                quantity = self.line.quantity + 1
            case Remove():
                quantity = 0
            case Said(text=text):
                quantity = shop.quantity_of(text)
            case Cancel():
                return await seen(await teller.cart(), teller)
        return await seen(await teller.change_quantity(self.line.sku or "", quantity), teller)


class WriteNote(Step):
    """`delivery`: the words say where to. `note`: what was written before."""

    any_words = True
    delivery: bool = False
    note: str | None = None

    def says(self) -> Text:
        if self.delivery:
            return Text("Where shall {shop} deliver it? Type the place, and what else they should know.")
        if self.note:
            return Text("Your note: {note}\nType a new one.", note=self.note)
        return Text("What shall {shop} know about your order? Type it in a few words.")

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> InCart | shop.Products:
        match answer:
            case Said(text=text):
                return await seen(await teller.hand_over(text, delivery=self.delivery), teller)
            case Cancel():
                return await seen(await teller.cart(), teller)


def lines_shown(lines: Sequence[Line]) -> Iterator[Text]:
    """As many as fit into a message."""
    yield from (line_shown(line) for line in lines[:_SHOWN])
    if (rest := len(lines) - _SHOWN) > 0:
        yield Text("… and one more", plural="… and {count} more", count=rest)


def line_shown(line: Line) -> Text:
    return Text(
        "{quantity} × {name}: {total}",  # noqa: RUF001  the sign of multiplication
        quantity=line.quantity,
        name=shop.shortened(line.name, _NAME),
        total=line.total,
    )


def fewer_lines(short: Sequence[Short]) -> Iterator[Text]:
    """What cannot be bought as it was chosen."""
    for each in short[:_SHOWN]:
        facts: dict[str, Any] = {"name": shop.shortened(each.name, _NAME), "left": each.left}
        if each.left:
            yield Text("⚠️ {name}: only {left} left.", **facts)
        else:
            yield Text("⚠️ {name} is not available any more.", **facts)


def still_there(count: int) -> Text:
    return Text(
        "🛒 You still have one item in your cart.",
        plural="🛒 You still have {count} items in your cart.",
        count=count,
    )


async def seen(cart: Cart, teller: Teller) -> InCart | shop.Products:
    """The cart, or where to fill it once nothing is left in it."""
    if cart.lines:
        return InCart(cart=cart)
    return await shop.browse(teller, short=cart.short, emptied=True)


async def change(teller: Teller) -> ChangeCart | shop.Products:
    now = await teller.cart()
    if not now.lines:
        return await shop.browse(teller, short=now.short, emptied=True)
    return ChangeCart(cart=now)


async def check_out(teller: Teller) -> ReviewOrder | AskNumber | InCart | shop.Products:
    """What is short is shown before it is paid."""
    now = await teller.cart()
    if now.short or not now.lines:
        return await seen(now, teller)
    await refuse_unpayable(now.total, teller)
    try:
        return await review(await teller.check_out(), teller)
    except (OutOfStock, UnknownProduct):  # bought by another, this very moment
        return await seen(await teller.cart(), teller)


async def cart(teller: Teller, _rest: str = "") -> InCart | shop.Products:
    """Raises EmptyCart."""
    now = await teller.cart()
    if not now.lines and not now.short:
        raise EmptyCart
    return await seen(now, teller)
