"""Rate: so many requests of one key in a minute of the clock. Redis counts for all processes where there is
one; without it, or while it is away, each counts its own."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from bot.api.problems import Problem

log = structlog.get_logger()

_MINUTE = 60
_REDIS_SECONDS = 0.5


class Rate:
    def __init__(self, most: int, clock: Callable[[], datetime], redis: Any = None) -> None:
        self._most, self._clock, self._redis = most, clock, redis
        self._minute = 0
        self._counted: Counter[str] = Counter()
        self._away_in = -1  # the minute in which Redis did not answer: it is left alone for the rest of it

    async def take(self, prefix: str) -> None:
        """Of the key that this prefix names. Raises Problem."""
        now = int(self._clock().timestamp())
        minute = now // _MINUTE
        if await self._count(prefix, minute) > self._most:
            wait = str(_MINUTE - now % _MINUTE)
            detail = f"A key may ask {self._most} times in a minute. Try again in {wait} seconds."
            raise Problem(
                429, "rate_limited", "Too many requests", detail=detail, headers={"Retry-After": wait}
            )

    async def aclose(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()

    async def _count(self, prefix: str, minute: int) -> int:
        """With this one."""
        if minute != self._minute:
            self._minute, self._counted = minute, Counter()
        self._counted[prefix] += 1
        here = self._counted[prefix]
        if self._redis is None or self._away_in == minute:
            return here
        return max(here, await self._count_everywhere(prefix, minute))

    async def _count_everywhere(self, prefix: str, minute: int) -> int:
        from redis.exceptions import RedisError

        name = f"lipachat:rate:{prefix}:{minute}"
        try:
            async with asyncio.timeout(_REDIS_SECONDS), self._redis.pipeline(transaction=False) as sent:
                counted, _ = await sent.incr(name).expire(name, 2 * _MINUTE).execute()
        except (RedisError, OSError, RuntimeError) as error:  # a timeout is an OSError; the last by uvloop
            log.warning("rate.redis_lost", error=type(error).__name__)
            self._away_in = minute
            return 0
        return int(counted)
