"""Wire: how the emulators reach the app: real HTTP on loopback, and the errands that run beside requests."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=10)


class Wire:
    """Open while the sandbox runs."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._errands: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=TIMEOUT)

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, int]:
        """(status, milliseconds) of the answer; status 0 where none came."""
        if self._session is None:
            raise RuntimeError("the wire is not open")
        began = time.monotonic()
        try:
            async with self._session.post(
                url, data=body, headers={"Content-Type": "application/json", **headers}
            ) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            status = 0
        return status, round((time.monotonic() - began) * 1000)

    async def ask(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """(status, body) of the answer; status 0 where none came."""
        if self._session is None:
            raise RuntimeError("the wire is not open")
        told = {"Content-Type": "application/json", **headers}
        try:
            async with self._session.post(url, data=body, headers=told) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0, b""

    async def get(self, url: str) -> tuple[int, bytes]:
        """The same by GET."""
        if self._session is None:
            raise RuntimeError("the wire is not open")
        try:
            async with self._session.get(url) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0, b""

    def start(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._finished)

    async def close(self) -> None:
        errands = list(self._errands)
        for task in errands:
            task.cancel()
        await asyncio.gather(*errands, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._errands.discard(task)
        if not task.cancelled() and (error := task.exception()):
            asyncio.get_running_loop().call_exception_handler(
                {"message": "an errand of the sandbox failed", "exception": error, "task": task}
            )
