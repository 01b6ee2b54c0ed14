import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.errors import (
    BelowMinimum,
    EmptyOrder,
    InvalidAmount,
    InvalidQuantity,
    NotFound,
    OutOfStock,
    Refusal,
    TooManyLines,
    UnknownProduct,
)
from services.ids import new_id
from services.money import Money
from services.news import Unpaid
from services.providers.base import Failed, Succeeded
from services.shop import catalogue, orders
from services.shop.facts import Priced, Wanted
from services.store import schema
from tests.services.business import NEW_WAY, kes

PRODUCTS = {
    "SOAP": {"name": "Soap", "price": 15_000, "stock": 5},
    "TEA": {"name": "Chai", "price": 20_050, "stock": 2},
    "SONG": {"name": "Song", "price": 1_000, "stock": None},
}
TWO_SOAPS = [Wanted(sku="SOAP", quantity=2)]


@pytest.fixture(autouse=True)
async def stocked(business):
    async with business.work() as work:
        rows = [{"tenant_id": business.tenant, "sku": sku} | product for sku, product in PRODUCTS.items()]
        await work.connection.execute(sa.insert(schema.products), rows)


async def place(business, *wanted, note=None, chat=True):
    conversation = business.chats[business.customer] if chat else None
    async with business.work() as work:
        return await orders.place(work, business.customer, conversation, wanted, note)


async def left(business, sku="SOAP"):
    async with business.work() as work:
        return (await catalogue.find(work, sku)).left


async def pay(business, order):
    async with business.teller(business.customer) as teller:
        checkout = await teller.open_order()
        assert checkout.order_id == order.id
        started = await teller.pay(checkout, NEW_WAY)
    paying = await business.paying(started, checkout)
    await paying.sent()
    return paying


async def status(business, order):
    async with business.work() as work:
        return (await orders.read(work, order.id)).status


async def expire(business, order):
    async with business.work() as work:
        await orders.expire(work, order.id)


async def test_an_order_has_our_prices_and_is_read_as_it_was_placed(business):
    wanted = (*TWO_SOAPS, Wanted(sku="TEA", quantity=1))
    order = await place(business, *wanted, note="by the gate")
    assert order.total == kes("500.50")
    assert [(line.name, line.total) for line in order.lines] == [
        ("Soap", kes("300")),
        ("Chai", kes("200.50")),
    ]
    assert (order.status, order.note, len(order.number)) == ("open", "by the gate", 6)
    await business.change(schema.products, schema.products.c.sku == "SOAP", price=99_900)
    async with business.work() as work:
        assert await orders.read(work, order.id) == order


async def test_staff_name_what_is_not_in_the_catalogue(business):
    order = await place(business, Priced(name=" Delivery ", price=kes("100"), quantity=1), *TWO_SOAPS)
    assert [(line.sku, line.name) for line in order.lines] == [(None, "Delivery"), ("SOAP", "Soap")]
    assert order.total == kes("400")


async def test_an_order_is_offered_to_be_paid_with_its_lines(business):
    order = await place(business, *TWO_SOAPS)
    async with business.teller(business.customer) as teller:
        checkout = await teller.open_order()
    assert (checkout.order_id, checkout.amount, checkout.summary) == (order.id, kes("300"), "2 Soap")


async def test_the_catalogue_tells_what_is_left(business):
    await place(business, *TWO_SOAPS)
    async with business.work() as work:
        listed = await catalogue.listed(work)
    assert [(each.name, each.price, each.left) for each in listed] == [
        ("Chai", kes("200.50"), 2),
        ("Soap", kes("150"), 3),
        ("Song", kes("10"), None),
    ]


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        ([], EmptyOrder),
        ([Wanted(sku="SOAP", quantity=0)], InvalidQuantity),
        ([Wanted(sku="SONG", quantity=1000)], InvalidQuantity),
        ([Wanted(sku="SONG", quantity=1)] * 51, TooManyLines),
        ([*TWO_SOAPS, Wanted(sku="soap", quantity=1)], UnknownProduct),
        ([*TWO_SOAPS, Wanted(sku="TEA", quantity=3)], OutOfStock),
        ([*TWO_SOAPS, *TWO_SOAPS, *TWO_SOAPS], OutOfStock),
        ([*TWO_SOAPS, Priced(name="X", price=Money.zero("KES"), quantity=1)], InvalidAmount),
        ([*TWO_SOAPS, Priced(name="X", price=Money(100, "USD"), quantity=1)], InvalidAmount),
    ],
)
async def test_what_is_refused_reserves_nothing(business, wanted, refusal):
    with pytest.raises(refusal):
        await place(business, *wanted)
    assert (await left(business), await left(business, "TEA")) == (5, 2)
    async with business.teller(business.customer) as teller:
        assert await teller.open_order() is None


