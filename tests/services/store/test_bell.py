"""The bell between processes, on a real Redis: each Bell here stands for one."""

import asyncio
import contextlib
import time

import pytest
import structlog
from redis.asyncio import Redis

from services.store.bell import Bell

pytestmark = pytest.mark.redis


@pytest.fixture
async def listener(redis_url):
    bell = Bell(Redis.from_url(redis_url))
    bell.start()
    await asyncio.sleep(0.1)  # until it has subscribed
    yield bell
    await bell.close()


async def test_a_ring_wakes_those_who_wait_in_another_process(listener, redis_url):
    other = Bell(Redis.from_url(redis_url))
    waiting = asyncio.create_task(listener.wait("turns", 5))
    other.ring("turns")
    await asyncio.wait_for(waiting, 1)
    await other.close()


async def test_others_are_not_called_while_somebody_here_keeps_up(listener, redis_url):
    ours = Bell(Redis.from_url(redis_url))
    await ours.wait("turns", 0.001)
    for _ in range(20):
        ours.ring("turns")
        await ours.wait("turns", 1)
        await asyncio.sleep(0.005)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(listener._events["turns"].wait(), 0.2)
    await ours.close()


async def test_others_are_called_once_nobody_here_has_looked_for_a_moment(listener, redis_url):
    ours = Bell(Redis.from_url(redis_url))
    await ours.wait("turns", 0.001)
    waiting = asyncio.create_task(listener.wait("turns", 5))
    ours.ring("turns")
    await asyncio.wait_for(waiting, 1)
    ours.heard("turns")  # it is back, and keeps up again
    await listener.wait("turns", 0.05)
    ours.ring("turns")
    ours.heard("turns")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(listener._events["turns"].wait(), 0.2)
    await ours.close()


async def test_what_nobody_will_look_at_any_more_is_left_to_the_others(listener, redis_url):
    ending = Bell(Redis.from_url(redis_url))
    await ending.wait("turns", 0.001)
    waiting = asyncio.create_task(listener.wait("turns", 5))
    ending.ring("turns")
    await ending.close()
    await asyncio.wait_for(waiting, 1)


async def test_a_ring_as_the_last_thing_before_the_end_arrives(listener, redis_url):
    waiting = asyncio.create_task(listener.wait("jobs", 5))
    command = Bell(Redis.from_url(redis_url))
    command.ring("jobs")
    await command.close()
    await asyncio.wait_for(waiting, 1)


async def test_a_redis_that_does_not_answer_keeps_nobody_from_ending():
    async def silent(reader, writer):
        while await reader.read(1024):
            pass
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    bell = Bell(Redis.from_url(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    bell.ring("jobs")
    started = time.monotonic()
    await bell.close()
    assert time.monotonic() - started < 3
    server.close()
    await server.wait_closed()


class Closed:
    """A Redis whose connection uvloop has closed before it is written to; `left`: how often still."""

    def __init__(self, left):
        self.left, self.heard = left, asyncio.Event()

    async def _write(self):
        self.left -= 1
        if self.left >= 0:
            raise RuntimeError(
                "unable to perform operation on <TCPTransport closed=True>; the handler is closed"
            )

    async def publish(self, *_):
        await self._write()

    @contextlib.asynccontextmanager
    async def pubsub(self):
        yield self

    async def subscribe(self, _channel):
        await self._write()
        self.heard.set()

    async def listen(self):
        await asyncio.Event().wait()
        yield

    async def aclose(self):
        pass


async def test_a_connection_that_uvloop_has_closed_is_redis_lost_and_no_end_of_listening():
    redis = Closed(left=2)
    bell = Bell(redis)
    with structlog.testing.capture_logs() as logs:
        bell.ring("turns")
        bell.start()
        await asyncio.wait_for(redis.heard.wait(), 5)
        await bell.close()
    assert [line["error"] for line in logs] == ["RuntimeError"] * 2


class Deaf(Closed):
    """A Redis that loses the first cancellation, as wait_for does where it meets the end of a write."""

    async def subscribe(self, _channel):
        self.heard.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


async def test_a_listener_that_loses_its_cancellation_keeps_nobody_from_ending():
    redis = Deaf(left=0)
    bell = Bell(redis)
    bell.start()
    await redis.heard.wait()
    done, _ = await asyncio.wait([asyncio.create_task(bell.close())], timeout=3)
    assert done, "it listens for ever"


async def test_who_closes_the_bell_while_it_connects_is_kept_by_nothing(redis_url):
    for step in range(30):
        bell = Bell(Redis.from_url(redis_url, health_check_interval=15))
        bell.start()
        await asyncio.sleep(step * 0.0001)
        done, _ = await asyncio.wait([asyncio.create_task(bell.close())], timeout=3)
        assert done, "it listens for ever"
