import asyncio

import pytest
import sqlalchemy as sa

from services.audit import private
from services.errors import BlankReason, MissingScope, NotFound, PaymentUnderWay
from services.news import Unpaid
from services.news.orders import OrderCanceled, OrderFulfilled
from services.providers.base import Failed
from services.store import schema
from tests.services.business import kes


async def fulfil(business, number, person=None):
    async with business.teller(person or business.cashier) as teller:
        return await teller.fulfil_order(number)


async def cancel(business, number, reason="sold out", person=None):
    async with business.teller(person or business.cashier) as teller:
        return await teller.cancel_order(number, reason)


async def seen(business, number):
    async with business.teller(business.cashier) as teller:
        return (await teller.find_order(number)).status


async def audited(business):
    async with business.behind() as work:
        query = sa.select(schema.audit.c.action).where(schema.audit.c.action.startswith("order."))
        return list((await work.connection.execute(query)).scalars())


def told(news, kind):
    return [each for each in news if isinstance(each, kind)]


async def test_a_paid_order_is_handed_over_once_and_the_customer_told_once(business):
    number = (await business.paid()).started.number
    both = await asyncio.gather(fulfil(business, number), fulfil(business, number, business.owner))
    assert sorted(both) == [False, True]
    assert await seen(business, number) == "fulfilled"
    assert told(await business.news(business.customer), OrderFulfilled) == [OrderFulfilled(number=number)]
    assert not await cancel(business, number)
    assert await audited(business) == ["order.fulfilled"]


async def test_an_unpaid_order_is_not_handed_over(business):
    number = (await business.pay()).started.number
    assert not await fulfil(business, number)
    assert told(await business.news(business.customer), OrderFulfilled) == []


async def test_an_unpaid_order_is_closed_once_nothing_may_be_paid_for_it_any_more(business):
    paying = await business.pay()
    await paying.sent()
    number = paying.started.number
    with pytest.raises(PaymentUnderWay):
        await cancel(business, number)
    await paying.called(Failed(Unpaid.CANCELLED, "1032"))
    with pytest.raises(BlankReason):
        await cancel(business, number, "\u200b")
    both = await asyncio.gather(
        cancel(business, number), cancel(business, number, "no stock", business.owner)
    )
    assert sorted(both) == [False, True]
    [news] = told(await business.news(business.customer), OrderCanceled)
    assert (news.number, news.amount) == (number, kes("500"))
    assert await seen(business, number) == "canceled"


@pytest.mark.parametrize("verb", [fulfil, cancel])
async def test_only_staff_who_edit_orders_of_this_shop_may(business, verb):
    number = (await business.paid()).started.number
    for stranger in (business.customer, business.manager):
        with pytest.raises(MissingScope):
            await verb(business, number, person=stranger)
    with pytest.raises(NotFound):
        await verb(business, "ZZZZZZ")
    assert await seen(business, number) == "paid"


async def test_no_number_of_a_phone_in_a_reason_is_kept(business):
    paying = await business.pay()
    await paying.sent()
    await paying.called(Failed(Unpaid.CANCELLED, "1032"))
    assert await cancel(business, paying.started.number, "call 0712 345 678")
    async with business.behind() as work:
        query = sa.select(schema.audit.c.private).where(schema.audit.c.action == "order.canceled")
        facts = await private.opened(work, await work.connection.scalar(query))
    assert facts is not None
    assert "345" not in facts["reason"]
    assert facts["reason"].startswith("call ")
