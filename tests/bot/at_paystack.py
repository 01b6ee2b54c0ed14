"""At Paystack: what a customer does on the pages of the emulated Paystack, for the tests."""

from services.facts import Way
from services.news import PageOpened, PaymentMethod
from tests.bot.market import until

BY_PAGE = Way(method=PaymentMethod(provider="paystack", label=""))


async def news(market):
    return await market.business.news(market.business.customer)


async def opened(market, amount="500"):
    paying = await market.business.pay(amount, way=BY_PAGE)
    await market.work()
    told = (await news(market))[-1]
    assert isinstance(told, PageOpened)
    paying.page = told.url
    return paying


async def on_page(market, paying, outcome, *, follow=False):
    async with market._outside.post(paying.page, data={"outcome": outcome}, allow_redirects=False) as answer:
        where = answer.headers.get("Location")
        status = answer.status
    if follow and where:
        async with market._outside.get(where, allow_redirects=False) as answer:
            assert answer.status in (200, 302)
    return status


async def settled(market, paying):
    await market.work()
    return await market.attempt(paying.attempt) == "succeeded"


async def pays(market, paying):
    assert await on_page(market, paying, "pay") == 303
    await until(lambda: settled(market, paying))
