"""Guesses: wrong keys and tokens, counted by the address that they come from, and slowed.

A right key is looked at first and never waits for what its neighbours behind the same address did: only who
has shown a wrong one waits. What they guess has 256 random bits; this is so that guessing is seen, and cheap
for us.
"""

import asyncio
import ipaddress

from bot import metrics
from bot.rate import Limit, Rate

_PAUSE_SECONDS = 1.0
_MOST_WAITING = 100  # at once; who comes beside them is answered without a pause, and takes no room
_IPV6_NETWORK = 64  # what one subscriber has


class Guesses:
    def __init__(self, rate: Rate, most: int, pause_seconds: float = _PAUSE_SECONDS) -> None:
        self._rate, self._most, self._pause_seconds = rate, most, pause_seconds
        self._waiting = 0

    async def wrong(self, what: str, address: str | None) -> int | None:
        """One more: where they are too many, waits a while, and tells in how many seconds to try again.
        `what`: a key, say; it is counted by itself."""
        metrics.wrong_credentials.labels(what).inc()
        seconds = await self._rate.over(Limit(f"wrong:{what}:{_network(address)}", self._most))
        if seconds is not None and self._waiting < _MOST_WAITING:
            self._waiting += 1
            try:
                await asyncio.sleep(self._pause_seconds)
            finally:
                self._waiting -= 1
        return seconds


def _network(address: str | None) -> str:
    """Whoever has an address of IPv6 has as many as they like."""
    if address is None or ":" not in address:
        return str(address)
    return str(ipaddress.ip_network((address, _IPV6_NETWORK), strict=False))
