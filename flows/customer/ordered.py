"""Ordered: an order of WhatsApp's own catalogue goes into the cart, at our prices."""

from flows.customer.cart import InCart
from flows.customer.shop import Products, browse
from flows.reply import Item, Ordered
from flows.teller import Cart, Teller, Wanted
from services.errors import InvalidQuantity
from services.shop.facts import MOST_OF_ONE


async def ordered(order: Ordered, teller: Teller) -> InCart | Products:
    """Where one quantity is none, nothing is put in. Raises InvalidQuantity, TooManyLines, NoteTooLong."""
    wanted = tuple(Wanted(sku=item.sku, quantity=_quantity(item)) for item in order.items)
    now = await teller.add(wanted, order.note)
    if not now.lines:
        return await browse(teller, short=now.short)
    return InCart(cart=now, repriced=_repriced(order, now))


def _quantity(item: Item) -> int:
    if item.quantity is None or not 1 <= item.quantity <= MOST_OF_ONE:
        raise InvalidQuantity(0, MOST_OF_ONE)
    return item.quantity


def _repriced(order: Ordered, cart: Cart) -> bool:
    """Whether the person was shown other prices than ours."""
    ours = {line.sku: line.price.decimal for line in cart.lines}
    return any(item.price != ours[item.sku] for item in order.items if item.sku in ours)
