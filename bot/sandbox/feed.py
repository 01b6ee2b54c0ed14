"""Feed: everything that happens in the sandbox, numbered, for pages that watch it live.

A page that lost its connection asks for what came after the last number it saw.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any

REMEMBERED = 4000
BEAT = 10.0  # seconds


class Feed:
    """Keeps the latest entries for those who come back."""

    def __init__(self, run: str) -> None:
        """`run` marks the numbers, so that those of an earlier run are known to be foreign."""
        self._run = run
        self._number = 0
        self._entries: deque[tuple[int, str, str]] = deque(maxlen=REMEMBERED)
        self._more = asyncio.Event()
        self._closed = False
        self.watchers = 0

    @property
    def cursor(self) -> str:
        """After which entry a page that loads now watches on."""
        return f"{self._run}.{self._number}"

    def tell(self, kind: str, data: Any) -> None:
        self._number += 1
        self._entries.append((self._number, kind, json.dumps(data, ensure_ascii=False)))
        self._wake()

    def close(self) -> None:
        """Ends every watcher, so that a stopping server does not wait for its pages."""
        self._closed = True
        self._wake()

    async def watch(self, after: str) -> AsyncGenerator[tuple[str, str, str]]:
        """(id, kind, JSON) of each entry after `after`; a "reset" where some of them are gone, and a "beat"
        without id when nothing happens, by which a dead connection is noticed."""
        self.watchers += 1
        try:
            seen = self._position(after)
            while not self._closed:
                if seen is None:
                    seen = self._number
                    yield self.cursor, "reset", "{}"
                more = self._more
                for number, kind, data in [entry for entry in self._entries if entry[0] > seen]:
                    yield f"{self._run}.{number}", kind, data
                    seen = number
                if seen == self._number and not await _within(more, BEAT):
                    yield "", "beat", "{}"
                seen = self._position(f"{self._run}.{seen}")
        finally:
            self.watchers -= 1

    def _position(self, after: str) -> int | None:
        run, _, number = after.rpartition(".")
        if run != self._run or not number.isdecimal():
            return None
        oldest = self._entries[0][0] if self._entries else self._number + 1
        return int(number) if oldest - 1 <= int(number) <= self._number else None

    def _wake(self) -> None:
        self._more.set()
        self._more = asyncio.Event()


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
