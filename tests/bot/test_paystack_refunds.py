"""Refunds through Paystack, over real HTTP: asked for once, found again where the answer was lost, told by
events that say little, and put right where they fail later; beside what others give back there."""

from datetime import timedelta

import pytest

from services.ids import new_id
from services.news.refunds import (
    MoneyTakenBack,
    PaymentDisputed,
    RefundMade,
    RefundTold,
    RefundUndone,
    Unrefunded,
)
from services.refunds import still_paid
from services.review import settling
from services.store.schema import payments, refund_attempts, refunds
from tests.bot.at_paystack import news, opened, pays
from tests.bot.market import PAYSTACK, until
from tests.services.refunding import approved

LEFT, ALL = ("300.00", "0.00", "300.00"), ("500.00", "0.00", "500.00")


@pytest.fixture
async def shop(market):
    await market.set_up(PAYSTACK, "paystack")
    yield market
    async with market.business.work() as work:
        assert await market.business.breaches(work) == []


@pytest.fixture
async def paying(shop):
    """500, paid on the page."""
    paying = await opened(shop)
    await pays(shop, paying)
    return paying


async def refund(market, paying, amount="200"):
    one = await approved(market.business, paying, amount)
    await market.work()
    return one


async def status(market, one):
    return (await market.business.row(refunds, one.refund.id)).status


async def stands(market, one, wanted="completed"):
    """Once it does; events come in by themselves."""

    async def so():
        await market.work()
        return await status(market, one) == wanted

    await until(so)


async def at_paystack(market):
    """All refunds there."""
    async with market._outside.get(f"{market.daraja_url}/control/paystack") as answer:
        told = await answer.json()
    return [each for payment in told["payments"] for each in payment["refunds"]]


async def by_others(market, paying, shillings, status="processed", **more):
    about = {"slug": market.business.slug, "reference": str(paying.attempt), "status": status}
    await market.act("paystack/refunds", amount=shillings * 100, **about, **more)


async def decided(market, status, which=0):
    await market.act(f"paystack/refunds/{(await at_paystack(market))[which]['id']}", status=status)


async def told(market, kind, who="manager"):
    return [
        each for each in await market.business.news(getattr(market.business, who)) if isinstance(each, kind)
    ]


async def test_a_part_goes_back_and_the_customer_is_told(shop, paying):
    one = await refund(shop, paying)
    await stands(shop, one)
    (made,) = await at_paystack(shop)
    assert (made["amount"], made["status"]) == (200_00, "processed")
    assert await shop.business.wallet() == LEFT
    assert await shop.business.balances() == {"provider:paystack": -30_000, "wallet": 30_000}
    said = (await news(shop))[-1]
    assert isinstance(said, RefundMade)
    assert (said.provider, str(said.amount), said.receipt) == ("paystack", "200.00", made["id"])
    assert (await shop.business.row(payments, paying.started.payment_id)).status == "partially_refunded"
    assert await shop.business.jobs(one.attempt) == {}


async def test_the_whole_in_two_parts_and_no_more(shop, paying):
    await stands(shop, await refund(shop, paying))
    await stands(shop, await refund(shop, paying, None))
    assert await shop.business.wallet() == ("0.00", "0.00", "0.00")
    assert (await shop.business.row(payments, paying.started.payment_id)).status == "refunded"
    assert {each["amount"] for each in await at_paystack(shop)} == {200_00, 300_00}


@pytest.mark.parametrize("fault", ["500_after", "drop", "callback_first"])
@pytest.mark.parametrize("events", ["lost", "late", "twice"])
async def test_one_whose_answer_is_lost_is_found_by_our_note_and_made_once(shop, paying, fault, events):
    await shop.arm("paystack.refund", fault)
    await shop.arm("paystack.webhook", events, times=3, seconds=0.1)
    one = await refund(shop, paying)
    for _ in range(5):
        await shop.later(minutes=1)
    await stands(shop, one)
    assert len(await at_paystack(shop)) == 1
    assert await shop.business.wallet() == LEFT
    assert len(await told(shop, RefundMade, "customer")) == 1
    assert "payment.reversal_unmatched" not in await shop.business.alerts()


