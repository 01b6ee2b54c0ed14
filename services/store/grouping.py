"""Group commit: concurrent writers share one transaction, with no timer.

Whatever is pending when the last commit ends goes into the next one. A batch that fails is tried
again one by one, so that one bad submission costs only itself; but not while the database is away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

from services.store.away import is_away

T = TypeVar("T")


class GroupCommit(Generic[T]):
    """`put` returns once its items are committed, or raises what their own write raised; so does the
    future of `submit`. `gather`: for writes that keep the event loop busy, so that waiting for whoever is
    ready to submit loses nothing, and makes one commit of two. `pace` is awaited before each commit; `most`
    items go into one, unless a single submission has more."""

    def __init__(
        self,
        write: Callable[[Sequence[T]], Awaitable[None]],
        *,
        gather: bool = False,
        pace: Callable[[], Awaitable[None]] | None = None,
        most: int = 500,
    ) -> None:
        self._write, self._gather, self._pace, self._most = write, gather, pace, most
        self._pending: list[tuple[Sequence[T], asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None

    async def put(self, items: Sequence[T]) -> None:
        await self.submit(items)

    def submit(self, items: Sequence[T]) -> "asyncio.Future[None]":
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((items, future))
        if self._flusher is None or self._flusher.done():
            # It is about all who submit, and not about the first of them.
            self._flusher = asyncio.create_task(self._flush(), context=Context())
        return future

    async def _flush(self) -> None:
        while self._pending:
            if self._pace is not None:
                await self._pace()
            if self._gather:
                await self._all_who_are_ready()
            batch, size = [], 0
            while self._pending and size < self._most:
                batch.append(self._pending.pop(0))
                size += len(batch[-1][0])
            await self._commit(batch)

    async def _all_who_are_ready(self) -> None:
        before = -1
        while len(self._pending) > before:
            before = len(self._pending)
            await asyncio.sleep(0)

    async def _commit(self, batch: list[tuple[Sequence[T], asyncio.Future[None]]]) -> None:
        try:
            await self._write([item for items, _ in batch for item in items])
        except Exception as error:  # noqa: BLE001  handed to whoever submitted it
            if len(batch) == 1 or is_away(error):
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                return
            for one in batch:
                await self._commit([one])
            return
        for _, future in batch:
            if not future.done():  # the caller may have gone
                future.set_result(None)
