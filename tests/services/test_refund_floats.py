"""Refunds that are paid out leave the same account as withdrawals, which is asked before either."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services import callbacks
from services.money import Money
from services.news import FloatShort, Unpaid
from services.news.refunds import Unrefunded, Way
from services.providers.base import Refused, Report, Succeeded
from services.store.schema import rails, refund_attempts, refunds
from services.withdrawals import float_question
from tests.services.business import PUBLIC, kes
from tests.services.refunding import approved


@pytest.fixture
async def paying(business):
    paying = await business.paid("1000")
    await business.paid("5000")
    return paying


async def holds(business, shillings):
    """Told a moment ago."""
    funds = Money.parse(shillings, "KES").minor
    mine = rails.c.rail == "mpesa"
    asked = {"float_asked_at": business.now, "float_answered_at": business.now}
    await business.change(rails, mine, float_funds=funds, float_told_at=business.now, **asked)


async def left(business):
    async with business.behind() as work:
        query = sa.select(rails.c.float_funds).where(rails.c.rail == "mpesa")
        return Money((await work.connection.execute(query)).scalar_one(), "KES")


async def short(business, person):
    return [news for news in await business.news(person) if isinstance(news, FloatShort)]


async def state(business, one):
    return (await business.row(refund_attempts, one.attempt)).state


async def question(business, one):
    async with business.work() as work:
        return await float_question.begin_float(work, one.attempt, PUBLIC)


async def told(business, asks, shillings):
    """By callback, to the address that was asked with."""
    token = asks.callback_url.removeprefix(f"{PUBLIC}/hooks/")
    report = Report("float", frozenset(), Succeeded(), {"floats": {"mpesa": kes(shillings)}})
    async with business.work() as work:
        hook = await business.hook(token)
        assert hook.read_as == "float"
        await callbacks.apply(work, hook, report)


async def test_a_short_account_holds_it_tells_once_and_it_goes_by_itself(business, paying):
    one = await approved(business, paying, "400")
    another = await approved(business, paying, "300")
    assert one.refund.way == Way.PAYOUT
    await holds(business, "100")
    assert not await one.begun()
    assert not await another.begun()
    assert await state(business, one) == "created"
    assert await business.jobs(one.attempt) == {"refund": timedelta(minutes=3)}
    assert await business.alerts() == ["payouts.float_short"]
    (news,) = await short(business, business.owner)
    assert (news.rail, news.funds, news.needed) == ("mpesa", kes("100"), kes("400"))
    business.forward(minutes=3)
    assert not await one.begun()  # what was told is too old for one that may have waited: it is asked anew
    assert await business.jobs(one.attempt) == {
        "refund": timedelta(minutes=1),
        "float": timedelta(0),
    }
    await told(business, await question(business, one), "5000")
    assert await business.jobs(one.attempt) == {"refund": timedelta(0)}
    assert await one.begun()
    assert await another.begun()
    assert await left(business) == kes("4300")
    assert len(await short(business, business.owner)) == 1


async def test_a_refund_and_a_withdrawal_never_share_what_the_account_holds(business, paying):
    one = await approved(business, paying, "900")
    out = await business.approved("1000")
    await holds(business, "1000")
    assert await one.begun()
    assert await left(business) == kes("100")
    assert not await out.begun()
    await holds(business, "968")
    assert await out.begun()
    assert await left(business) == kes("1")


@pytest.mark.postgres
async def test_of_two_at_once_one_is_sent(business, paying):
    one = await approved(business, paying, "900")
    out = await business.approved("1000")
    await holds(business, "1000")
    assert sorted(await asyncio.gather(one.begun(), out.begun())) == [False, True]
    assert (await left(business)).minor in (100_00, 33_00)


async def test_an_account_of_which_nothing_is_heard_holds_it_for_a_minute(business, paying):
    one = await approved(business, paying, "400")
    async with business.behind() as work:  # as on the first day
        await work.connection.execute(sa.delete(rails))
    assert not await one.begun()
    asks = await question(business, one)
    assert (asks.provider, asks.method_type) == ("mpesa", "mpesa")
    business.forward(minutes=1)
    assert await one.begun()
    assert await question(business, one) is None  # it has gone
    assert await business.alerts() == []


async def test_a_question_that_is_refused_holds_nothing(business, paying):
    one = await approved(business, paying, "400")
    async with business.behind() as work:
        await work.connection.execute(sa.delete(rails))
    assert not await one.begun()
    async with business.work() as work:
        await float_question.float_answered(work, one.attempt, Refused(Unpaid.PROVIDER, "it tells no float"))
    assert await one.begun()


async def test_it_is_told_anew_once_nothing_that_may_wait_for_it_is_left(business, paying):
    one, another = await approved(business, paying, "400"), await approved(business, paying, "50")
    for shillings in ("100", "450"):
        await holds(business, shillings)
        assert await one.begun() is (shillings == "450")
        assert len(await short(business, business.owner)) == 1
    assert await another.begun()
    await holds(business, "40")
    assert not await (await approved(business, paying, "100")).begun()
    assert len(await short(business, business.owner)) == 2


async def test_what_is_held_for_a_day_has_failed_and_may_be_asked_for_again(business, paying):
    one = await approved(business, paying, "400")
    business.forward(hours=24, seconds=1)
    await holds(business, "100")
    assert not await one.begun()
    assert (await business.row(refunds, one.refund.id)).because == Unrefunded.TOO_LATE


async def test_what_the_provider_reverses_itself_asks_no_float(business, paying):
    one = await approved(business, paying)
    assert one.refund.way == Way.REVERSAL
    await holds(business, "100")
    assert await one.begun()
    assert await left(business) == kes("100")
