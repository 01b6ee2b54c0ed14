"""The daily summary: once a day by the shop's clocks, whoever works and whatever they do."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import summary
from services.news.staff import DaySummed
from services.providers.base import Succeeded
from tests.services.business import kes
from tests.services.test_staff_notices import switch, told, wrote

HOUR = timedelta(hours=1)


async def begin(business):
    async with business.work() as work:
        await summary.begin(work)


async def due(business):
    return business.now + (await business.jobs(business.tenant))["summary"]


async def summarize(business):
    async with business.work() as work:
        await summary.summarize(work, business.tenant)


async def evening(business, *, of=24):
    """The next time that it is due; the owner is there to read it."""
    business.now = max(business.now, await due(business))
    await wrote(business, business.owner)
    await summarize(business)


async def days(business, person=None):
    return await told(business, person or business.owner, DaySummed)


async def test_it_comes_at_eight_in_the_evening_of_the_shop(business):
    await begin(business)
    assert await due(business) == datetime(2026, 11, 24, 17, 0, 10, tzinfo=UTC)
    await business.set(summary_at="07:30", timezone="Europe/Berlin")
    await begin(business)
    assert await due(business) == datetime(2026, 11, 25, 6, 30, 10, tzinfo=UTC)


async def test_it_tells_the_sales_the_fees_and_the_withdrawals_of_its_day(business):
    await business.set(payment_fee_ppm=10_000)
    await begin(business)
    await business.paid("5000")
    await business.paid("300")
    paying_out = await business.approved("1000")
    await paying_out.sent()
    await paying_out.called(Succeeded("UKO9000001", kes("967")))
    await evening(business)
    assert await days(business) == [
        DaySummed(
            until=datetime(2026, 11, 24, 17, tzinfo=UTC),
            sales=2,
            sold=kes("5300"),
            withdrawals=1,
            paid_out=kes("967"),
            fees=kes("86"),
            available=kes("4247"),
        )
    ]


async def test_each_sale_is_in_one_summary(business):
    await begin(business)
    await business.paid("100")
    await evening(business)
    await business.paid("250")
    await evening(business)
    assert [day.sold for day in await days(business)] == [kes("100"), kes("250")]
    assert [day.sales for day in await days(business)] == [1, 1]


async def test_a_day_without_business_is_not_told(business):
    await begin(business)
    await evening(business)
    assert await days(business) == []
    assert await due(business) - business.now == 24 * HOUR


async def test_after_an_outage_the_last_day_alone_is_told(business):
    await begin(business)
    for amount in ("100", "200", "300"):
        await business.paid(amount)
        business.forward(days=1)
    business.forward(hours=7)  # and so it is four in the afternoon
    await evening(business)
    await evening(business)
    assert [day.sold for day in await days(business)] == [kes("300")]


async def test_several_workers_at_once_tell_it_once(business):
    await begin(business)
    await business.paid("100")
    business.now = await due(business)
    await wrote(business, business.owner)
    await asyncio.gather(*(summarize(business) for _ in range(4)))
    await summarize(business)
    assert len(await days(business)) == 1
    assert await due(business) - business.now == 24 * HOUR


async def test_who_does_not_want_it_or_cannot_read_it_now_is_not_told(business):
    await begin(business)
    await wrote(business, business.manager)
    await switch(business, business.manager, "summary")
    await switch(business, business.owner, "summary", on=False)
    await business.paid("100")
    business.forward(hours=24)
    await evening(business)
    assert await days(business) == []
    assert await days(business, business.manager) == []


async def test_a_shop_that_is_switched_off_is_told_nothing_and_goes_on_when_it_is_on(business):
    await begin(business)
    await business.set(active=False)
    await business.paid("100")
    await evening(business)
    await business.set(active=True)
    await business.paid("200")
    await evening(business)
    assert [day.sold for day in await days(business)] == [kes("200")]


ZONES = sorted(zone for zone in available_timezones() if "/" in zone)


@given(st.integers(1_100_000_000, 2_140_000_000), st.sampled_from(ZONES), st.times())
def test_days_follow_each_other_whatever_the_clocks_do(seconds, name, at):
    moment, hour = datetime.fromtimestamp(seconds, UTC), f"{at:%H:%M}"
    ends = summary.ends(hour, ZoneInfo(name), moment)
    assert sum(end <= moment for end in ends) >= 2
    assert sum(end > moment for end in ends) >= 1
    for before, after in pairwise(ends):
        assert timedelta(0) < after - before <= 49 * HOUR
        assert after - before >= 22 * HOUR


@pytest.mark.parametrize(
    ("at", "day", "ends"),
    [
        ("20:00", "2026-03-29", ["2026-03-28T19:00", "2026-03-29T18:00", "2026-03-30T18:00"]),
        ("20:00", "2026-10-25", ["2026-10-24T18:00", "2026-10-25T19:00", "2026-10-26T19:00"]),
        ("02:30", "2026-03-29", ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"]),
        ("02:30", "2026-10-25", ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"]),
    ],
)
def test_the_hour_is_that_of_the_clocks_when_they_change(at, day, ends):
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    known = summary.ends(at, ZoneInfo("Europe/Berlin"), noon)
    expected = [datetime.fromisoformat(each).replace(tzinfo=UTC) for each in ends]
    assert known[1:4] == expected or known[2:5] == expected
