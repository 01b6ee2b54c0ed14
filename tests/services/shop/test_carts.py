import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.errors import (
    BlankNote,
    EmptyOrder,
    InvalidQuantity,
    NoteTooLong,
    OutOfStock,
    PaymentUnderWay,
    TooManyLines,
)
from services.news import Unpaid
from services.payments import record
from services.payments.settle import settle
from services.providers.base import Failed, Succeeded
from services.shop import carts, catalogue, orders, stock
from services.shop.facts import Cart, Short, Wanted
from services.store import schema
from tests.services.business import NEW_WAY, kes

PRODUCTS = {
    "SOAP": {"name": "Soap", "price": 15_000, "stock": 5},
    "TEA": {"name": "Chai", "price": 20_000, "stock": 2},
    "SONG": {"name": "Song", "price": 1_000, "stock": None},
}


@pytest.fixture(autouse=True)
async def stocked(business):
    async with business.work() as work:
        rows = [{"tenant_id": business.tenant, "sku": sku} | product for sku, product in PRODUCTS.items()]
        await work.connection.execute(sa.insert(schema.products), rows)


async def add(business, person=None, note=None, **wanted):
    async with business.teller(person or business.customer) as teller:
        return await teller.add(
            tuple(Wanted(sku=sku, quantity=quantity) for sku, quantity in wanted.items()), note
        )


async def cart(business):
    async with business.teller(business.customer) as teller:
        return await teller.cart()


async def held(business):
    return {line.sku: line.quantity for line in (await cart(business)).lines}


async def check_out(business):
    async with business.teller(business.customer) as teller:
        return await teller.check_out()


async def pay(business, checkout):
    async with business.teller(business.customer) as teller:
        started = await teller.pay(checkout, NEW_WAY)
    paying = await business.paying(started, checkout)
    await paying.sent()
    return paying


async def left(business, sku="SOAP"):
    async with business.work() as work:
        return (await catalogue.find(work, sku)).left


async def status(business, order_id):
    async with business.work() as work:
        return (await orders.read(work, order_id)).status


async def test_a_cart_is_still_there_tomorrow_at_the_prices_of_then(business):
    await add(business, SOAP=2, SONG=1)
    await add(business, SOAP=1)
    business.forward(days=1)
    await business.change(schema.products, schema.products.c.sku == "SOAP", price=16_000)
    found = await cart(business)
    assert [(line.name, line.quantity, line.total) for line in found.lines] == [
        ("Soap", 3, kes("480")),
        ("Song", 1, kes("10")),
    ]
    assert (found.total, found.short, found.note, found.delivery) == (kes("490"), (), None, False)
    async with business.teller(business.customer) as teller:
        assert await teller.cart_count() == 4


async def test_a_cart_reserves_nothing(business):
    await add(business, SOAP=5)
    assert await left(business) == 5


async def test_what_is_short_is_named_once(business):
    await add(business, SOAP=4, TEA=2, SONG=1)
    await business.change(schema.products, schema.products.c.sku == "SOAP", stock=1)
    async with business.behind() as work:
        await work.connection.execute(sa.delete(schema.products).where(schema.products.c.sku == "TEA"))
    found = await cart(business)
    assert found.short == (Short(name="Soap", left=1), Short(name="Chai", left=0))
    assert {line.sku: line.quantity for line in found.lines} == {"SOAP": 1, "SONG": 1}
    assert (await cart(business)).short == ()


async def test_more_than_there_is_is_not_put_in(business):
    added = await add(business, TEA=5, NONE=1)
    assert added.short == (Short(name="Chai", left=2), Short(name="NONE", left=0))
    assert await held(business) == {"TEA": 2}


@pytest.mark.parametrize("quantity", [0, -1, 1000, -(10**9), 10**20])
async def test_a_quantity_that_is_none_changes_nothing(business, quantity):
    await add(business, SONG=1)
    with pytest.raises(InvalidQuantity):
        await add(business, SOAP=1, SONG=quantity)
    assert await held(business) == {"SONG": 1}


