"""The database: transactions, on the engines of PostgreSQL or SQLite.

Only the edge (a turn, a request, a job, a command) opens a transaction; services are handed its
connection and never commit. `in_transaction` lets the HTTP client assert that no network call is made
inside one.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util import greenlet_spawn

from services.store import ending, engines, guard
from services.store.begun import Beginning, OfPostgres, OfSqlite, started
from services.store.scope import AUDITOR, OWNER, PLATFORM, Scope, checked, driver_of

in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)

_OF_THE_PLATFORM = 6
_OF_THE_OWNER = 4


class Database:
    """Opens transactions. On SQLite one at a time, each begun as a writer."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url: URL = make_url(url)
        self.is_postgres = self.url.get_backend_name() == "postgresql"
        if self.is_postgres:
            self._engine = engines.postgres(self.url, pool_size, "app", **engines.BY_INDEX)
            # Apart from the tenants': whoever changes its role has its statements planned anew.
            self._platform = engines.postgres(self.url, _OF_THE_PLATFORM, "platform", **engines.BY_INDEX)
            self._single = engines.postgres(self.url, 4, "platform", "AUTOCOMMIT", **engines.BY_INDEX)
            self._noting = engines.postgres(self.url, 2, "platform", "AUTOCOMMIT", synchronous_commit="off")
            self._reader = engines.postgres(self.url, 4, "app", "AUTOCOMMIT")
            self._still = engines.postgres(self.url, 2, "auditor", "REPEATABLE READ", **engines.READ_ONLY)
            self._owner = engines.postgres(self.url, 2 * _OF_THE_OWNER, None)
            sizes = {self._engine: pool_size, self._platform: _OF_THE_PLATFORM, self._owner: _OF_THE_OWNER}
            self._beginning: dict[AsyncEngine, Beginning] = {
                engine: OfPostgres(engine, most) for engine, most in sizes.items()
            }
        else:
            self._engine = engines.sqlite(self.url, pool_size=1, writing=True)
            self._platform = self._single = self._noting = self._owner = self._engine
            self._reader = engines.sqlite(self.url, pool_size=4, writing=False)
            self._still = engines.sqlite(self.url, pool_size=2, writing=False, aside=True)
            self._beginning = {self._engine: OfSqlite(self._engine)}
        self._snapshots = engines.of_snapshots(self._reader) if self.is_postgres else self._reader
        for engine in self._engines:
            guard.watch(engine)
        for engine in self._beginning:
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
        beginning = self._beginning[self._engine_of(checked(whose))]
        begun = await beginning.begin(whose)
        token = in_transaction.set(True)
        try:
            with ending.begun(begun.connection):
                yield begun.connection
                await ending.end(begun.connection)
            await beginning.commit(begun)
        except BaseException:
            await beginning.give_up(begun)
            raise
        finally:
            begun.driver.leave()
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
        async with _standing(self._snapshots, whose, as_of_now=True) as connection:
            token = in_transaction.set(True)
            try:
                yield connection
            finally:
                in_transaction.reset(token)

    @asynccontextmanager
    async def long_snapshot(self) -> AsyncIterator[AsyncConnection]:
        """For long reads of all tenants that must agree with each other: a snapshot too, two at a time, so
        that what is proven every minute does not wait for what is proven every night; and on SQLite in a
        thread of its own, so that turns go on beside it."""
        async with _standing(self._still, AUDITOR, as_of_now=True) as connection:
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
        for beginning in self._beginning.values():
            await beginning.close()
        for engine in self._engines:
            await engine.dispose()


@asynccontextmanager
async def _standing(
    engine: AsyncEngine, whose: Scope, *, as_of_now: bool = False
) -> AsyncIterator[AsyncConnection]:
    whose = checked(whose)
    async with engine.connect() as connection:
        driver = driver_of(connection)
        try:
            await driver.stand_for(whose)
            if as_of_now:
                await started(connection)
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
