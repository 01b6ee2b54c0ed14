"""How often: counted in windows of the clock, for all processes together where there is a Redis."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from bot import rate as rates
from bot.guesses import Guesses
from bot.rate import Limit, Rate

NOON = datetime(2026, 11, 24, 12, 0, 15, tzinfo=UTC)


def redis_at(url):
    from redis.asyncio import Redis

    return Redis.from_url(url, socket_connect_timeout=1)


async def let_through(rate, times, limit):
    told = [await rate.over(limit) for _ in range(times)]
    assert set(told) <= {None, 45}
    return told.count(None)


async def test_the_next_minute_begins_anew_and_each_name_counts_by_itself():
    times = [NOON]
    rate = Rate(lambda: times[0])
    assert await let_through(rate, 5, Limit("one", 3)) == 3
    assert await let_through(rate, 5, Limit("two", 3)) == 3
    times[0] = NOON.replace(minute=1)
    assert await let_through(rate, 5, Limit("one", 3)) == 3


async def test_a_longer_window_is_not_begun_anew_by_a_shorter_one():
    times = [NOON]
    rate = Rate(lambda: times[0])
    assert await rate.over(Limit("one", 1, 600)) is None
    times[0] = NOON.replace(minute=1)
    assert await rate.over(Limit("one", 1)) is None
    assert await rate.over(Limit("one", 1, 600)) == 600 - 75


async def test_whoever_makes_up_names_takes_no_more_room(monkeypatch):
    monkeypatch.setattr(rates, "_MOST_NAMES", 100)
    rate = Rate(lambda: NOON)
    for number in range(1000):
        await rate.over(Limit("wrong:busy", 900))  # is counted on beside them
        await rate.over(Limit(f"wrong:made up {number}", 1))
    assert len(rate._windows["wrong", 60].counted) == 100
    assert await rate.over(Limit("wrong:busy", 900)) == 45


async def test_names_that_are_made_up_push_out_none_of_another_kind(monkeypatch):
    monkeypatch.setattr(rates, "_MOST_NAMES", 10)
    rate = Rate(lambda: NOON)
    assert await let_through(rate, 3, Limit("key:mine", 2)) == 2
    for number in range(100):
        await rate.over(Limit(f"wrong:{number}", 1))
    assert await rate.over(Limit("key:mine", 2)) == 45


@pytest.mark.redis
async def test_redis_counts_for_all_processes(redis_url):
    now = datetime.now(UTC).replace(second=15)
    one, two = (Rate(lambda: now, redis_at(redis_url)) for _ in range(2))
    limit = Limit(f"lipa_{now.timestamp()}", 6)
    try:
        assert await let_through(one, 4, limit) + await let_through(two, 4, limit) == 6
    finally:
        await one.aclose()
        await two.aclose()


@pytest.mark.redis
async def test_up_to_a_share_redis_is_not_asked_and_then_told_all_of_it(redis_url):
    now = datetime.now(UTC).replace(second=15)
    redis = redis_at(redis_url)
    one, two = Rate(lambda: now, redis), Rate(lambda: now, redis_at(redis_url))
    name = f"share {now.timestamp()}"
    limit = Limit(name, 6, alone=2)
    try:
        assert await let_through(one, 2, limit) == 2
        assert await redis.get(f"lipachat:rate:{name}:60:{int(now.timestamp()) // 60}") is None
        assert await let_through(one, 2, limit) == 2
        assert await let_through(two, 6, limit) == 2  # with these it is six
    finally:
        await one.aclose()
        await two.aclose()


async def test_without_its_redis_each_process_counts_its_own():
    rate = Rate(lambda: NOON, redis_at("redis://127.0.0.1:1"))
    try:
        assert await let_through(rate, 5, Limit("one", 3)) == 3
    finally:
        await rate.aclose()


# --- wrong keys and tokens


async def test_wrong_ones_are_slowed_by_where_they_come_from():
    guesses = Guesses(Rate(lambda: NOON), 2, pause_seconds=0.05)
    assert [await guesses.wrong("key", "10.0.0.1") for _ in range(2)] == [None, None]
    began = time.monotonic()
    assert await guesses.wrong("key", "10.0.0.1") == 45
    assert time.monotonic() - began >= 0.05
    assert await guesses.wrong("key", "10.0.0.2") is None
    assert await guesses.wrong("token", "10.0.0.1") is None


async def test_one_subscriber_of_ipv6_is_one_address():
    guesses = Guesses(Rate(lambda: NOON), 1, pause_seconds=0)
    assert await guesses.wrong("key", "2001:db8:1:2::1") is None
    assert await guesses.wrong("key", "2001:db8:1:2:ffff::9") == 45
    assert await guesses.wrong("key", "2001:db8:1:3::1") is None
    assert await guesses.wrong("key", None) is None


async def test_only_some_wait_at_once():
    guesses = Guesses(Rate(lambda: NOON), 1, pause_seconds=0.2)
    began = time.monotonic()
    await asyncio.gather(*(guesses.wrong("key", "10.0.0.1") for _ in range(1000)))
    assert guesses._waiting == 0
    assert time.monotonic() - began < 1
