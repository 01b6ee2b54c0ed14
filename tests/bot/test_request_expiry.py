"""The worker closes requests that nobody paid within a week."""

from services.facts import Checkout, Customer
from services.ids import new_id
from services.store import schema
from tests.services.business import kes


async def test_a_request_that_nobody_paid_within_a_week_is_closed(market):
    business = market.business
    checkout = Checkout(order_id=new_id(), amount=kes("500"), summary="two chairs")
    whom = Customer(label="Achieng", conversation_id=business.chats[business.customer])
    async with business.teller(business.cashier) as teller:
        await teller.request_payment(whom, checkout)
    await market.later(days=6, hours=23)
    assert (await business.row(schema.orders, checkout.order_id)).status == "open"
    await market.later(hours=1)
    assert (await business.row(schema.orders, checkout.order_id)).status == "canceled"
    assert await business.jobs(checkout.order_id) == {}
