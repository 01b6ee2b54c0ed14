"""The bell: wakes those who wait for work, in this process at once, in others by Redis.

A lost ring is harmless: every waiter also polls.
"""

import asyncio
import contextlib
import secrets
from collections import defaultdict
from typing import Any

import structlog

log = structlog.get_logger()

_CHANNEL = "lipachat:bell"
_LAST_RING_SECONDS = 1.0
_BREATH_SECONDS = 0.004


class Bell:
    """`ring(topic)` after a commit; `wait(topic, seconds)` returns at the ring or after the time."""

    def __init__(self, redis: Any = None) -> None:
        self._events: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._redis, self._name = redis, secrets.token_hex(8)
        self._remote: set[str] = set()
        self._flush: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._redis is not None:
            self._listener = asyncio.create_task(self._listen())

    def ring(self, topic: str) -> None:
        self._events[topic].set()
        if self._redis is not None:
            self._remote.add(topic)
            if self._flush is None or self._flush.done():
                self._flush = asyncio.create_task(self._publish())

    async def wait(self, topic: str, seconds: float) -> None:
        event = self._events[topic]
        with contextlib.suppress(TimeoutError):
            # Not wait_for, which loses a cancellation that meets the ring.
            async with asyncio.timeout(seconds):
                await event.wait()
        event.clear()

    async def close(self) -> None:
        """A ring that is on its way may still arrive: a command rings as the last thing that it does."""
        if self._flush is not None:
            await asyncio.wait([self._flush], timeout=_LAST_RING_SECONDS)
        for task in (self._listener, self._flush):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if self._redis is not None:
            await self._redis.aclose()

    async def _publish(self) -> None:
        """Rings that come while one is on its way, or just after, share the next message."""
        from redis.exceptions import RedisError

        while self._remote:
            topics, self._remote = self._remote, set()
            try:
                await self._redis.publish(_CHANNEL, f"{self._name} {','.join(sorted(topics))}")
            except (RedisError, OSError) as error:
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
            except (RedisError, OSError) as error:
                log.warning("bell.redis_lost", error=type(error).__name__)
            await asyncio.sleep(1)
