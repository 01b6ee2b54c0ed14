"""Pace: holds intake back while the turns or the delivery of its process are late.

Storing a message costs a tenth of what answering it does, so a flood would be stored at full speed and
answered hardly at all. While replies are late, only as many messages are taken in as are worked off;
whoever posts waits a little longer for the 200, and loses nothing.
"""

import asyncio
import contextlib
from datetime import timedelta

_LATE = timedelta(seconds=0.5)
_LONGEST_SECONDS = 0.25  # who is late and stands still holds nobody back


class Pace:
    def __init__(self) -> None:
        self._owing: dict[str, int] = {}  # by who is late: what was taken in and not worked off since
        self._even = asyncio.Event()

    def took(self, many: int) -> None:
        """These many were taken in."""
        for who in self._owing:
            self._owing[who] += many

    def worked(self, who: str, many: int = 0, waited: timedelta = timedelta(0)) -> None:
        """These many are done; the first of them had waited for so long. None, where nothing waits or
        others have it."""
        if waited > _LATE:
            self._owing[who] = max(0, self._owing.get(who, 0) - many)
        else:
            self._owing.pop(who, None)
        if not any(self._owing.values()):
            self._even.set()

    async def keep(self) -> None:
        """Before more is taken in."""
        if not any(self._owing.values()):
            return
        self._even.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_SECONDS):
                await self._even.wait()
                return
        self._owing.clear()
