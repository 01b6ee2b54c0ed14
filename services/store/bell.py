"""The bell: wakes those who wait for work, in this process at once, in others by Redis.

Work stays where it came in while this process keeps up with it, since two that share it take smaller
batches: the others are called once nobody here has looked for a moment. A lost ring is harmless: every
waiter also polls.
"""

import asyncio
import contextlib
import secrets
import time
from collections import defaultdict
from contextvars import Context
from typing import Any

import structlog

log = structlog.get_logger()

_CHANNEL = "lipachat:bell"
_LAST_RING_SECONDS = 1.0
_BREATH_SECONDS = 0.004
_PATIENCE_SECONDS = 0.1
_AGAIN_SECONDS = 0.1


async def _ended(task: asyncio.Task[None]) -> None:
    """Told again until it has: Redis's client writes under wait_for, which on Python 3.11 loses a
    cancellation that meets the end of the write, so that a process told to stop as it starts never would."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_AGAIN_SECONDS)
    if not task.cancelled():
        task.result()


class Bell:
    """`ring(topic)` after a commit; `wait(topic, seconds)` returns at the ring or after the time. Whoever
    looks for work without having waited says so by `heard(topic)`."""

    def __init__(self, redis: Any = None) -> None:
        self._events: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._redis, self._name = redis, secrets.token_hex(8)
        self._waited_for: set[str] = set()  # topics that somebody here looks after
        self._rung_at: dict[str, float] = {}
        self._patience: dict[str, asyncio.TimerHandle] = {}
        self._remote: set[str] = set()
        self._flush: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._redis is not None:
            self._listener = asyncio.create_task(self._listen())

    def ring(self, topic: str) -> None:
        event = self._events[topic]
        if not event.is_set():
            self._rung_at[topic] = time.monotonic()
            event.set()
        if self._redis is None:
            return
        if topic not in self._waited_for:
            self._call(topic)
        elif topic not in self._patience:
            self._call_later(topic, _PATIENCE_SECONDS)

    async def wait(self, topic: str, seconds: float) -> None:
        self._waited_for.add(topic)
        with contextlib.suppress(TimeoutError):
            # Not wait_for, which loses a cancellation that meets the ring.
            async with asyncio.timeout(seconds):
                await self._events[topic].wait()
        self.heard(topic)

    def heard(self, topic: str) -> None:
        """Whatever has rung until now is being looked at."""
        self._events[topic].clear()

    async def close(self) -> None:
        """A ring that is on its way may still arrive: a command rings as the last thing that it does; and
        what nobody here will look at any more is left to the others."""
        for topic in list(self._patience):
            self._patience.pop(topic).cancel()
            if self._events[topic].is_set():
                self._call(topic)
        if self._flush is not None:
            await asyncio.wait([self._flush], timeout=_LAST_RING_SECONDS)
        for task in (self._listener, self._flush):
            if task is not None:
                await _ended(task)
        if self._redis is not None:
            await self._redis.aclose()

    def _call_later(self, topic: str, seconds: float) -> None:
        later = asyncio.get_running_loop().call_later(seconds, self._call_unless_heard, topic)
        self._patience[topic] = later

    def _call_unless_heard(self, topic: str) -> None:
        del self._patience[topic]
        waits = self._rung_at[topic] + _PATIENCE_SECONDS - time.monotonic()
        if not self._events[topic].is_set():
            return
        if waits > 0:  # that ring was heard, and this is a later one
            self._call_later(topic, waits)
        else:
            self._call(topic)

    def _call(self, topic: str) -> None:
        """The other processes."""
        self._remote.add(topic)
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._publish(), context=Context())

    async def _publish(self) -> None:
        """Rings that come while one is on its way, or just after, share the next message."""
        from redis.exceptions import RedisError

        while self._remote:
            topics, self._remote = self._remote, set()
            try:
                await self._redis.publish(_CHANNEL, f"{self._name} {','.join(sorted(topics))}")
            except (RedisError, OSError, RuntimeError) as error:  # the last by uvloop
                log.warning("bell.redis_lost", error=type(error).__name__)
                return
            await asyncio.sleep(_BREATH_SECONDS)

    def _hear(self, message: str) -> None:
        name, _, topics = message.partition(" ")
        if name != self._name:  # our own have rung already
            for topic in topics.split(","):
                self._events[topic].set()

    async def _listen(self) -> None:
        from redis.exceptions import RedisError

        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(_CHANNEL)
                    async for message in channel.listen():
                        if message["type"] == "message":
                            self._hear(message["data"].decode())
            except (RedisError, OSError, RuntimeError) as error:  # the last by uvloop
                log.warning("bell.redis_lost", error=type(error).__name__)
            await asyncio.sleep(1)