async def test_of_one_thing_there_are_at_most_so_many_together(business):
    await add(business, SONG=999)
    with pytest.raises(InvalidQuantity):
        await add(business, SONG=1)
    with pytest.raises(InvalidQuantity):
        async with business.teller(business.customer) as teller:
            await teller.change_quantity("SONG", 1000)
    assert await held(business) == {"SONG": 999}


async def test_a_cart_takes_so_many_lines(business):
    with pytest.raises(TooManyLines):
        await add(business, **{f"P{n}": 1 for n in range(51)})
    assert await cart(business) == Cart()


async def test_quantities_are_changed_and_lines_taken_out(business):
    await add(business, SOAP=2, SONG=3)
    async with business.teller(business.customer) as teller:
        await teller.change_quantity("SOAP", 4)
        await teller.change_quantity("SONG", 0)
        await teller.change_quantity("NONE", 7)
    assert await held(business) == {"SOAP": 4}
    async with business.teller(business.customer) as teller:
        assert await teller.change_quantity("SOAP", 0) == Cart()


async def test_a_note_is_one_line_and_has_an_end(business):
    await add(business, note="  no\n\nsugar ", SOAP=1)
    assert (await cart(business)).note == "no sugar"
    await add(business, note="\u202e\u200b \u3164", TEA=1)  # of a catalogue: as good as none
    for note, refusal in (("x" * 301, NoteTooLong), ("\u200b \u3164", BlankNote)):
        with pytest.raises(refusal):
            async with business.teller(business.customer) as teller:
                await teller.hand_over(note, delivery=True)
    found = await cart(business)
    assert (found.note, found.delivery) == ("no sugar", False)


async def test_two_at_once_both_count(business):
    await asyncio.gather(*(add(business, SONG=1) for _ in range(8)))
    assert await held(business) == {"SONG": 8}


async def test_a_cart_is_one_persons_only(business):
    await add(business, SOAP=1)
    async with business.teller(business.cashier) as teller:
        assert await teller.cart() == Cart()
        await teller.empty_cart()
    assert await held(business) == {"SOAP": 1}


async def test_checking_out_reserves_and_again_is_the_same_order(business):
    await add(business, SOAP=5, note="ring twice")
    async with business.teller(business.customer) as teller:
        await teller.hand_over("Kilimani", delivery=True)
    first, again = await check_out(business), await check_out(business)
    assert first == again
    assert (first.amount, first.summary, first.note, first.delivery) == (
        kes("750"),
        "5 Soap",
        "Kilimani",
        True,
    )
    async with business.teller(business.cashier) as teller:
        seen = await teller.find_order(first.number)
    assert (seen.summary, seen.note, seen.delivery) == ("5 Soap", "Kilimani", True)
    assert await left(business) == 0
    assert await held(business) == {"SOAP": 5}, "what its own order holds is still there for it"
    assert (await cart(business)).short == ()


async def test_the_receipt_says_where_it_was_delivered_to(business):
    await add(business, SOAP=5)
    async with business.teller(business.customer) as teller:
        await teller.hand_over("Kilimani", delivery=True)
    paying = await business.paid("750", (await check_out(business)).order_id)
    async with business.teller(business.customer) as teller:
        told = await teller.receipt(paying.started.number)
    assert (told.note, told.delivery) == ("Kilimani", True)


async def test_a_changed_cart_is_another_order_and_the_first_gives_its_stock_back(business):
    await add(business, SOAP=5)
    first = await check_out(business)
    await add(business, TEA=1)
    second = await check_out(business)
    assert second.order_id != first.order_id
    assert (await status(business, first.order_id), await status(business, second.order_id)) == (
        "canceled",
        "open",
    )
    assert (await left(business), await left(business, "TEA")) == (0, 1)


async def test_while_the_phone_may_still_pay_one_cart_no_other_is_ordered(business):
    await add(business, SOAP=1)
    paying = await pay(business, await check_out(business))
    await add(business, TEA=1)
    with pytest.raises(PaymentUnderWay):
        await check_out(business)
    await paying.called(Succeeded("UKO9000001", kes("150")))
    assert await held(business) == {"TEA": 1}, "what was put in since stays"
    assert (await check_out(business)).amount == kes("200")


