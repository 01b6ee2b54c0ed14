"""Begun: how a transaction of SQLAlchemy's is begun, committed and given up on each database.

On PostgreSQL the driver itself begins and commits, and connections whose last transaction ended well are kept
at hand: on SQLAlchemy's way through its pool and its adapter each transaction would cost as much again as
its three round trips. SQLite's one connection goes through the pool, in which its writers queue.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util import greenlet_spawn

from services.store.scope import Scope

_PATIENCE_SECONDS = 30


@dataclass(slots=True, eq=False)
class Begun:
    """`adapter`: SQLAlchemy's, of the driver; of a connection that is lost neither can be asked for."""

    connection: AsyncConnection
    inner: sa.Connection
    adapter: Any
    driver: Any


class Beginning(Protocol):
    """Whoever began one either commits it or gives it up."""

    async def begin(self, whose: Scope) -> Begun: ...

    async def commit(self, begun: Begun) -> None: ...

    async def give_up(self, begun: Begun) -> None:
        """Rolled back, whoever is cancelled meanwhile."""

    async def close(self) -> None: ...


class OfPostgres:
    """At most `most` at once; who comes then waits, first come first served. Raises TimeoutError after half a
    minute, and what the driver raises."""

    def __init__(self, engine: AsyncEngine, most: int) -> None:
        self._engine = engine
        self._places = asyncio.Semaphore(most)
        self._at_hand: list[Begun] = []  # the last one to be used is warm, and taken first

    async def begin(self, whose: Scope) -> Begun:
        await self._take_place()
        try:
            begun = await self._taken()
        except BaseException:
            self._places.release()
            raise
        try:
            begun.inner.begin()  # its side of it, in which nothing is sent
            # By which it would roll back; before it is known to have begun, since it may be broken off there.
            begun.adapter._transaction = begun.driver  # noqa: SLF001
            await begun.driver.begin(whose)
        except BaseException:
            await self.give_up(begun)
            raise
        return begun

    async def commit(self, begun: Begun) -> None:
        await begun.driver.commit()
        begun.adapter._transaction = None  # noqa: SLF001  so that nothing is left for SQLAlchemy to send
        begun.inner.commit()
        self._at_hand.append(begun)
        self._places.release()

    async def give_up(self, begun: Begun) -> None:
        try:
            await _closed(begun)
        finally:
            self._places.release()

    async def close(self) -> None:
        while self._at_hand:
            await greenlet_spawn(self._at_hand.pop().inner.close)

    async def _take_place(self) -> None:
        if self._places.locked():
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._places.acquire()
        else:
            await self._places.acquire()

    async def _taken(self) -> Begun:
        while self._at_hand:
            begun = self._at_hand.pop()
            if not begun.driver.is_closed():
                return begun
            await _closed(begun)
        return await _opened(self._engine)


class OfSqlite:
    """The engine begins by its own event, as the writer."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def begin(self, whose: Scope) -> Begun:
        begun = await _opened(self._engine)
        try:
            await greenlet_spawn(begun.inner.begin)
            await begun.driver.turn_to(whose)
        except BaseException:
            await self.give_up(begun)
            raise
        return begun

    async def commit(self, begun: Begun) -> None:
        def commit() -> None:
            begun.inner.commit()
            begun.inner.close()

        await greenlet_spawn(commit)

    async def give_up(self, begun: Begun) -> None:
        await _closed(begun)

    async def close(self) -> None:
        """It keeps nothing."""


async def started(connection: AsyncConnection) -> None:
    """A snapshot is as of now, whoever reads in it first: on PostgreSQL SQLAlchemy would begin with a
    statement of its own, of which the driver's are none. Raises what the driver raises."""
    await connection.begin()
    if connection.dialect.name == "postgresql":
        adapter: Any = connection.sync_connection.connection.dbapi_connection  # type: ignore[union-attr]
        try:
            await adapter._start_transaction()  # noqa: SLF001
        except adapter.dbapi.Error as error:
            raise error.__cause__ or error from None


async def _opened(engine: AsyncEngine) -> Begun:
    inner = await greenlet_spawn(engine.sync_engine.connect)
    adapter: Any = inner.connection.dbapi_connection
    return Begun(AsyncConnection(engine, inner), inner, adapter, adapter.driver_connection)


async def _closed(begun: Begun) -> None:
    """Back in the pool, without what it had begun. What was found out to be lost past SQLAlchemy, which would
    keep it, is not handed on."""
    if begun.driver.is_closed() and not begun.inner.invalidated:
        await begun.connection.invalidate()
    await asyncio.shield(asyncio.ensure_future(begun.connection.close()))
