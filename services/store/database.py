"""The database: engines for PostgreSQL and SQLite, and transactions.

Only the edge (a turn, a request, a job, a command) opens a transaction; services are handed its
connection and never commit. `in_transaction` lets the HTTP client assert that no network call is made
inside one.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

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
}


class Database:
    """Opens transactions. On SQLite one at a time, each begun as a writer."""

    def __init__(self, url: str, *, pool_size: int = 12) -> None:
        self.url: URL = make_url(url)
        self.is_postgres = self.url.get_backend_name() == "postgresql"
        if self.is_postgres:
            self._engine = create_async_engine(
                self.url,
                pool_size=pool_size,
                max_overflow=0,
                connect_args={"server_settings": _POSTGRES_SETTINGS, "timeout": 10},
            )
            self._reader = self._engine
        else:
            self._engine = _sqlite(self.url, pool_size=1, begin="BEGIN IMMEDIATE")
            self._reader = _sqlite(self.url, pool_size=4, begin="BEGIN")

    @property
    def engine(self) -> AsyncEngine:
        return self._engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Commits at the end, rolls back on any exception."""
        async with self._engine.begin() as connection:
            token = in_transaction.set(True)
            try:
                yield connection
            finally:
                in_transaction.reset(token)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """For reads outside any turn; on SQLite beside the writer."""
        async with self._reader.connect() as connection:
            yield connection

    async def close(self) -> None:
        await self._engine.dispose()
        if self._reader is not self._engine:
            await self._reader.dispose()


def _sqlite(url: URL, *, pool_size: int, begin: str) -> AsyncEngine:
    """The driver's own transactions are switched off: with them savepoints outlive a rollback."""
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # Waiting for the single writer is queueing in the pool, first come first served.
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=120, connect_args={"timeout": 30}
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-32000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def padded(values: Collection[Any]) -> list[Any]:
    """Filled up to a power of two with its last value, so that an IN prepares few statements."""
    listed = list(values)
    size = 1 << (len(listed) - 1).bit_length() if listed else 0
    return listed + listed[-1:] * (size - len(listed))