async def test_one_that_never_reached_them_is_never_sent_again(shop, paying):
    await shop.arm("paystack.refund", "500")
    one = await refund(shop, paying)
    for _ in range(9):
        await shop.later(hours=7)
    assert await at_paystack(shop) == []
    assert await status(shop, one) == "processing"
    assert (await shop.business.row(refund_attempts, one.attempt)).undecided_at is not None
    assert [each.undecided for each in await told(shop, RefundTold)][-1]


async def test_what_was_turned_away_is_sent_again(shop, paying):
    await shop.arm("paystack.refund", "spike")
    one = await refund(shop, paying)
    await shop.later(minutes=1)
    await stands(shop, one)
    assert len(await at_paystack(shop)) == 1


async def test_an_account_that_is_short_ends_it_and_frees_what_was_held(shop, paying):
    await shop.arm("paystack.refund", "no_funds")
    one = await refund(shop, paying)
    assert await status(shop, one) == "failed"
    assert (await told(shop, RefundTold))[-1].because == Unrefunded.FUNDS
    assert await shop.business.wallet() == ALL


async def test_banks_may_take_two_weeks_before_anybody_is_told_to_look(shop, paying):
    await shop.arm("paystack.refunded", "hang")
    one = await refund(shop, paying)
    for _ in range(13):
        await shop.later(days=1)
    assert not any(each.undecided for each in await told(shop, RefundTold))
    for _ in range(4):
        await shop.later(hours=12)
    assert [each.undecided for each in await told(shop, RefundTold)][-1]
    await decided(shop, "processed")
    await stands(shop, one)


async def test_one_that_fails_frees_what_was_held(shop, paying):
    await shop.arm("paystack.refunded", "failed")
    one = await refund(shop, paying)
    await stands(shop, one, "failed")
    assert await shop.business.wallet() == ALL


async def test_one_that_waits_for_the_shop_is_told_once_and_goes_on(shop, paying):
    await shop.arm("paystack.refunded", "needs_attention")
    one = await refund(shop, paying)
    await until(lambda: _waits(shop))
    await shop.later(minutes=1)
    await shop.later(hours=7)
    assert [each.because for each in await told(shop, RefundTold)].count(Unrefunded.ATTENTION) == 1
    assert await status(shop, one) == "processing"
    assert await shop.business.wallet() == ("500.00", "200.00", "300.00")
    await decided(shop, "processed")
    await stands(shop, one)
    assert await shop.business.wallet() == LEFT


async def _waits(market):
    await market.work()
    return any(each.because == Unrefunded.ATTENTION for each in await told(market, RefundTold))


@pytest.mark.parametrize("fault", [None, "lost", "twice"])
async def test_one_that_fails_after_it_was_made_is_put_right(shop, paying, fault):
    one = await refund(shop, paying)
    await stands(shop, one)
    if fault:
        await shop.arm("paystack.webhook", fault)
    await decided(shop, "failed")
    if fault == "lost":  # somebody has it asked
        async with shop.business.work() as work:
            await still_paid.ask(work, shop.business.manager, paying.started.payment_id)
    await stands(shop, one, "failed")
    await shop.later(minutes=5)
    assert await shop.business.wallet() == ALL
    assert await shop.business.balances() == {"provider:paystack": -50_000, "wallet": 50_000}
    assert (await shop.business.row(payments, paying.started.payment_id)).status == "succeeded"
    assert len(await told(shop, RefundUndone, "customer")) == 1
    again = await refund(shop, paying)
    await stands(shop, again)
    assert await shop.business.wallet() == LEFT


async def test_what_others_give_back_there_is_taken_back_once(shop, paying):
    await shop.arm("paystack.webhook", "twice")
    await by_others(shop, paying, 100)
    await until(lambda: _wallet(shop, "400.00"))
    assert await told(shop, MoneyTakenBack)
    await stands(shop, await refund(shop, paying))
    await shop.later(minutes=5)
    assert await shop.business.wallet() == ("200.00", "0.00", "200.00")


