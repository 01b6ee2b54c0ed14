"""The worker closes orders that nobody paid, and their stock is there for others again."""

import sqlalchemy as sa

from services.shop import catalogue, orders
from services.shop.facts import Wanted
from services.store import schema


async def test_an_order_that_nobody_paid_within_a_day_is_closed(market):
    business = market.business
    async with business.work() as work:
        soap = {"tenant_id": business.tenant, "sku": "SOAP", "name": "Soap", "price": 15_000, "stock": 5}
        await work.connection.execute(sa.insert(schema.products).values(soap))
        chat = business.chats[business.customer]
        order = await orders.place(work, business.customer, chat, [Wanted(sku="SOAP", quantity=2)])
    await market.later(hours=23)
    assert (await business.row(schema.orders, order.id)).status == "open"
    await market.later(hours=1)
    async with business.work() as work:
        assert (await orders.read(work, order.id)).status == "canceled"
        assert (await catalogue.find(work, "SOAP")).left == 5
    assert await business.jobs(order.id) == {}
