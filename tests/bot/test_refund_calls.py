"""Refunds, over real HTTP against the emulated M-Pesa: reversals and payouts to who paid."""

import pytest

from services.news.refunds import RefundMade, Way
from services.payments import settle
from services.providers.base import Succeeded
from services.refunds import still_paid
from services.store.schema import payments, refund_attempts, refunds
from tests.bot.market import until
from tests.services.business import kes
from tests.services.refunding import approved


@pytest.fixture
async def paying(market):
    """500, paid on the phone."""
    paying = await market.business.pay("500")
    await market.work()
    await market.phone("pay")
    await market.told()
    yield paying
    async with market.business.work() as work:
        assert await market.business.breaches(work) == []


async def found_out(market, one):
    await market.later(seconds=15)
    return await status(market, one) == "completed"


async def status(market, one):
    return (await market.business.row(refunds, one.refund.id)).status


async def test_a_payment_is_reversed_and_the_customer_told(market, paying):
    one = await approved(market.business, paying)
    assert await market.calls.once()  # and no callback is taken, however soon it comes
    assert await status(market, one) == "processing"
    await market.told(2)
    assert await status(market, one) == "completed"
    made = (await market.business.news(market.business.customer))[-1]
    assert isinstance(made, RefundMade)
    assert made.receipt is not None
    assert await market.business.wallet() == ("0.00", "0.00", "0.00")
    assert (await market.business.row(payments, paying.started.payment_id)).status == "refunded"


async def test_a_part_is_paid_out_to_the_phone_that_paid(market, paying):
    one = await approved(market.business, paying, "200")
    assert one.refund.way == Way.PAYOUT
    await market.work()
    await market.told(2)
    assert await status(market, one) == "completed"
    (sent,) = await market.sent_payouts()
    assert (sent["number"], sent["amount"]) == ("+254712345678", 200)
    assert await market.business.wallet() == ("300.00", "0.00", "300.00")


@pytest.mark.parametrize("fault", ["500_after", "drop"])
async def test_an_answer_that_is_lost_is_found_out_and_nothing_is_sent_again(market, paying, fault):
    await market.arm("reversal.request", fault)
    await market.arm("reversal.callback", "lost")
    one = await approved(market.business, paying)
    await market.work()
    assert (await market.business.row(refund_attempts, one.attempt)).state == "unknown"
    await until(lambda: found_out(market, one))
    assert await status(market, one) == "completed"
    assert await market.business.wallet() == ("0.00", "0.00", "0.00")


@pytest.mark.parametrize(
    ("outcome", "because"), [("fail", "provider"), ("no_funds", "funds"), ("initiator", "settings")]
)
async def test_what_mpesa_refuses_leaves_the_money_in_the_wallet(market, paying, outcome, because):
    await market.arm("reversal.outcome", outcome)
    one = await approved(market.business, paying)
    await market.work()
    await market.told(2)
    assert (await market.business.row(refunds, one.refund.id)).because == because
    assert await market.business.wallet() == ("500.00", "0.00", "500.00")


async def test_what_times_out_in_their_queue_is_asked_for(market, paying):
    await market.arm("reversal.outcome", "queue_timeout")
    one = await approved(market.business, paying)
    await market.work()
    await until(lambda: found_out(market, one))
    assert await status(market, one) == "completed"


async def test_what_was_paid_twice_and_mpesa_gave_back_by_itself_is_found_too(market):
    business = market.business
    first = await business.pay("500")
    await market.arm("stk.callback", "lost")
    await market.work()
    await market.phone("pay")
    async with business.work() as work:
        await settle.expire(work, first.attempt)
    await business.pay("500", first.started.order_id)
    await market.work()
    await market.phone("pay")
    await market.told(1)
    lost = (await market.prompts())[0]
    async with business.work() as work:
        await settle.settle(work, first.attempt, Succeeded(lost["receipt"], kes("500")))
    assert (await business.balances())["suspense"] == 500_00
    await market.act(f"prompts/{lost['id']}/reverse")
    async with business.work() as work:
        await still_paid.ask(work, business.manager, first.started.payment_id)
    await market.work()
    await market.told(3)
    assert (await business.balances())["suspense"] == 0
    assert await business.wallet() == ("500.00", "0.00", "500.00")


async def test_what_mpesa_gave_back_by_itself_is_found_by_asking_and_booked_once(market, paying):
    payment = paying.started.payment_id
    for wallet in ("500.00", "0.00", "0.00"):  # it stands; it was given back; it is booked already
        async with market.business.work() as work:
            await still_paid.ask(work, market.business.manager, payment)
        before = len(await market.hooks())
        await market.work()
        await market.told(before + 1)
        assert (await market.business.wallet())[0] == wallet
        if wallet == "500.00":
            await market.act(f"prompts/{(await market.prompts())[-1]['id']}/reverse")
    assert (await market.business.row(payments, payment)).status == "refunded"
    assert await market.business.alerts() == ["payment.taken_back"]
