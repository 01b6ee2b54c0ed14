"""The database: transactions, on the engines of PostgreSQL or SQLite.

Only the edge (a turn, a request, a job, a command) opens a transaction; services are handed its
connection and never commit. `in_transaction` lets the HTTP client assert that no network call is made
inside one.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util import greenlet_spawn

from services.store import ending, engines, guard
from services.store.scope import AUDITOR, OWNER, PLATFORM, Scope, checked, driver_of

in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)

_OF_THE_PLATFORM = 6


class Database:
    """Opens transactions. On SQLite one at a time, each begun as a writer."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url: URL = make_url(url)
        self.is_postgres = self.url.get_backend_name() == "postgresql"
        if self.is_postgres:
            self._engine = engines.postgres(self.url, pool_size, "app", **engines.BY_INDEX)
            # Apart from the tenants': whoever changes its role has its statements planned anew.
            self._platform = engines.postgres(self.url, _OF_THE_PLATFORM, "platform", **engines.BY_INDEX)
            self._single = engines.postgres(self.url, 4, "platform", "AUTOCOMMIT")
            self._noting = engines.postgres(self.url, 2, "platform", "AUTOCOMMIT", synchronous_commit="off")
            self._reader = engines.postgres(self.url, 4, "app", "AUTOCOMMIT")
            self._still = engines.postgres(self.url, 1, "auditor", "REPEATABLE READ", **engines.READ_ONLY)
            self._owner = engines.postgres(self.url, 4, None)
        else:
            self._engine = engines.sqlite(self.url, pool_size=1, writing=True)
            self._platform = self._single = self._noting = self._owner = self._engine
            self._reader = engines.sqlite(self.url, pool_size=4, writing=False)
            self._still = engines.sqlite(self.url, pool_size=1, writing=False, aside=True)
        for engine in self._engines:
            guard.watch(engine)
        for engine in {self._engine, self._platform, self._owner}:
            ending.follow_savepoints(engine)

    @property
    def _engines(self) -> set[AsyncEngine]:
        every = (self._engine, self._platform, self._single, self._noting, self._reader, self._still)
        return {*every, self._owner}

    @property
    def engine(self) -> AsyncEngine:
        """Of the tenants' transactions."""
        return self._engine

    def _engine_of(self, whose: Scope) -> AsyncEngine:
        if isinstance(whose, UUID):
            return self._engine
        return self._owner if whose is OWNER else self._platform

    @asynccontextmanager
    async def transaction(self, whose: Scope) -> AsyncIterator[AsyncConnection]:
        """Commits at the end, rolls back on any exception. `whose` rows it is for: a tenant's id, or PLATFORM
        (see services/store/scope.py)."""
        whose = checked(whose)
        async with _begun(self._engine_of(whose)) as connection:
            token = in_transaction.set(True)
            driver = driver_of(connection)
            try:
                await driver.turn_to(whose)
                with ending.begun(connection):
                    yield connection
                    await ending.end(connection)
            finally:
                driver.leave()
                in_transaction.reset(token)

    @asynccontextmanager
    async def reading(self, whose: Scope) -> AsyncIterator[AsyncConnection]:
        """For reads outside any turn; on SQLite beside the writer."""
        of_platform = self.is_postgres and checked(whose) is PLATFORM
        async with _standing(self._single if of_platform else self._reader, whose) as connection:
            yield connection

    @asynccontextmanager
    async def snapshot(self, whose: Scope) -> AsyncIterator[AsyncConnection]:
        """For many reads that must agree with each other: what is committed meanwhile is not seen. For short
        work only, and never while somebody else is waited for."""
        async with _standing(self._reader, whose) as connection:
            if self.is_postgres:
                await connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            token = in_transaction.set(True)
            try:
                yield connection
            finally:
                in_transaction.reset(token)

    @asynccontextmanager
    async def long_snapshot(self) -> AsyncIterator[AsyncConnection]:
        """For long reads of all tenants that must agree with each other: a snapshot too, one at a time, and
        on SQLite in a thread of its own, so that turns go on beside it."""
        async with _standing(self._still, AUDITOR) as connection:
            yield connection

    @asynccontextmanager
    async def owning(self) -> AsyncIterator[AsyncConnection]:
        """As who has logged in and owns the tables: for migrations. Commits nothing by itself."""
        async with _standing(self._owner, OWNER) as connection:
            yield connection

    def driver(self) -> AbstractAsyncContextManager[Any]:
        """The driver's own connection (asyncpg's, or aiosqlite's as the one writer), outside any transaction
        and for the platform: for what comes with every message, where SQLAlchemy would cost more than the
        database."""
        return _borrowed(self._single)

    def noting(self) -> AbstractAsyncContextManager[Any]:
        """The same for what must outlive this process, but not the machine: no waiting for the disk."""
        return _borrowed(self._noting)

    async def close(self) -> None:
        for engine in self._engines:
            await engine.dispose()


@asynccontextmanager
async def _begun(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """As AsyncEngine.begin(), in two hops to SQLAlchemy instead of five: one costs as much as a statement."""

    def begin() -> sa.Connection:
        connection = engine.sync_engine.connect()
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        return connection

    def commit() -> None:
        begun.commit()
        begun.close()

    begun = await greenlet_spawn(begin)
    connection = AsyncConnection(engine, begun)
    driver = driver_of(connection)  # of one that is lost it cannot be asked
    try:
        yield connection
        await greenlet_spawn(commit)
    except BaseException:
        if driver.is_closed() and not begun.invalidated:
            await connection.invalidate()  # found out past SQLAlchemy, which would keep it
        await asyncio.shield(asyncio.ensure_future(connection.close()))  # by whoever is cancelled too
        raise


@asynccontextmanager
async def _standing(engine: AsyncEngine, whose: Scope) -> AsyncIterator[AsyncConnection]:
    whose = checked(whose)
    async with engine.connect() as connection:
        driver = driver_of(connection)
        try:
            await driver.stand_for(whose)
        except BaseException:
            await connection.invalidate()  # said past SQLAlchemy, which would keep a lost one
            raise
        try:
            yield connection
        finally:
            driver.leave()


@asynccontextmanager
async def _borrowed(engine: AsyncEngine) -> AsyncIterator[Any]:
    borrowed = await greenlet_spawn(engine.sync_engine.raw_connection)
    driver: Any = borrowed.driver_connection
    driver.scope = PLATFORM
    try:
        yield driver
    except BaseException:
        await greenlet_spawn(borrowed.invalidate)  # whatever state it is in
        raise
    finally:
        driver.leave()
        await greenlet_spawn(borrowed.close)


def padded(values: Collection[Any]) -> list[Any]:
    """Filled up to a power of two with its last value, so that an IN prepares few statements."""
    listed = list(values)
    size = 1 << (len(listed) - 1).bit_length() if listed else 0
    return listed + listed[-1:] * (size - len(listed))
