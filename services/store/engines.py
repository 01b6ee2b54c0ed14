"""Engines: how the databases are connected to."""

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from services.store.connections import Aside, OnTheLoop, ToPostgres
from services.store.roles import role

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
    # what `BY_INDEX` forbids looks dear enough to be compiled.
    "jit": "off",
}
# What happens in a transaction, and what is asked with every message and request, touches a few rows and
# walks to them by an index. Statistics lag behind a burst of work, and planned by them each claim would read
# and sort all that waits. Such a plan is good whatever the tables hold, so each is made once.
BY_INDEX = {
    **dict.fromkeys(("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_bitmapscan"), "off"),
    "plan_cache_mode": "force_generic_plan",
}

# What reads whole tables, beside everything else.
READ_ONLY = {"default_transaction_read_only": "on", "statement_timeout": "10min"}
_LONG_SECONDS = 610


def postgres(
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


def of_snapshots(engine: AsyncEngine) -> AsyncEngine:
    """The same connections, for reads that must agree with each other."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def sqlite(url: URL, *, pool_size: int, writing: bool, aside: bool = False) -> AsyncEngine:
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
