"""The database: engines for PostgreSQL and SQLite, and transactions.

Only the edge (a turn, a request, a job, a command) opens a transaction; services are handed its
connection and never commit. `in_transaction` lets the HTTP client assert that no network call is made
inside one.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosqlite
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import await_only, greenlet_spawn

from services.store import ending, guard
from services.store.connections import Aside, OnTheLoop, ToPostgres
from services.store.roles import role
from services.store.scope import AUDITOR, OWNER, PLATFORM, Scope, checked, driver_of

in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)

# A vanished host must not keep its row locks: the server asks after 10 s of silence and gives up.
_POSTGRES_SETTINGS = {
    "application_name": "lipachat",
    "statement_timeout": "20s",
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    # A plan made while the tables were empty would be kept for ever, and scan them.
    "plan_cache_mode": "force_custom_plan",
    # Statements touch a few rows: to compile one takes longer than to run it, and a plan that walks around
    # what `_BY_INDEX` forbids looks dear enough to be compiled.
    "jit": "off",
}
# What happens in a transaction touches a few rows and walks to them by an index. Statistics lag behind a
# burst of work, and planned by them each claim would read and sort all that waits. Such a plan is good
# whatever the tables hold, so each is made once.
_BY_INDEX = {
    **dict.fromkeys(("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_bitmapscan"), "off"),
    "plan_cache_mode": "force_generic_plan",
}

# What reads whole tables, beside everything else.
_READ_ONLY = {"default_transaction_read_only": "on", "statement_timeout": "10min"}
_LONG_SECONDS = 610
_OF_THE_PLATFORM = 6


class Database:
    """Opens transactions. On SQLite one at a time, each begun as a writer."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url: URL = make_url(url)
        self.is_postgres = self.url.get_backend_name() == "postgresql"
        if self.is_postgres:
            self._engine = _postgres(self.url, pool_size, "app", **_BY_INDEX)
            # Apart from the tenants': whoever changes its role has its statements planned anew.
            self._platform = _postgres(self.url, _OF_THE_PLATFORM, "platform", **_BY_INDEX)
            self._single = _postgres(self.url, 4, "platform", "AUTOCOMMIT")
            self._noting = _postgres(self.url, 2, "platform", "AUTOCOMMIT", synchronous_commit="off")
            self._reader = _postgres(self.url, 4, "app", "AUTOCOMMIT")
            self._still = _postgres(self.url, 1, "auditor", "REPEATABLE READ", **_READ_ONLY)
            self._owner = _postgres(self.url, 4, None)
        else:
            self._engine = _sqlite(self.url, pool_size=1, writing=True)
            self._platform = self._single = self._noting = self._owner = self._engine
            self._reader = _sqlite(self.url, pool_size=4, writing=False)
            self._still = _sqlite(self.url, pool_size=1, writing=False, aside=True)
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


def _postgres(
    url: URL, pool_size: int, kind: str | None, isolation_level: Any = "READ COMMITTED", **more: str
) -> AsyncEngine:
    """`kind`: of the role that it has from its beginning."""
    name = url.database or ""
    own = {} if kind is None else {"role": role(name, kind)}
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        isolation_level=isolation_level,
        hide_parameters=True,
        connect_args={
            "connection_class": type("Ours", (ToPostgres,), {"database": name, "home": kind}),
            "server_settings": _POSTGRES_SETTINGS | own | more,
            "timeout": 10,
            # Above the server's own: its host may have vanished.
            "command_timeout": _LONG_SECONDS if "statement_timeout" in more else 25,
        },
    )


def _sqlite(url: URL, *, pool_size: int, writing: bool, aside: bool = False) -> AsyncEngine:
    """The driver's own transactions are switched off: with them savepoints outlive a rollback. `aside`: in a
    thread, for what takes long."""
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)

    async def connect() -> aiosqlite.Connection:
        connector = partial(
            sqlite3.connect,
            url.database or ":memory:",
            isolation_level=None,
            check_same_thread=False,
            timeout=0,
        )
        connection = (Aside if aside else OnTheLoop)(connector, iter_chunk_size=64)
        connection._thread.daemon = True  # noqa: SLF001  as SQLAlchemy does; it only ends the process
        return await connection

    # Waiting for the single writer is queueing in the pool, first come first served.
    engine = create_async_engine(
        url,
        async_creator=connect,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=120,
        hide_parameters=True,
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-64000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        if writing:
            await_only(connection.connection.driver_connection.begin())  # type: ignore[union-attr]
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def padded(values: Collection[Any]) -> list[Any]:
    """Filled up to a power of two with its last value, so that an IN prepares few statements."""
    listed = list(values)
    size = 1 << (len(listed) - 1).bit_length() if listed else 0
    return listed + listed[-1:] * (size - len(listed))
