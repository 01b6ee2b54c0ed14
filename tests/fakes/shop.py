"""A catalogue, carts and orders in memory, as the services keep them."""

import dataclasses
from typing import Any
from uuid import UUID

from services import errors
from services.facts import Checkout, Me
from services.ids import new_id
from services.money import Money
from services.readable import is_blank
from services.shop.carts import readable
from services.shop.facts import MOST_LINES, MOST_OF_ONE, Cart, Line, Order, OrderRow, Product, Short, Wanted


@dataclasses.dataclass
class FakeShop:
    """`carts` hold how many of each product, by person."""

    products: dict[str, Product] = dataclasses.field(default_factory=dict)
    carts: dict[UUID, dict[str, int]] = dataclasses.field(default_factory=dict)
    notes: dict[UUID, tuple[str | None, bool]] = dataclasses.field(default_factory=dict)
    made_of: dict[UUID, UUID] = dataclasses.field(default_factory=dict)  # the order of a person's cart
    orders: dict[UUID, Order] = dataclasses.field(default_factory=dict)

    def stock(self, sku: str, price: str, left: str, name: str) -> None:
        self.products[sku] = Product(
            sku=sku,
            name=name,
            price=Money.parse(price, "KES"),
            left=None if left == "-" else int(left),
            description=self.products[sku].description if sku in self.products else None,
        )

    def sell(self, sku: str, quantity: int) -> None:
        product = self.products[sku]
        if product.left is not None:
            self.products[sku] = product.model_copy(update={"left": product.left - quantity})

    def cart(self, person: UUID) -> Cart:
        lines, short = [], []
        held = self._held(person)
        for sku, quantity in self.carts.get(person, {}).items():
            product = self.products.get(sku)
            left = 0 if product is None else MOST_OF_ONE if product.left is None else product.left
            kept = min(quantity, left + held.get(sku, 0) if product else 0)
            if kept < quantity:
                short.append(Short(name=product.name if product else sku, left=kept))
            if kept and product:
                lines.append(Line(sku=sku, name=product.name, price=product.price, quantity=kept))
        self.carts[person] = {line.sku or "": line.quantity for line in lines}
        if not lines:
            self.empty(person)
        note, delivery = self.notes.get(person, (None, False))
        return Cart(lines=tuple(lines), note=note, delivery=delivery, short=tuple(short))

    def add(self, person: UUID, wanted: tuple[Wanted, ...], note: str | None) -> Cart:
        chosen = dict(self.carts.get(person, {}))
        for each in wanted:
            chosen[each.sku] = chosen.get(each.sku, 0) + each.quantity
            refuse_beyond(each.quantity)
            refuse_beyond(chosen[each.sku])
        if len(chosen) > MOST_LINES:
            raise errors.TooManyLines(MOST_LINES)
        self.carts[person] = chosen
        if readable(note):
            self.notes[person] = readable(note), self.notes.get(person, (None, False))[1]
        return self.cart(person)

    def change(self, person: UUID, sku: str, quantity: int) -> Cart:
        if quantity:
            refuse_beyond(quantity)
        if sku in self.carts.get(person, {}):
            self.carts[person][sku] = quantity
        self.carts[person] = {sku: n for sku, n in self.carts.get(person, {}).items() if n}
        return self.cart(person)

    def hand_over(self, person: UUID, note: str | None, *, delivery: bool) -> Cart:
        if note is not None and is_blank(note):
            raise errors.BlankNote
        self.notes[person] = readable(note), delivery
        return self.cart(person)

    def empty(self, person: UUID) -> None:
        self.carts.pop(person, None)
        self.notes.pop(person, None)

    def check_out(self, person: UUID, now) -> Checkout:
        cart = self.cart(person)
        known = self.orders.get(self.made_of.get(person, person))
        if known is not None and known.unpaid:
            if (known.lines, known.note, known.delivery) == (cart.lines, cart.note, cart.delivery):
                return checkout_of(known)
            self.drop(known.id)
        order = Order(
            id=new_id(),
            number=f"K7Q4X{len(self.orders)}",
            status="open",
            total=cart.total,
            lines=cart.lines,
            note=cart.note,
            person_id=person,
            created_at=now,
            delivery=cart.delivery,
            by_person=True,
        )
        self.orders[order.id] = order
        self.made_of[person] = order.id
        for line in cart.lines:
            self.sell(line.sku or "", line.quantity)
        return checkout_of(order)

    def drop(self, order_id: UUID) -> None:
        order = self.orders[order_id]
        if order.unpaid:
            self.put(order, "canceled")
            for line in order.lines:
                self.sell(line.sku or "", -line.quantity)

    def bought(self, order_id: UUID) -> None:
        order = self.orders.get(order_id)
        if order is None:
            return
        self.put(order, "paid")
        if self.made_of.get(order.person_id) == order_id:
            self.empty(order.person_id)

    def put(self, order: Order, status: str) -> None:
        self.orders[order.id] = order.model_copy(update={"status": status})

    def _held(self, person: UUID) -> dict[str | None, int]:
        order = self.orders.get(self.made_of.get(person, person))
        return {line.sku: line.quantity for line in order.lines} if order and order.unpaid else {}


class ShopTeller:
    """The verbs of a Teller that shops."""

    def __init__(self, business: Any, name: str) -> None:
        self._business, self._name = business, name

    @property
    def _shop(self) -> FakeShop:
        goods: FakeShop = self._business.goods
        return goods

    @property
    def _person(self) -> UUID:
        me: Me = self._business.people[self._name]
        return me.person_id

    async def products(self):
        return tuple(sorted(self._shop.products.values(), key=lambda product: product.name))

    async def product(self, sku):
        if sku not in self._shop.products:
            raise errors.UnknownProduct(sku)
        return self._shop.products[sku]

    async def cart_count(self):
        return sum(self._shop.carts.get(self._person, {}).values())

    async def cart(self):
        return self._shop.cart(self._person)

    async def add(self, wanted, note=None):
        return self._shop.add(self._person, wanted, note)

    async def change_quantity(self, sku, quantity):
        return self._shop.change(self._person, sku, quantity)

    async def hand_over(self, note, *, delivery):
        return self._shop.hand_over(self._person, note, delivery=delivery)

    async def empty_cart(self):
        self._shop.empty(self._person)

    async def check_out(self):
        return self._shop.check_out(self._person, self._business.now)

    async def my_orders(self):
        mine = [order for order in self._shop.orders.values() if order.person_id == self._person]
        return tuple(OrderRow(**dict(order)) for order in reversed(mine))

    async def my_order(self, order_id):
        order = self._shop.orders.get(order_id)
        if order is None or order.person_id != self._person:
            raise errors.NotFound("order")
        return order

    async def checkout_of(self, order_id):
        return checkout_of(await self.my_order(order_id))


def checkout_of(order: Order) -> Checkout:
    return Checkout(
        order_id=order.id,
        amount=order.total,
        number=order.number,
        summary=", ".join(f"{line.quantity} {line.name}" for line in order.lines),
        note=order.note,
        delivery=order.delivery,
    )


def refuse_beyond(quantity: int) -> None:
    if not 1 <= quantity <= MOST_OF_ONE:
        raise errors.InvalidQuantity(quantity, MOST_OF_ONE)
