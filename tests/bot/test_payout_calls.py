"""Payouts and withdrawals, over real HTTP against the emulated M-Pesa."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from services import jobs as due
from services.news import WithdrawalClosed, WithdrawalPaid
from services.store.schema import jobs, payouts
from tests.bot.market import SETTINGS, until


async def last_news(market):
    return (await market.business.news(market.business.cashier))[-1]


@pytest.fixture
async def paying_out(market):
    """1,000 of 5,000 are approved to leave, less the fee of 33."""
    await market.business.paid("5000")
    return await market.business.approved("1000")


async def completed(market, paying_out):
    return await market.withdrawal(paying_out.withdrawal.id) == "completed"


async def test_an_approved_withdrawal_is_paid_out_and_told(market, paying_out):
    await market.arm("b2c.callback", "late", seconds=0.5)  # or it is there before we look
    await market.work()
    assert await market.payout(paying_out.payout) == "pending"
    await market.told()
    assert await completed(market, paying_out)
    assert await market.business.wallet() == ("4000.00", "0.00", "4000.00")
    (sent,) = await market.sent_payouts()
    assert (sent["amount"], sent["number"], sent["id"]) == (967, "+254722000111", str(paying_out.payout))
    news = await last_news(market)
    assert isinstance(news, WithdrawalPaid)
    assert news.receipt == sent["receipt"]
    assert await market.business.jobs(paying_out.payout) == {}


async def test_a_payout_that_fails_gives_the_hold_back(market, paying_out):
    await market.arm("b2c.outcome", "fail")
    await market.work()
    await market.told()
    assert await market.withdrawal(paying_out.withdrawal.id) == "failed"
    assert await market.business.wallet() == ("5000.00", "0.00", "5000.00")
    assert isinstance(await last_news(market), WithdrawalClosed)


async def test_where_the_result_is_lost_the_provider_is_asked(market, paying_out):
    await market.arm("b2c.callback", "lost")
    await market.work()
    await until(lambda: settled(market))
    assert await market.hooks() == []
    await market.later(seconds=15)
    await market.told()
    assert await completed(market, paying_out)
    assert await market.business.wallet() == ("4000.00", "0.00", "4000.00")
    assert len(await market.sent_payouts()) == 1


async def settled(market):
    return (await market.sent_payouts())[0]["state"] == "done"


async def test_an_answer_to_the_question_that_is_lost_too_is_asked_for_again(market, paying_out):
    await market.arm("b2c.callback", "lost")
    await market.arm("status.callback", "lost")
    await market.arm("status.query", "500")
    await market.work()
    await until(lambda: settled(market))
    await market.later(seconds=15)  # a server error
    await market.later(seconds=45)  # lost
    assert await market.payout(paying_out.payout) == "pending"
    await market.later(minutes=2)
    await market.told()
    assert await completed(market, paying_out)


@pytest.mark.parametrize("outcome", ["queue_timeout", "queue_timeout_then_result"])
async def test_a_queue_timeout_is_no_answer_and_the_provider_is_asked(market, paying_out, outcome):
    """Its body carries a code of failure; only the address tells."""
    await market.arm("b2c.outcome", outcome)
    await market.work()
    await market.told()
    # What was asked at once, or the result, may have told more already.
    assert await market.withdrawal(paying_out.withdrawal.id) in ("processing", "completed")
    await until(lambda: settled(market))
    for _ in range(20):  # by the first answer, or by a later one where that was given before the money went
        if await completed(market, paying_out):
            break
        await market.later(minutes=3)
        await asyncio.sleep(0.1)
    assert await completed(market, paying_out)
    assert await market.business.wallet() == ("4000.00", "0.00", "4000.00")
    assert len(await market.sent_payouts()) == 1


@pytest.mark.parametrize("fault", ["500_after", "drop"])
async def test_a_payout_whose_answer_is_lost_is_never_sent_again(market, paying_out, fault):
    await market.arm("b2c.request", fault)
    await market.arm("b2c.callback", "lost")
    await market.work()
    assert await market.payout(paying_out.payout) == "unknown"
    await until(lambda: settled(market))
    await market.later(seconds=15)
    await market.told()
    assert await completed(market, paying_out)
    assert len(await market.sent_payouts()) == 1


async def test_a_result_before_the_answer_to_our_request_completes(market, paying_out):
    await market.arm("b2c.request", "callback_first")
    await market.work()
    assert await completed(market, paying_out)
    assert await market.business.alerts() == []


async def test_a_payout_that_was_turned_away_is_sent_again(market, paying_out):
    await market.arm("b2c.request", "spike")
    await market.work()
    assert await market.payout(paying_out.payout) == "created"
    await market.later(seconds=15)
    await market.told()
    assert await completed(market, paying_out)


async def test_a_worker_that_died_while_sending_is_asked_for_and_nothing_sent_again(market, paying_out):
    assert await paying_out.begun()  # and never came back
    await market.work()
    assert await market.payout(paying_out.payout) == "unknown"
    await market.later(seconds=15)
    await market.told()  # the provider does not know it, which proves nothing
    assert await market.withdrawal(paying_out.withdrawal.id) == "processing"
    assert await market.sent_payouts() == []


class NoClient:
    """Cannot make a client: the database, say, is away."""

    def __init__(self, act):
        self._act = act

    async def paying_out(self, _tenant, _provider):
        await self._act()


async def breaks():
    raise ConnectionResetError


async def hangs():
    await asyncio.Event().wait()


@pytest.mark.parametrize("act", [breaks, hangs])
async def test_a_payout_for_which_there_was_no_client_was_not_sent_and_is_sent_later(market, paying_out, act):
    without, _ = market.workers_with(NoClient(act), most_seconds=0.05)
    await without.once()
    assert await market.payout(paying_out.payout) == "created"
    await market.later(seconds=15)
    await market.told()
    assert await completed(market, paying_out)


class AwayOnce:
    """A database that is away for one transaction: the third, which takes the answer."""

    def __init__(self, database, *, committing=False):
        self._database, self._left, self._committing = database, 3, committing

    @asynccontextmanager
    async def transaction(self, whose):
        self._left -= 1
        if self._left == 0 and not self._committing:
            raise ConnectionResetError
        async with self._database.transaction(whose) as connection:
            yield connection
        if self._left == 0:
            raise ConnectionResetError


async def test_an_answer_is_kept_until_the_database_is_back(market, paying_out):
    await market.arm("b2c.request", "spike")
    market.calls._database = AwayOnce(market.database)
    await market.calls.once()
    assert await market.payout(paying_out.payout) == "created"
    await market.later(seconds=15)
    await market.told()
    assert await completed(market, paying_out)


async def test_an_answer_whose_commit_was_lost_is_not_taken_twice(market, paying_out):
    await market.arm("b2c.request", "spike")
    market.calls._database = AwayOnce(market.database, committing=True)
    await market.calls.once()
    assert (await market.job(paying_out.payout)).tries == 1


async def test_without_settings_the_payout_waits_frozen_until_an_operator_has_looked(market, paying_out):
    await market.set_up(None)
    await market.work()
    assert await market.business.resting() == {"mpesa": "settings"}
    assert "payouts.frozen" in await market.business.alerts()
    await market.set_up(SETTINGS)
    await market.later(minutes=10)
    assert await market.sent_payouts() == []
    await market.business.go_on()
    await market.later(minutes=10)
    await market.told()
    assert await completed(market, paying_out)


async def test_a_wrong_initiator_stops_payouts_and_the_next_try_has_its_own_id(market, paying_out):
    await market.set_up(SETTINGS | {"initiator_password": "wrong"})
    await market.work()
    await market.told()
    assert await market.payout(paying_out.payout) == "failed"
    assert await market.withdrawal(paying_out.withdrawal.id) == "processing"
    await market.set_up(SETTINGS)
    await market.business.go_on()
    await market.later(minutes=10)
    await market.told(2)
    assert await completed(market, paying_out)
    assert len({sent["id"] for sent in await market.sent_payouts()}) == 2


async def test_a_request_that_nobody_decides_expires_and_its_hold_is_released(market):
    await market.business.paid("5000")
    withdrawal = await market.business.withdraw("1000")
    await market.later(hours=23)
    assert await market.business.wallet() == ("5000.00", "1000.00", "4000.00")
    await market.later(hours=1)
    assert await market.withdrawal(withdrawal.id) == "expired"
    assert await market.business.wallet() == ("5000.00", "0.00", "5000.00")
    assert isinstance(await last_news(market), WithdrawalClosed)
    assert await market.business.jobs(withdrawal.id) == {}


async def test_an_expiry_that_comes_early_by_another_clock_is_not_forgotten(market):
    await market.business.paid("5000")
    withdrawal = await market.business.withdraw("1000")
    await market.business.change(
        jobs, jobs.c.target_id == withdrawal.id, due_at=market.business.now - timedelta(hours=1)
    )
    await market.work()
    assert await market.withdrawal(withdrawal.id) == "pending"
    await market.later(hours=25)
    assert await market.withdrawal(withdrawal.id) == "expired"


async def test_an_approved_payout_is_not_sent_twice_by_a_second_approval_worker(market, paying_out):
    """The same payout claimed after its lease, while the first worker still waits: asked, never sent."""
    await market.work()
    mine = (payouts.c.id == paying_out.payout) & (payouts.c.state != "succeeded")  # its result may be quicker
    await market.business.change(payouts, mine, state="submitting")
    async with market.business.work() as work:
        await due.schedule(work, "payout", paying_out.payout, work.now)
    await market.work()
    assert len(await market.sent_payouts()) == 1
