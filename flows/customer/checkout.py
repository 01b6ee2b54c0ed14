"""Checkout: what `pay` means, in this order: an amount that was typed, the cart, an order that waits."""

from flows.customer.cart import InCart, check_out
from flows.customer.pay import AskNumber, EnterAmount, ReviewOrder, amount, review
from flows.customer.shop import Products
from flows.teller import Teller
from services.rails import refuse_closed_till


async def pay(teller: Teller, rest: str = "") -> ReviewOrder | AskNumber | EnterAmount | InCart | Products:
    """Raises ProviderNotConfigured at once, before anything is asked."""
    refuse_closed_till(teller.shop)
    if rest:
        return await review(amount(rest, teller), teller)
    if teller.shop.sells and await teller.cart_count():
        return await check_out(teller)
    waiting = await teller.open_order()
    return await review(waiting, teller) if waiting else EnterAmount()
