"""Breakers, by the rows of a real database: when one opens, who is let through, and whom it concerns."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services import breakers
from services.news import PaymentFailed, PaymentOpen, Unpaid
from services.payments import collect, waiting
from services.providers.base import (
    Accepted,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Succeeded,
    Unknown,
)
from services.store.schema import attempts, payouts
from services.store.schema import breakers as table
from services.store.schema import jobs as due
from services.store.scope import PLATFORM
from tests.services.business import Business

MPESA = ("mpesa", "prompt")


async def hear(business, *outcomes, of=MPESA):
    for outcome in outcomes:
        async with business.work() as work:
            await breakers.heard(work, *of, lost=outcome == "lost")


async def until(business, of=MPESA):
    async with business.work() as work:
        return await breakers.open_until(work, *of)


async def rows(business):
    async with business.work() as work:
        query = sa.select(table).where(table.c.tenant_id == work.tenant).order_by(*table.primary_key)
        return (await work.connection.execute(query)).all()


async def slow(business):
    async with business.database.reading(PLATFORM) as connection:
        return (await breakers.troubled(connection, business.now)).of(business.tenant)


@pytest.mark.parametrize(
    ("answer", "lost"),
    [
        (Unknown("TimeoutError"), True),
        (NotSent("ClientConnectorError"), True),
        (Accepted("ws_1"), False),
        (Refused(Unpaid.BUSY, "the customer's"), False),
        (Succeeded(), False),
        (Pending("not paid yet"), False),
        (Misconfigured("HTTP 401"), None),
        (Pending("HTTP 401", ours=True), None),
    ],
)
def test_what_counts_is_whether_the_provider_answered(answer, lost):
    assert breakers.lost(answer) is lost


async def test_of_an_account_that_answers_nothing_is_written(business):
    await hear(business, "answered", "answered")
    assert await rows(business) == []


async def test_five_of_the_last_ten_open_it_and_fewer_do_not(business):
    await hear(business, "lost", "lost", "lost", "lost", *["answered"] * 6)
    assert await until(business) is None
    await hear(business, *["lost"] * 4)  # the first four of ten are gone
    assert await until(business) is None
    await hear(business, "lost")
    assert await until(business) == business.now + breakers.REST


async def test_what_is_answered_again_leaves_no_row(business):
    await hear(business, "lost", *["answered"] * 10)
    assert await rows(business) == []


async def test_what_was_lost_long_ago_says_nothing(business):
    await hear(business, *["lost"] * 4)
    business.forward(minutes=6)
    await hear(business, "lost")
    assert await until(business) is None


async def test_after_its_rest_one_call_alone_goes_and_its_answer_closes_it(business):
    await hear(business, *["lost"] * 5)
    business.forward(seconds=30)
    assert await until(business) is None
    assert await until(business) == business.now + breakers.REST
    await hear(business, "answered")
    assert [await until(business), await until(business)] == [None, None]
    assert await rows(business) == []


async def test_a_call_that_is_lost_again_keeps_it_open(business):
    await hear(business, *["lost"] * 5)
    business.forward(seconds=30)
    assert await until(business) is None
    business.forward(seconds=5)
    await hear(business, "lost")
    assert await until(business) == business.now + breakers.REST


async def test_whose_call_never_came_back_is_followed_by_another_one(business):
    await hear(business, *["lost"] * 5)
    business.forward(seconds=30)
    assert await until(business) is None
    business.forward(seconds=30)
    assert await until(business) is None


async def test_of_many_at_once_one_goes(business):
    """Whichever process each of them is."""
    await hear(business, *["lost"] * 5)
    business.forward(seconds=30)
    found = await asyncio.gather(*(until(business) for _ in range(8)))
    assert found.count(None) == 1


async def test_many_that_are_lost_at_once_are_all_counted(business):
    await asyncio.gather(*(hear(business, "lost") for _ in range(5)))
    assert await until(business) is not None


async def test_each_operation_of_each_tenant_has_its_own(business):
    other = await Business(business.database, business.vault).open()
    await hear(business, *["lost"] * 5)
    assert await until(business, ("mpesa", "payout")) is None
    assert await until(other) is None
    assert await slow(business) == {"mpesa"}
    assert await slow(other) == frozenset()


async def test_payouts_that_wait_say_nothing_to_customers(business):
    await hear(business, *["lost"] * 5, of=("mpesa", "payout"))
    assert await slow(business) == frozenset()


async def test_it_is_told_of_for_as_long_as_something_was_lost_lately(business):
    await hear(business, *["lost"] * 5)
    business.forward(minutes=4)
    assert await slow(business) == {"mpesa"}
    business.forward(minutes=2)
    assert await slow(business) == frozenset()
    assert await until(business) is None


async def test_where_several_tenants_wait_and_nobody_is_paid_all_are_told(business):
    """And none but those who wait are kept from asking."""
    others = [await Business(business.database, business.vault).open() for _ in range(3)]
    for other in others[:2]:
        await hear(other, *["lost"] * 5)
    assert await slow(business) == frozenset()
    await hear(others[2], *["lost"] * 5)
    assert await slow(business) == {"mpesa"}
    assert await until(business) is None
    await business.paid("500")
    assert await slow(business) == frozenset()
    assert await slow(others[0]) == {"mpesa"}


async def test_a_prompt_is_not_sent_to_be_lost_and_the_customer_is_told_why(business):
    await hear(business, *["lost"] * 5)
    paying = await business.pay("500")
    assert not await paying.begun()
    (told,) = await business.news(business.customer)
    assert isinstance(told, PaymentFailed)
    assert told.because == Unpaid.RESTING
    assert (await business.row(attempts, paying.attempt)).state == "failed"
    assert await business.jobs(paying.attempt) == {}


async def test_a_payout_waits_and_takes_no_step_of_its_ladder(business):
    await business.paid("5000")
    paying_out = await business.approved("1000")
    await hear(business, *["lost"] * 5, of=("mpesa", "payout"))
    for _ in range(20):
        await hear(business, "lost", of=("mpesa", "payout"))
        assert not await paying_out.begun()
        assert await business.jobs(paying_out.payout) == {"payout": breakers.REST}
        business.forward(seconds=20)
    async with business.work() as work:
        query = sa.select(due.c.tries).where(due.c.tenant_id == work.tenant)
        assert await work.connection.scalar(query.where(due.c.target_id == paying_out.payout)) == 0
    business.forward(seconds=30)
    await paying_out.sent()
    assert (await business.row(payouts, paying_out.payout)).state == "pending"


async def test_a_question_about_a_payout_waits_likewise(business):
    await business.paid("5000")
    paying_out = await business.approved("1000")
    await paying_out.sent()
    await hear(business, *["lost"] * 5, of=("mpesa", "payout_check"))
    assert not await paying_out.asked()
    assert await business.jobs(paying_out.payout) == {"payout_check": breakers.REST}
    business.forward(seconds=30)
    assert await paying_out.asked()


async def test_who_asks_about_a_payment_meanwhile_is_answered(business):
    paying = await business.pay("500")
    await paying.sent()
    await hear(business, *["lost"] * 5, of=("mpesa", "check"))
    async with business.work() as work:
        await waiting.check(work, business.customer, paying.started.payment_id)
    async with business.work() as work:
        assert await collect.begin_check(work, paying.attempt) is None
    assert isinstance((await business.news(business.customer))[-1], PaymentOpen)
    assert await business.jobs(paying.attempt) == {"collect_check": breakers.REST}
    assert (await business.row(attempts, paying.attempt)).state == "pending"


async def test_they_are_counted_for_who_watches(business):
    await hear(business, *["lost"] * 5)
    async with business.database.reading(PLATFORM) as connection:
        assert await breakers.counted(connection, business.now) == {MPESA: 1}
        assert await breakers.counted(connection, business.now + timedelta(minutes=6)) == {}
