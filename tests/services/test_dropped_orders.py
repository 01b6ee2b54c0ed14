"""Orders that a customer made by typing an amount, and will not pay."""

import asyncio

import pytest

from services.errors import AlreadyPaid, OrderClosed, PaymentUnderWay
from services.ids import new_id
from services.news import PaymentSettled, Unpaid
from services.providers.base import Failed, Succeeded
from services.store.schema import orders
from tests.services.business import NEW_WAY, kes

PAID = Succeeded("UKO9000001", kes("500"))
CANCELLED = Failed(Unpaid.CANCELLED, "Request cancelled by user")


async def failed(business):
    paying = await business.pay("500")
    await paying.sent()
    await paying.called(CANCELLED)
    return paying


async def drop(business, order_id, person=None):
    async with business.teller(person or business.customer) as teller:
        await teller.drop_order(order_id)


async def open_order(business):
    async with business.teller(business.customer) as teller:
        return await teller.open_order()


async def status(business, paying):
    return (await business.row(orders, paying.started.order_id)).status


async def test_an_own_amount_that_is_dropped_is_closed_and_offered_no_more(business):
    paying = await failed(business)
    await drop(business, paying.started.order_id)
    assert await status(business, paying) == "canceled"
    assert await open_order(business) is None
    with pytest.raises(OrderClosed):
        await business.pay("500", order=paying.started.order_id)


async def test_late_money_for_a_dropped_order_is_honoured_and_told(business):
    paying = await failed(business)
    await drop(business, paying.started.order_id)
    await paying.called(PAID)
    assert await status(business, paying) == "paid"
    assert await business.wallet() == ("500.00", "0.00", "500.00")
    assert isinstance((await business.news(business.customer))[-1], PaymentSettled)


async def test_an_order_with_a_live_attempt_is_not_dropped(business):
    paying = await business.pay("500")
    await paying.sent()
    with pytest.raises(PaymentUnderWay):
        await drop(business, paying.started.order_id)
    assert await status(business, paying) == "awaiting_payment"


async def test_a_paid_order_is_not_dropped(business):
    paying = await business.paid("500")
    with pytest.raises(AlreadyPaid) as refusal:
        await drop(business, paying.started.order_id)
    assert refusal.value.receipt is not None
    assert await status(business, paying) == "paid"


SOAP = {"sku": None, "name": "soap", "price": 25_000, "quantity": 2}


@pytest.mark.parametrize("made", [{"lines": [SOAP]}, {"note": "Invoice 7"}, {"conversation_id": None}])
async def test_an_order_of_a_cart_or_by_the_merchant_stays_open(business, made):
    paying = await failed(business)
    await business.change(orders, orders.c.id == paying.started.order_id, **made)
    await drop(business, paying.started.order_id)
    assert await status(business, paying) == "open"
    assert (await open_order(business)).order_id == paying.started.order_id


async def test_nobody_drops_the_order_of_another(business):
    paying = await failed(business)
    await drop(business, paying.started.order_id, business.cashier)
    await drop(business, new_id())
    assert await status(business, paying) == "open"


async def test_an_own_amount_that_was_left_is_offered_only_while_its_attempt_is_live(business):
    paying = await business.pay("500")
    await paying.sent()
    async with business.teller(business.customer) as teller:
        await teller.leave_payment(paying.started.payment_id)
    assert (await open_order(business)).order_id == paying.started.order_id
    await paying.called(CANCELLED)
    assert await open_order(business) is None
    assert await status(business, paying) == "canceled"


async def test_an_order_that_failed_and_was_not_left_is_offered_again(business):
    paying = await failed(business)
    assert (await open_order(business)).order_id == paying.started.order_id


async def test_an_order_that_is_paid_again_at_this_moment_is_not_closed_as_left(business):
    paying = await business.pay()
    async with business.teller(business.customer) as teller:
        await teller.leave_payment(paying.started.payment_id)
    async with business.teller(business.customer) as teller:
        await teller.pay(paying.checkout, NEW_WAY)
        elsewhere = asyncio.create_task(open_order(business))
        await asyncio.sleep(0.2)
    await elsewhere
    assert await status(business, paying) == "awaiting_payment"
