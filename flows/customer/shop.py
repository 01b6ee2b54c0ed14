"""Shop: a customer looks at what there is to buy, and puts it into the cart.

Products   -> Products | OneProduct | NotShopping
OneProduct -> InCart | Products
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flows.customer import cart
from flows.customer.pay import Cancel
from flows.reply import Said
from flows.step import Choice, Step
from flows.teller import Product, Short, Teller, Wanted
from flows.text import Text
from flows.understanding import close, place_of, plain
from services.errors import InvalidQuantity, NothingForSale, UnknownProduct
from services.shop.facts import MOST_OF_ONE

_ROWS = 10  # of a list
_ON_A_PAGE = 7  # beside the rows that turn it
_TITLE, _END = 24, 12  # characters of a row's, and of its end where the middle is left out
_MOST_DESCRIPTION = 600
_MOST_TYPED = 60
_FIGURE = re.compile(r"\d{1,6}", re.ASCII)
_OFFERED = (1, 2)  # pieces, by button; any other number is typed


@dataclass(frozen=True)
class See(Choice):
    product: Product

    @property
    def label(self) -> Text:
        return Text("{name}", name=row_title(self.product.name))

    @property
    def note(self) -> Text:
        return offer(self.product)


class More(Choice):
    label = Text("More…")


class Back(Choice):
    label = Text("Back")


class Products(Step):
    """A page of what there is. `sought`: what the person typed to find it; `short`: what was just taken
    out of the cart; `emptied`: they have just emptied it."""

    products: tuple[Product, ...]
    page: int = 0
    pages: int = 1
    sought: str | None = None
    in_cart: int = 0
    short: tuple[Short, ...] = ()
    emptied: bool = False

    def once_said(self) -> Products:
        return self.model_copy(update={"short": (), "emptied": False})

    def says(self) -> Text:
        lines = [*cart.fewer_lines(self.short)]
        if self.emptied:
            lines.append(Text("Your cart is empty now."))
        if self.in_cart:
            lines.append(cart.still_there(self.in_cart))
        if self.sought:
            lines.append(Text("What {shop} has for “{sought}”:", sought=self.sought))
        else:
            lines.append(Text("What would you like from {shop}? Choose below, or type a name."))
        return Text("{lines}", lines=tuple(lines))

    def choices(self) -> tuple[Choice, ...]:
        turning: list[Choice] = [More()] if self.page + 1 < self.pages else []
        if self.page or self.sought:
            turning.append(Back())
        return (*(See(product) for product in self.products), *turning, Cancel())

    def menu(self) -> Text | None:
        return Text("Products")

    async def hears(
        self, answer: See | More | Back | Cancel | Said, teller: Teller
    ) -> Products | OneProduct | NotShopping:
        match answer:
            case See(product=product):
                return await look(product.sku, teller)
            case More():
                return await browse(teller, page=self.page + 1, sought=self.sought)
            case Back():
                return await browse(teller, page=self.page - 1, sought=self.sought if self.page else None)
            case Cancel():
                return NotShopping()
            case Said(text=text):
                place = place_of(text)
                if place is not None and 0 < place <= len(self.products):
                    return await look(self.products[place - 1].sku, teller)
                return await seek(text, teller)


@dataclass(frozen=True)
class Add(Choice):
    quantity: int

    @property
    def label(self) -> Text:
        return Text("Add {quantity}", quantity=self.quantity)


class NotShopping(Step):
    def says(self) -> Text:
        return Text("All right. Type *menu* to go on.")


class OneProduct(Step):
    """`in_cart`: how many of it are there already."""

    product: Product
    in_cart: int = 0

    def says(self) -> Text:
        lines: list[Text] = [Text("*{name}*", name=self.product.name), offer(self.product)]
        if self.product.description:
            words = shortened(self.product.description, _MOST_DESCRIPTION)
            lines.append(Text("{words}", words=tuple(words.splitlines())))
        if self.in_cart:
            lines.append(Text("{quantity} in your cart", quantity=self.in_cart))
        if not self.product.sold_out:
            lines.append(Text("How many? Tap below or type a number."))
        return Text("{lines}", lines=tuple(lines))

    def image(self) -> str | None:
        return self.product.image

    def choices(self) -> tuple[Choice, ...]:
        left = MOST_OF_ONE if self.product.left is None else self.product.left
        return (*(Add(quantity) for quantity in _OFFERED if quantity <= left), Cancel())

    async def hears(self, answer: Add | Cancel | Said, teller: Teller) -> cart.InCart | Products:
        match answer:
            case Add(quantity=quantity):
                return await self._put(quantity, teller)
            case Said(text=text):
                return await self._put(quantity_of(text), teller)
            case Cancel():
                return await browse(teller)

    async def _put(self, quantity: int, teller: Teller) -> cart.InCart | Products:
        if quantity == 0:
            raise InvalidQuantity(quantity, MOST_OF_ONE)
        now = await teller.add((Wanted(sku=self.product.sku, quantity=quantity),))
        if not now.lines:
            return await browse(teller, short=now.short)
        return cart.InCart(cart=now, added=self.product.name)


def offer(product: Product) -> Text:
    """Its price, and how much there is."""
    if product.sold_out:
        return Text("{price} · sold out", price=product.price)
    if product.left is not None:
        return Text("{price} · {left} left", price=product.price, left=product.left)
    return Text("{price}", price=product.price)


def shortened(words: str, most: int) -> str:
    """Between words, where there is a break late enough."""
    if len(words) <= most:
        return words
    cut = words[: most - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > most // 2 else cut).rstrip() + "…"


def row_title(name: str) -> str:
    """A long one without its middle: what tells goods of one maker apart, a kind or a size, stands last."""
    if len(name) <= _TITLE:
        return name
    end = name[-_END:].lstrip()
    whole = end if name[-_END - 1] == " " else end.partition(" ")[2]
    end = whole if len(whole) > _END // 2 else end
    return shortened(name, _TITLE - len(end)) + end


def quantity_of(text: str) -> int:
    """A plain number that was typed. Raises InvalidQuantity."""
    bare = plain(text)
    if not _FIGURE.fullmatch(bare):
        raise InvalidQuantity(0, MOST_OF_ONE)
    return int(bare)


async def look(sku: str, teller: Teller) -> OneProduct:
    """Raises UnknownProduct."""
    product = await teller.product(sku)
    return OneProduct(product=product, in_cart=(await teller.cart()).quantity_of(sku))


async def browse(
    teller: Teller,
    *,
    page: int = 0,
    sought: str | None = None,
    short: tuple[Short, ...] = (),
    emptied: bool = False,
) -> Products:
    """Raises NothingForSale."""
    known = await teller.products()
    if not known:
        raise NothingForSale
    found = matching(sought, known) if sought else list(known)
    pages = 1 if len(found) < _ROWS - bool(sought) else -(-len(found) // _ON_A_PAGE)
    page = min(max(page, 0), pages - 1)
    shown = found if pages == 1 else found[page * _ON_A_PAGE : (page + 1) * _ON_A_PAGE]
    return Products(
        products=tuple(shown),
        page=page,
        pages=pages,
        sought=sought,
        in_cart=await teller.cart_count(),
        short=short,
        emptied=emptied,
    )


async def seek(text: str, teller: Teller) -> Products | OneProduct:
    """The product of this name, or those that have these words. Raises UnknownProduct."""
    typed = " ".join(text.split())[:_MOST_TYPED]
    known = await teller.products()
    named = [product for product in known if plain(product.name) == plain(typed)]
    found = named or matching(typed, known)
    if not found:
        raise UnknownProduct(typed)
    return await look(found[0].sku, teller) if len(found) == 1 else await browse(teller, sought=typed)


def matching(sought: str, known: Sequence[Product]) -> list[Product]:
    """Those that have all the words in their names, else those that have words which are nearly the same."""
    words = plain(sought).split()
    if not words:
        return []
    exactly = [product for product in known if all(word in plain(product.name) for word in words)]
    return exactly or [
        product
        for product in known
        if all(close(word, dict.fromkeys(plain(product.name).split(), product)) for word in words)
    ]


async def shop(teller: Teller, _rest: str = "") -> Products:
    return await browse(teller)
