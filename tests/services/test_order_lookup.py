"""The staff look up an order by its number."""

import pytest

from services import errors
from services.facts import Checkout, Customer
from services.ids import new_id
from services.news import Unpaid
from services.providers.base import Failed, Succeeded
from tests.services.business import PHONE, Business, kes


async def look(business, number, person=None):
    async with business.teller(person or business.cashier) as teller:
        return await teller.find_order(number)


async def test_it_is_seen_with_every_try_and_its_receipt(business):
    paying = await business.pay("500")
    await paying.sent()
    await paying.called(Failed(Unpaid.CANCELLED, "Request cancelled by user"))
    business.forward(minutes=5)
    again = await business.pay("500", order=paying.started.order_id)
    await again.sent()
    await again.called(Succeeded("UKO9000001", kes("500")))
    seen = await look(business, paying.started.number)
    assert (seen.customer, seen.amount, seen.status) == ("Achieng", kes("500"), "paid")
    assert [(each.state, each.receipt) for each in seen.tries] == [
        ("succeeded", "UKO9000001"),
        ("failed", None),
    ]
    assert seen.tries[0].method.label == "********5678"


async def test_an_unknown_number_and_another_shops_are_not_found(business, database, vault):
    other = await Business(database, vault).open()
    paying = await other.pay("500")
    for number in ("ZZZZZZ", paying.started.number):
        with pytest.raises(errors.NotFound):
            await look(business, number)


async def test_the_customers_number_is_masked(business):
    order_id = new_id()
    asked = Checkout(order_id=order_id, amount=kes("500"), summary="chairs")
    async with business.teller(business.cashier) as teller:
        request = await teller.request_payment(Customer(label="********5678", phone=PHONE), asked)
    seen = await look(business, request.number)
    assert (seen.customer, seen.status, seen.tries) == ("********5678", "open", ())


async def test_who_may_not_view_orders_sees_none(business):
    paying = await business.pay("500")
    with pytest.raises(errors.MissingScope):
        await look(business, paying.started.number, business.customer)
