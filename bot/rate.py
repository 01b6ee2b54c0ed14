"""Rate: so many of something in a window of the clock. Redis counts for all processes where there is one;
without it, or while it is away, each counts its own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

log = structlog.get_logger()

MINUTE = 60
_MOST_NAMES = 50_000  # in one window: whoever makes up more is counted no better, and takes no more room
_REDIS_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Limit:
    """`most` of what is called so, in so many seconds of the clock. What stands before the colon is its kind:
    each takes room by itself, so that names which are made up push out none of another. `alone`: up to there
    a process counts by itself, since asking Redis would cost more than it tells."""

    name: str
    most: int
    seconds: int = MINUTE
    alone: int = 0


@dataclass(slots=True)
class _Window:
    number: int
    counted: dict[str, int] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)  # how much of it Redis knows

    def count(self, name: str) -> int:
        """With this one."""
        counted = self.counted[name] = self.counted.pop(name, 0) + 1
        if len(self.counted) > _MOST_NAMES:
            oldest = next(iter(self.counted))
            del self.counted[oldest]
            self.told.pop(oldest, None)
        return counted


class Rate:
    def __init__(self, clock: Callable[[], datetime], redis: Any = None) -> None:
        self._clock, self._redis = clock, redis
        self._windows: dict[tuple[str, int], _Window] = {}
        self._away_in = -1  # the minute in which Redis did not answer: it is left alone for the rest of it

    async def over(self, limit: Limit) -> int | None:
        """Count one more: the seconds until the next window where that is too many, else None."""
        now = int(self._clock().timestamp())
        window = self._window(limit, now)
        here = window.count(limit.name)
        if limit.alone < here <= limit.most and self._redis is not None and self._away_in != now // MINUTE:
            here = max(here, await self._everywhere(limit, window, here, now))
        return None if here <= limit.most else limit.seconds - now % limit.seconds

    async def aclose(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()

    def _window(self, limit: Limit, now: int) -> _Window:
        kind, number = (limit.name.partition(":")[0], limit.seconds), now // limit.seconds
        window = self._windows.get(kind)
        if window is None or window.number != number:
            window = self._windows[kind] = _Window(number)
        return window

    async def _everywhere(self, limit: Limit, window: _Window, here: int, now: int) -> int:
        from redis.exceptions import RedisError

        name = f"lipachat:rate:{limit.name}:{limit.seconds}:{window.number}"
        news, window.told[limit.name] = here - window.told.get(limit.name, 0), here
        try:
            async with asyncio.timeout(_REDIS_SECONDS), self._redis.pipeline(transaction=False) as sent:
                counted, _ = await sent.incrby(name, news).expire(name, 2 * limit.seconds).execute()
        except (RedisError, OSError, RuntimeError) as error:  # a timeout is an OSError; the last by uvloop
            log.warning("rate.redis_lost", error=type(error).__name__)
            self._away_in = now // MINUTE
            return 0
        return int(counted)