async def test_once_paid_the_cart_is_empty(business):
    await add(business, SOAP=2)
    checkout = await check_out(business)
    paying = await pay(business, checkout)
    for _ in range(2):
        await paying.called(Succeeded("UKO9000001", checkout.amount))
    assert await cart(business) == Cart()
    assert (await status(business, checkout.order_id), await left(business)) == ("paid", 3)
    with pytest.raises(EmptyOrder):
        await check_out(business)


async def test_what_is_not_paid_stays_in_the_cart(business):
    await add(business, SOAP=2)
    checkout = await check_out(business)
    paying = await pay(business, checkout)
    await paying.called(Failed(Unpaid.CANCELLED, "Request cancelled by user"))
    async with business.teller(business.customer) as teller:
        await teller.drop_order(checkout.order_id)
    assert (await left(business), await held(business)) == (5, {"SOAP": 2})
    again = await check_out(business)
    assert again.order_id != checkout.order_id


async def test_late_money_empties_the_cart_of_a_closed_order(business):
    await add(business, SOAP=2)
    checkout = await check_out(business)
    paying = await pay(business, checkout)
    await paying.called(Failed(Unpaid.CANCELLED, "Request cancelled by user"))
    async with business.work() as work:
        await orders.cancel(work, checkout.order_id)
    await paying.called(Succeeded("UKO9000001", checkout.amount))
    assert await cart(business) == Cart()


async def test_an_order_that_nobody_paid_leaves_the_cart(business):
    await add(business, SOAP=2)
    checkout = await check_out(business)
    assert (await business.jobs(checkout.order_id))["order_expire"] == timedelta(hours=24)
    async with business.work() as work:
        await orders.expire(work, checkout.order_id)
    assert (await left(business), await held(business)) == (5, {"SOAP": 2})


async def test_of_two_carts_one_gets_the_last_and_the_other_loses_nothing(business):
    await add(business, TEA=2, SONG=1)
    await add(business, business.cashier, TEA=2, SONG=1)

    async def attempt(person):
        async with business.teller(person) as teller:
            return await teller.check_out()

    done = await asyncio.gather(attempt(business.customer), attempt(business.cashier), return_exceptions=True)
    refused = [type(each) for each in done if isinstance(each, BaseException)]
    assert refused == [OutOfStock], done
    assert await left(business, "TEA") == 0
    loser = business.customer if isinstance(done[0], OutOfStock) else business.cashier
    async with business.teller(loser) as teller:
        found = await teller.cart()
    assert ([line.sku for line in found.lines], found.short) == (["SONG"], (Short(name="Chai", left=0),))


async def test_a_cart_goes_with_the_person_and_not_with_the_number(business):
    await add(business, SOAP=1)
    chat = business.chats[business.customer]
    async with business.teller(business.customer) as teller:
        await teller.identity_changed("+254711000999", None)
    async with business.behind() as work:
        query = sa.select(schema.conversations.c.person_id).where(schema.conversations.c.id == chat)
        stranger = await work.connection.scalar(query)
        assert await carts.count(work, stranger) == 0
    assert await held(business) == {"SOAP": 1}


async def test_a_payment_and_a_new_checkout_of_its_cart_do_not_wait_for_each_other(business):
    await add(business, SOAP=1)
    first = await check_out(business)
    paying = await pay(business, first)
    await add(business, TEA=1)
    async with business.work() as work:
        await record.locked(work, paying.attempt)
        checking_out = asyncio.create_task(check_out(business))
        await asyncio.sleep(0.2)
        await settle(work, paying.attempt, Succeeded("UKO0000001", first.amount))
    assert (await checking_out).summary == "1 Chai"
    assert await held(business) == {"TEA": 1}


async def test_two_who_change_what_they_ordered_do_not_wait_for_each_other(business):
    await add(business, TEA=1)
    await check_out(business)
    await add(business, SOAP=1)
    async with business.work() as work:
        await stock.locked(work, ["SOAP"])
        checking_out = asyncio.create_task(check_out(business))
        await asyncio.sleep(0.2)
        await stock.locked(work, ["TEA"])
    assert (await checking_out).summary == "1 Chai, 1 Soap"
