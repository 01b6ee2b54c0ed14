"""Paying twice: an order whose second payment lies in suspense."""

from services.payments import settle
from services.providers.base import Succeeded
from tests.services.business import kes


async def paid_twice_by(business):
    first = await business.pay("500")
    await first.sent()
    async with business.work() as work:
        await settle.expire(work, first.attempt)
    second = await business.pay("500", first.started.order_id)
    await second.sent()
    await first.called(Succeeded("UKO1", kes("500")))
    await second.called(Succeeded("UKO2", kes("500")))
    return second
