"""Reminders of unpaid orders: two at most, by day, while WhatsApp lets us write, and never amid a payment."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import errors
from services.money import Money
from services.news import Unpaid
from services.news.requests import PaymentReminder
from services.payments import reminders
from services.people import preferences
from services.providers.base import Failed, Succeeded
from services.shop import orders as shop
from services.shop.facts import Priced
from services.store.schema import conversations, orders
from tests.services.business import NEW_WAY, kes
from tests.services.test_closed_requests import take_back
from tests.services.test_payment_requests import ask, decline

HOUR = timedelta(hours=1)
CHAIRS = [Priced(name="Chair", price=Money(250_00, "KES"), quantity=2)]


async def ordered(business, *, by_staff=False):
    """At noon in Nairobi, by a person who writes at that moment."""
    async with business.work() as work:
        chat = None if by_staff else business.chats[business.customer]
        order = await shop.place(work, business.customer, chat, CHAIRS)
    await wrote(business)
    return order.id


async def wrote(business, person=None):
    chat = business.chats[person or business.customer]
    await business.change(conversations, conversations.c.id == chat, heard_at=business.now)


async def due(business, order_id):
    """The wait for the next one; None once no more comes."""
    return (await business.jobs(order_id)).get("remind")


async def goes_on(business, order_id, until):
    """As the clock goes, hour by hour."""
    end = business.now + until
    while (wait := await due(business, order_id)) is not None and business.now + wait <= end:
        business.now += max(wait, timedelta(0))
        async with business.work() as work:
            await reminders.remind(work, order_id)
    business.now = end


async def reminded(business):
    return [each for each in await business.news(business.customer) if isinstance(each, PaymentReminder)]


async def pay(business, order_id):
    async with business.teller(business.customer) as teller:
        standing = await teller.standing(order_id)
        started = await teller.pay(standing.checkout, NEW_WAY)
    paying = await business.paying(started, standing.checkout)
    await paying.sent()
    return paying


async def test_an_unpaid_order_is_reminded_of_after_two_hours_and_in_the_morning(business):
    order_id = await ordered(business)
    assert await due(business, order_id) == 2 * HOUR
    await goes_on(business, order_id, 2 * HOUR)
    assert await reminded(business) == [PaymentReminder(order_id=order_id)]
    assert await due(business, order_id) == 18 * HOUR
    await goes_on(business, order_id, 20 * HOUR)
    assert len(await reminded(business)) == 2
    await goes_on(business, order_id, timedelta(days=10))
    assert len(await reminded(business)) == 2
    assert await due(business, order_id) is None


async def test_nobody_is_disturbed_at_night(business):
    business.forward(hours=9)  # nine in the evening
    order_id = await ordered(business)
    await goes_on(business, order_id, 10 * HOUR)
    assert await reminded(business) == []
    await goes_on(business, order_id, HOUR)
    assert len(await reminded(business)) == 1


async def test_outside_the_window_nothing_is_sent_and_nothing_is_kept_for_later(business):
    order_id = await ordered(business)
    chat = business.chats[business.customer]
    await business.change(conversations, conversations.c.id == chat, heard_at=business.now - 23 * HOUR)
    await goes_on(business, order_id, timedelta(days=3))
    assert await reminded(business) == []
    assert await due(business, order_id) is None


async def test_who_never_wrote_is_not_reminded(business):
    asked = await ask(business)
    await goes_on(business, asked.order_id, timedelta(days=3))
    assert await reminded(business) == []


async def test_a_payment_that_is_asked_for_is_reminded_of_as_well(business):
    await wrote(business)
    asked = await ask(business)
    await goes_on(business, asked.order_id, timedelta(days=1))
    assert await reminded(business) == [PaymentReminder(order_id=asked.order_id)] * 2


async def test_an_amount_of_ones_own_and_an_order_by_the_staff_are_not(business):
    paying = await business.pay("500")
    await paying.sent()
    await paying.called(Failed(Unpaid.CANCELLED, "Request cancelled by user"))
    assert await due(business, paying.started.order_id) is None
    assert await due(business, await ordered(business, by_staff=True)) is None


async def test_who_pays_at_that_moment_is_left_in_peace_and_reminded_once_it_failed(business):
    order_id = await ordered(business)
    business.forward(hours=2)
    paying = await pay(business, order_id)
    await goes_on(business, order_id, timedelta(minutes=20))
    assert await reminded(business) == []
    await paying.called(Failed(Unpaid.CANCELLED, "Request cancelled by user"))
    await goes_on(business, order_id, timedelta(minutes=20))
    assert len(await reminded(business)) == 1


async def test_who_pays_something_else_or_writes_is_left_in_peace(business):
    order_id = await ordered(business)
    business.forward(hours=2)
    other = await business.pay("300")
    await other.sent()
    await goes_on(business, order_id, timedelta(minutes=20))
    await other.called(Succeeded("UKO9000001", kes("300")))
    await wrote(business)
    await goes_on(business, order_id, timedelta(minutes=14))
    assert await reminded(business) == []
    await goes_on(business, order_id, timedelta(minutes=20))
    assert len(await reminded(business)) == 1


async def test_what_is_paid_or_closed_is_not_reminded_of(business):
    paid = await ordered(business)
    await (await pay(business, paid)).called(Succeeded("UKO9000001", kes("500")))
    await goes_on(business, paid, timedelta(days=1))
    closed = await ordered(business)
    async with business.work() as work:
        await shop.cancel(work, closed)
    for end in (decline, take_back):
        asked = await ask(business)
        await end(business, asked)
        assert await due(business, asked.order_id) is None
    assert await due(business, closed) is None
    assert await due(business, paid) is None
    assert await reminded(business) == []


async def test_who_says_not_now_is_reminded_no_more(business):
    order_id = await ordered(business)
    async with business.teller(business.owner) as teller:
        with pytest.raises(errors.NotFound):
            await teller.remind_no_more(order_id)
    await goes_on(business, order_id, 2 * HOUR)
    async with business.teller(business.customer) as teller:
        await teller.remind_no_more(order_id)
    await goes_on(business, order_id, timedelta(days=3))
    assert len(await reminded(business)) == 1
    assert (await business.row(orders, order_id)).status == "open"


async def test_a_shop_that_is_switched_off_reminds_nobody(business):
    order_id = await ordered(business)
    await business.set(active=False)
    await goes_on(business, order_id, timedelta(days=3))
    assert await reminded(business) == []


async def test_after_an_outage_one_reminder_comes_and_not_two(business):
    order_id = await ordered(business)
    business.forward(hours=21)
    await goes_on(business, order_id, timedelta(0))
    assert len(await reminded(business)) == 1


async def test_two_workers_at_once_remind_once(business):
    order_id = await ordered(business)
    business.forward(hours=2)

    async def one():
        async with business.work() as work:
            await reminders.remind(work, order_id)

    await asyncio.gather(*(one() for _ in range(4)))
    assert len(await reminded(business)) == 1


async def test_who_pays_at_the_same_time_is_reminded_before_it_or_not_at_all(business):
    """What is told before it is dropped in the turn, which looks again."""
    order_id = await ordered(business)
    business.forward(hours=2)

    async def one():
        async with business.work() as work:
            await reminders.remind(work, order_id)

    await asyncio.gather(pay(business, order_id), one())
    async with business.teller(business.customer) as teller:
        assert (await teller.standing(order_id)).status == "awaiting_payment"
    assert await due(business, order_id) in (timedelta(minutes=15), 18 * HOUR)


ZONES = sorted(zone for zone in available_timezones() if "/" in zone)
SECONDS = st.integers(1_100_000_000, 2_140_000_000)  # from 2004 to 2037


@given(SECONDS, st.sampled_from(ZONES))
def test_the_moment_is_by_day_wherever_the_shop_is_and_whatever_its_clocks_do(seconds, name):
    moment, zone = datetime.fromtimestamp(seconds, UTC), ZoneInfo(name)
    found = reminders.daylight(moment, zone)
    assert time(8) <= found.astimezone(zone).time() < time(20)
    assert moment <= found <= moment + timedelta(hours=16)
    if time(8) <= moment.astimezone(zone).time() < time(20):
        assert found == moment


@pytest.mark.parametrize(
    ("name", "at", "found"),
    [
        ("Africa/Nairobi", "2026-11-24T16:59", "2026-11-24T16:59"),
        ("Africa/Nairobi", "2026-11-24T17:00", "2026-11-25T05:00"),
        ("Africa/Nairobi", "2026-11-24T04:59", "2026-11-24T05:00"),
        ("Europe/Berlin", "2026-03-28T22:00", "2026-03-29T06:00"),
        ("Europe/Berlin", "2026-10-24T22:00", "2026-10-25T07:00"),
    ],
)
def test_the_night_ends_at_eight_by_the_clocks_of_the_shop(name, at, found):
    moment, expected = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (at, found))
    assert reminders.daylight(moment, ZoneInfo(name)) == expected


async def test_after_stop_nobody_is_reminded_or_asked(business):
    order_id = await ordered(business)
    async with business.work() as work:
        await preferences.stop(work, business.customer, preferences.CHAT)
    await goes_on(business, order_id, timedelta(days=3))
    assert await reminded(business) == []
    assert await due(business, order_id) is None
    with pytest.raises(errors.WritesUnwanted):
        await ask(business)