async def test_what_costs_nothing_goes_along_and_is_no_order_alone(business):
    gift = {"tenant_id": business.tenant, "sku": "GIFT", "name": "Leaflet", "price": 0, "stock": 5}
    async with business.work() as work:
        await work.connection.execute(sa.insert(schema.products), [gift])
    with pytest.raises(BelowMinimum):
        await place(business, Wanted(sku="GIFT", quantity=2))
    order = await place(business, Wanted(sku="GIFT", quantity=2), *TWO_SOAPS)
    assert (order.total, await left(business, "GIFT")) == (kes("300"), 3)


async def test_what_is_short_is_named_with_what_is_left(business):
    with pytest.raises(OutOfStock) as refused:
        await place(business, Wanted(sku="SOAP", quantity=6))
    assert (refused.value.sku, refused.value.name, refused.value.left) == ("SOAP", "Soap", 5)


async def test_of_twenty_buyers_five_get_the_last_five(business):
    tries = [place(business, Wanted(sku="SOAP", quantity=1)) for _ in range(20)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(each) for each in done if isinstance(each, BaseException)] == [OutOfStock] * 15
    assert await left(business) == 0


async def test_orders_of_the_same_products_in_another_order_do_not_block_each_other(business):
    wanted = [Wanted(sku="SONG", quantity=1), Wanted(sku="TEA", quantity=1), Wanted(sku="SOAP", quantity=1)]
    tries = [place(business, *(wanted if n % 2 else reversed(wanted))) for n in range(8)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(each) for each in done if isinstance(each, BaseException)] == [OutOfStock] * 6


async def test_a_paid_order_keeps_its_stock(business):
    order = await place(business, *TWO_SOAPS)
    paying = await pay(business, order)
    for _ in range(2):
        await paying.called(Succeeded("UKO9000001", order.total))
    await expire(business, order)
    assert (await status(business, order), await left(business)) == ("paid", 3)


async def test_a_dropped_order_gives_its_stock_back_once(business):
    order = await place(business, *TWO_SOAPS)
    for _ in range(2):
        async with business.teller(business.customer) as teller:
            await teller.drop_order(order.id)
    await expire(business, order)
    assert (await status(business, order), await left(business)) == ("canceled", 5)
    assert await business.jobs(order.id) == {}


async def test_an_order_whose_payment_failed_is_dropped_too(business):
    order = await place(business, *TWO_SOAPS)
    paying = await pay(business, order)
    await paying.called(Failed(Unpaid.CANCELLED, "Request cancelled by user"))
    assert (await status(business, order), await left(business)) == ("open", 3)
    async with business.teller(business.customer) as teller:
        await teller.drop_order(order.id)
    assert (await status(business, order), await left(business)) == ("canceled", 5)


async def test_nobody_drops_an_order_of_another_or_of_the_merchants_staff(business):
    mine = await place(business, *TWO_SOAPS)
    theirs = await place(business, *TWO_SOAPS, chat=False)
    async with business.teller(business.cashier) as teller:
        await teller.drop_order(mine.id)
    async with business.teller(business.customer) as teller:
        await teller.drop_order(theirs.id)
    assert [await status(business, each) for each in (mine, theirs)] == ["open", "open"]
    assert await left(business) == 1


async def test_an_order_that_nobody_paid_expires(business):
    order = await place(business, *TWO_SOAPS)
    assert (await business.jobs(order.id))["order_expire"] == timedelta(hours=24)
    await expire(business, order)
    assert (await status(business, order), await left(business)) == ("canceled", 5)


async def test_an_order_does_not_expire_while_its_payment_may_succeed(business):
    order = await place(business, *TWO_SOAPS)
    await pay(business, order)
    await expire(business, order)
    assert (await status(business, order), await left(business)) == ("awaiting_payment", 3)
    assert (await business.jobs(order.id))["order_expire"] == timedelta(minutes=10)


async def test_late_money_for_an_expired_order_takes_its_stock_again(business):
    order = await place(business, *TWO_SOAPS)
    paying = await pay(business, order)
    await paying.called(Failed(Unpaid.CANCELLED, "Request cancelled by user"))
    await expire(business, order)
    assert await left(business) == 5
    await paying.called(Succeeded("UKO9000001", order.total))
    assert (await status(business, order), await left(business)) == ("paid", 3)


async def test_nothing_expires_that_reserves_nothing(business):
    order = await place(business, Priced(name="Repair", price=kes("900"), quantity=1))
    assert "order_expire" not in await business.jobs(order.id)


async def test_another_tenants_order_and_product_are_not_found(business):
    order = await place(business, *TWO_SOAPS)
    business.tenant, business.slug = new_id(), "another"
    await business.open()
    with pytest.raises(NotFound):
        async with business.work() as work:
            await orders.read(work, order.id)
    with pytest.raises(Refusal):
        await place(business, *TWO_SOAPS)
