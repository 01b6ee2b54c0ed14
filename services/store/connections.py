"""Connections: the drivers' own, each knowing whose rows it is used for."""

import asyncio
import sqlite3
import time
from typing import Any

import aiosqlite
import asyncpg
from aiosqlite.core import _STOP_RUNNING_SENTINEL

from services.store.roles import turning
from services.store.scope import Scope

_LOCK_SECONDS = 30.0
_LOCK_LOOK_SECONDS = 0.001


class ToPostgres(asyncpg.Connection):  # type: ignore[misc]
    """asyncpg's. Where a transaction begins, it is told in the same round trip whose it is."""

    database = ""
    home: str | None = None  # the role that it has from its beginning
    scope: Scope | None = None
    _stands: Scope | None = None

    async def begin(self, whose: Scope) -> None:
        told = turning(self.database, whose, home=self.home, local=True)
        await self.execute(f"BEGIN ISOLATION LEVEL READ COMMITTED; {told}")
        self.scope = whose

    async def commit(self) -> None:
        """Raises RuntimeError where somebody has gone on after a statement that failed: a bug."""
        if await self.execute("COMMIT") != "COMMIT":
            raise RuntimeError("a statement of it had failed, and nothing was committed")

    async def rollback(self) -> None:
        await self.execute("ROLLBACK")

    async def turn_to(self, whose: Scope) -> None:
        """For the transaction that is under way."""
        await self.execute(turning(self.database, whose, local=True))
        self.scope = whose

    async def turn_back(self, whose: Scope) -> None:
        """The same after a failure: a transaction that takes no more statements need not be told."""
        try:
            await self.turn_to(whose)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            self.scope = whose

    async def stand_for(self, whose: Scope) -> None:
        """From now on, outside transactions too. Told only where it stood for another before."""
        if self._stands != whose:
            self._stands = None
            await self.execute(turning(self.database, whose, local=False))
            self._stands = whose
        self.scope = whose

    def leave(self) -> None:
        """Whoever used it has done so."""
        self.scope = None


class _ToSqlite(aiosqlite.Connection):
    scope: Scope | None = None

    async def turn_to(self, whose: Scope) -> None:
        self.scope = whose

    turn_back = stand_for = turn_to

    def is_closed(self) -> bool:
        return self._connection is None

    def leave(self) -> None:
        self.scope = None


class OnTheLoop(_ToSqlite):
    """aiosqlite without its thread: a statement takes microseconds, and a commit that many share not much
    longer, while a thread that must be woken and handed the interpreter costs more than either."""

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    async def begin(self) -> None:
        """As the one writer. Another process may be writing; the loop goes on while we wait for it."""
        end = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                self._conn.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
                await asyncio.sleep(_LOCK_LOOK_SECONDS)
            else:
                return


class Aside(_ToSqlite):
    """In a thread of its own. One that is broken off amid a statement is dropped by its pool as it is: it is
    closed where it is collected, and its thread told to end."""

    def __del__(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._tx.put_nowait((None, lambda: _STOP_RUNNING_SENTINEL))
