"""Payouts to tills, over real HTTP against the emulated M-Pesa: one under way at a time, and none twice."""

import asyncio
from datetime import timedelta

import pytest

from services.news import Held, PayoutUndecided, Unpaid, WithdrawalHeldBack
from services.providers.base import Refused, Succeeded
from services.store.schema import payouts
from services.withdrawals.settle import settle
from tests.bot.market import until
from tests.conftest import BOTH
from tests.services.business import TO_TILL


@pytest.fixture
async def to_till(market):
    """1,000 of 5,000 are approved to leave, less the fee of 27."""
    await market.business.paid("5000")
    return await market.business.approved("1000", TO_TILL)


async def status(market, one):
    return await market.withdrawal(one.withdrawal.id)


async def settled(market):
    return (await market.sent_payouts())[0]["state"] == "done"


async def told(market, person, kind):
    return [news for news in await market.business.news(person) if isinstance(news, kind)]


async def test_a_till_is_paid_and_the_books_say_so(market, to_till):
    await market.work()
    await market.told()
    assert await status(market, to_till) == "completed"
    assert await market.business.wallet() == ("4000.00", "0.00", "4000.00")
    (sent,) = await market.sent_payouts()
    assert (sent["amount"], sent["number"]) == (973, "till 600100")
    row = await market.business.row(payouts, to_till.payout)
    assert (row.turn, row.reference, row.receipt) == ("till", sent["id"], sent["receipt"])
    assert await market.business.alerts() == []
    assert await market.business.jobs(to_till.payout) == {}


@pytest.mark.parametrize("outcome", ["fail", "receiver"])
async def test_one_that_fails_gives_the_hold_back(market, to_till, outcome):
    await market.arm("b2b.outcome", outcome)
    await market.work()
    await market.told()
    assert await status(market, to_till) == "failed"
    assert await market.business.wallet() == ("5000.00", "0.00", "5000.00")


async def test_where_the_result_is_lost_it_is_asked_for_by_darajas_own_id(market, to_till):
    await market.arm("b2b.callback", "lost")
    await market.work()
    await until(lambda: settled(market))
    await market.later(seconds=15)
    await market.told()
    assert await status(market, to_till) == "completed"
    assert len(await market.sent_payouts()) == 1


@pytest.mark.parametrize("fault", ["callback_first", "500_after", "drop"])
async def test_a_result_that_comes_alone_completes_by_its_own_address(market, to_till, fault):
    """Its answer is slower, or lost, so that nothing but the address says what it is about."""
    await market.arm("b2b.request", fault)
    await market.work()
    await market.told()
    assert await status(market, to_till) == "completed"
    assert await market.business.alerts() == []
    assert (await market.business.row(payouts, to_till.payout)).reference is not None


async def test_a_timeout_in_the_queue_names_one_whose_answer_was_lost(market, to_till):
    await market.arm("b2b.request", "drop")
    await market.arm("b2b.outcome", "queue_timeout")
    await market.work()
    await market.told()
    await until(lambda: settled(market))
    await market.later(minutes=1)
    await market.told(2)
    assert await status(market, to_till) == "completed"
    assert len(await market.sent_payouts()) == 1


@pytest.fixture
async def lost(market, to_till):
    """Accepted, and neither that nor what became of it has reached us."""
    await market.arm("b2b.request", "drop")
    await market.arm("b2b.callback", "lost")
    await market.work()
    assert await market.payout(to_till.payout) == "unknown"
    return to_till


async def test_one_of_which_nothing_is_known_is_never_sent_again_and_people_are_told(market, lost):
    for _ in range(8):
        await market.later(hours=7)
    assert await market.payout(lost.payout) == "unknown"
    assert len(await market.sent_payouts()) == 1
    assert await market.hooks() == []  # nothing was asked either: there is no name to ask by
    assert await told(market, market.business.owner, PayoutUndecided)
    assert set(await market.business.alerts()) == {"payout.undecided"}
    assert await market.business.wallet() == ("5000.00", "1000.00", "4000.00")


async def test_that_nothing_is_known_of_one_is_told_within_minutes(market, lost):
    for _ in range(4):
        await market.later(minutes=2)
    assert len(await told(market, market.business.owner, PayoutUndecided)) == 1


async def test_the_next_one_waits_is_told_so_and_goes_once_it_is_its_turn(market, lost):
    second = await market.business.approved("500", TO_TILL)
    phone = await market.business.approved("600")
    await market.work()
    await market.told()  # the phone's: another way out waits for nobody
    assert await status(market, phone) == "completed"
    for _ in range(3):
        await market.later(minutes=1)
    row = await market.business.row(payouts, second.payout)
    assert (row.state, row.held) == ("created", Held.TURN)
    for person in (market.business.cashier, market.business.manager):
        (news,) = await told(market, person, WithdrawalHeldBack)
        assert (news.withdrawal.id, news.because) == (second.withdrawal.id, Held.TURN)
    # Whoever looks it up in the books of M-Pesa resolves it.
    async with market.business.work() as work:
        await settle(work, lost.payout, Succeeded("UKP9000009"))
    assert await market.business.jobs(second.payout) == {"payout": timedelta(0)}
    await market.work()
    await market.told(2)
    assert await status(market, second) == "completed"
    assert [each["number"] for each in await market.sent_payouts()].count("till 600100") == 2


async def test_one_that_waits_longer_than_its_approval_is_good_for_is_asked_for_again(market, lost):
    second = await market.business.approved("500", TO_TILL)
    await market.work()
    await market.later(minutes=31)
    assert await status(market, second) == "pending"


async def test_one_that_never_left_lets_the_next_one_pass(market, to_till):
    second = await market.business.approved("500", TO_TILL)
    await market.arm("b2b.request", "spike")

    async def both():
        """Who came at the very moment at which the other had not left looks again a minute later."""
        await market.later(seconds=15)
        return {await status(market, to_till), await status(market, second)} == {"completed"}

    await until(both)
    assert len(await market.sent_payouts()) == 2


@pytest.mark.parametrize("database", BOTH, indirect=True)
async def test_of_many_at_once_one_is_under_way_and_all_arrive_one_after_another(market):
    """By four workers that share nothing but the database."""
    await market.business.paid("50000")
    many = [await market.business.approved("500", TO_TILL) for _ in range(8)]
    workers = [market.workers() for _ in range(4)]
    most = 0
    for _ in range(40):
        await asyncio.gather(*(calls.once() for calls, _ in workers))
        states = [await market.payout(each.payout) for each in many]
        most = max(most, sum(state in ("submitting", "pending", "unknown") for state in states))
        if states == ["succeeded"] * len(many):
            break
        await asyncio.sleep(0.03)
        await asyncio.gather(*(callbacks.once() for _, callbacks in workers))
        market.business.forward(seconds=20)
    assert states == ["succeeded"] * len(many)
    assert most == 1
    assert len(await market.sent_payouts()) == len(many)


@pytest.mark.parametrize("database", BOTH[1:], indirect=True)
async def test_of_all_that_begin_at_the_same_moment_the_database_lets_one(market):
    await market.business.paid("50000")
    racing = [await market.business.approved("100", TO_TILL) for _ in range(6)]
    while racing:
        begun = await asyncio.gather(*(each.begun() for each in racing))
        assert sum(begun) == 1
        first = racing.pop(begun.index(True))
        await first.answered(Refused(Unpaid.RECEIVER, "no such till"))
        assert await status(market, first) == "failed"
