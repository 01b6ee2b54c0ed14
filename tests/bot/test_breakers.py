"""Breakers, over real HTTP: what an ill provider leaves unanswered, and who notices."""

from datetime import timedelta

from services import breakers
from services.facts import Way
from services.jobs import SEND_LADDER
from services.news import PageOpened, PaymentMethod, PaymentSettled, Unpaid
from services.people.tenants import TenantBook
from tests.bot.market import NOWHERE, SETTINGS, until, with_phone

BY_PAGE = Way(method=PaymentMethod(provider="paystack", label=""))


async def last_news(market):
    return (await market.business.news(market.business.customer))[-1]


async def slow(market):
    """As another process knows it."""
    book = TenantBook(market.database, market.vault, market.clock)
    return (await book.by_id(market.business.tenant)).shop.slow


async def fall_ill(market, fault="drop", at="stk.request"):
    for n in range(5):
        await market.arm(at, fault)
        await market.business.pay("500", way=with_phone(n))
        await market.work()
    assert await slow(market) == {"mpesa"}


async def test_a_provider_that_drops_requests_is_asked_no_more_and_the_customer_is_told(market):
    await fall_ill(market)
    rung = len(await market.prompts())
    paying = await market.business.pay("500", way=with_phone(9))
    await market.work()
    assert (await last_news(market)).because == Unpaid.RESTING
    assert await market.attempt(paying.attempt) == "failed"
    assert len(await market.prompts()) == rung


async def test_meanwhile_they_pay_in_another_way(market):
    await fall_ill(market)
    await market.business.pay("500", way=BY_PAGE)
    await market.work()
    assert isinstance(await last_news(market), PageOpened)


async def test_once_it_answers_again_all_is_as_before(market):
    await fall_ill(market, "500")
    market.business.forward(seconds=30)
    first = await market.business.pay("500", way=with_phone(9))
    await market.work()
    assert await market.attempt(first.attempt) == "pending"
    assert await slow(market) == frozenset()
    await market.phone("pay")
    await until(lambda: settled(market))
    second = await market.business.pay("700", way=with_phone(10))
    await market.work()
    assert await market.attempt(second.attempt) == "pending"


async def settled(market):
    await market.work()
    told = await market.business.news(market.business.customer)
    return bool(told) and isinstance(told[-1], PaymentSettled)


async def test_two_customers_who_reach_nobody_are_enough(market):
    """Each is tried four times; the third is told at once."""
    lost, _ = market.workers(NOWHERE)
    for n in range(2):
        await market.business.pay("500", way=with_phone(n))
        await lost.once()
        for wait in SEND_LADDER:
            market.business.forward(seconds=wait.total_seconds())
            await lost.once()
    await market.business.pay("500", way=with_phone(3))
    await lost.once()
    assert (await last_news(market)).because == Unpaid.RESTING


async def test_wrong_keys_say_nothing_of_the_provider(market):
    await market.set_up(SETTINGS | {"consumer_secret": "wrong"})
    for n in range(6):
        await market.business.pay("500", way=with_phone(n))
        await market.work()
        assert (await last_news(market)).because == Unpaid.SHOP
    assert await slow(market) == frozenset()


async def test_customers_who_refuse_say_nothing_of_the_provider(market):
    for n in range(6):
        await market.business.pay("500", way=with_phone(n))
        await market.work()
        await market.phone("cancel")
        await market.told(n + 1)
        assert (await last_news(market)).because == Unpaid.CANCELLED
    assert await slow(market) == frozenset()


async def test_payouts_wait_for_as_long_as_it_takes_and_are_sent_once(market):
    """The provider turns each away at its door; none is failed for it, however long that goes on."""
    await market.business.paid("9000")
    waiting = [await market.business.approved("1000") for _ in range(6)]
    lost, _ = market.workers(NOWHERE)
    for _ in range(20):
        await lost.once()
        market.business.forward(seconds=20)
    assert [await market.payout(each.payout) for each in waiting] == ["created"] * 6
    market.business.forward(seconds=60)
    await until(lambda: all_paid(market, waiting))
    assert len(await market.sent_payouts()) == 6
    assert await market.business.wallet() == ("3000.00", "0.00", "3000.00")


async def all_paid(market, waiting):
    await market.later(seconds=30)
    return {await market.withdrawal(each.withdrawal.id) for each in waiting} == {"completed"}


async def test_questions_that_are_dropped_wait_too_and_are_answered_in_the_end(market):
    paying = [await market.business.pay("500", way=with_phone(n)) for n in range(5)]
    await market.work()
    for prompt in await market.prompts():
        await market.arm("stk.callback", "lost")
        await market.act(f"prompts/{prompt['id']}", outcome="pay")
        await market.arm("stk.query", "drop")
    await market.later(seconds=10)
    await market.arm("stk.query", "drop")
    await market.later(seconds=20)
    due = [(await market.business.jobs(each.attempt))["collect_check"] for each in paying]
    assert sorted(due) == [breakers.REST] * 4 + [timedelta(seconds=30)]  # one tried it, and in vain
    market.business.forward(seconds=60)
    await market.work()
    await market.later(seconds=60)
    assert await market.business.wallet() == ("2500.00", "0.00", "2500.00")