async def test_one_of_theirs_of_the_same_amount_is_not_taken_for_ours(shop, paying):
    await shop.arm("paystack.refunded", "hang")
    one = await refund(shop, paying)
    await by_others(shop, paying, 200)
    await until(lambda: _wallet(shop, "300.00"))
    assert await status(shop, one) == "processing"
    await decided(shop, "processed")
    await stands(shop, one)
    assert await shop.business.wallet() == ("100.00", "0.00", "100.00")


async def test_while_nobody_knows_which_of_them_is_ours_none_is_booked(shop, paying):
    await shop.arm("paystack.refund", "500")
    one = await refund(shop, paying)
    await by_others(shop, paying, 200)
    await until(lambda: _alerted(shop, "payment.reversal_unmatched"))
    assert await shop.business.wallet() == ("500.00", "200.00", "300.00")
    assert await status(shop, one) == "processing"
    await settled_as_not_made(shop, one)
    await shop.work()
    assert await shop.business.wallet() == ("300.00", "0.00", "300.00")


async def settled_as_not_made(market, one):
    """By two people, since Paystack has no word of ours."""
    for _ in range(9):
        await market.later(hours=7)
    one_id = new_id()
    async with market.business.work() as work:
        said = await settling.propose(
            work,
            market.business.manager,
            one_id,
            one.attempt,
            "not_paid",
            "dashboard",
            "not in the dashboard",
        )
    async with market.business.work() as work:
        await settling.approve(work, market.business.owner, one_id, said.digest)


async def test_a_question_that_is_lost_is_asked_again(shop, paying):
    await shop.arm("paystack.list", "500")
    await by_others(shop, paying, 100)
    await until(lambda: _asked(shop, paying))
    assert await shop.business.wallet() == ALL
    assert await shop.business.jobs(paying.attempt) == {"payment_check": timedelta(minutes=1)}
    await shop.later(minutes=1)
    assert await shop.business.wallet() == ("400.00", "0.00", "400.00")
    assert await shop.business.jobs(paying.attempt) == {}


async def _asked(market, paying):
    await market.work()
    return "payment_check" in await market.business.jobs(paying.attempt)


async def test_a_dispute_that_is_lost_is_taken_back_once_though_it_is_a_refund_too(shop, paying):
    about = {"slug": shop.business.slug, "reference": str(paying.attempt)}
    await shop.act("paystack/disputes", **about, amount=150_00)
    await until(lambda: _heard(shop, PaymentDisputed))
    assert await shop.business.wallet() == ALL
    async with shop._outside.get(f"{shop.daraja_url}/control/paystack") as answer:
        (payment,) = (await answer.json())["payments"]
    await shop.act(f"paystack/disputes/{payment['dispute']['id']}", status="lost")
    await until(lambda: _wallet(shop, "350.00"))
    await shop.later(minutes=5)
    assert await shop.business.wallet() == ("350.00", "0.00", "350.00")
    assert len(await told(shop, MoneyTakenBack)) == 1
    assert "payment.dispute_lost" in await shop.business.alerts()


async def test_a_forged_event_moves_nothing(shop, paying):
    body = (
        b'{"event": "refund.processed", "data": {"transaction_reference": "%s", "amount": 20000, '
        b'"currency": "KES", "refund_reference": "TRF_1"}}' % str(paying.attempt).encode()
    )
    url = f"{shop.app_url}/hooks/paystack/{shop.business.slug}"
    async with shop._outside.post(url, data=body, headers={"x-paystack-signature": "00" * 64}) as answer:
        assert answer.status == 401
    await shop.later(minutes=5)
    assert await shop.business.wallet() == ALL


async def _wallet(market, posted):
    await market.work()
    return (await market.business.wallet())[0] == posted


async def _alerted(market, action):
    await market.work()
    return action in await market.business.alerts()


async def _heard(market, kind):
    await market.work()
    return await told(market, kind)
