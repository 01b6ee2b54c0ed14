"""Scope: whose rows a transaction is for.

Nearly all work is for one tenant, and its scope is the tenant's id. The others are named here, so that
whoever reads a call sees what it may touch (`services/store/grants.py`). A connection of the driver knows its
scope; each statement is held against it in code (`services/store/guard.py`), and on PostgreSQL by the
database itself (`services/store/roles.py`).
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection


class Wide(Enum):
    """Rows of more than one tenant."""

    PLATFORM = "platform"  # what came in, goes out and is due, and what finds a tenant
    AUDITOR = "auditor"  # reads everything and writes nothing
    OWNER = "owner"  # whom the tables belong to: migrations, and tests that look behind what they test


PLATFORM, AUDITOR, OWNER = Wide

Scope = UUID | Wide


def checked(scope: object) -> Scope:
    """Raises TypeError."""
    if isinstance(scope, UUID | Wide):
        return scope
    raise TypeError(
        f"whose rows? A tenant's id, PLATFORM or AUDITOR (see services/store/scope.py): {scope!r}"
    )


def scope_of(tenants: Iterable[UUID]) -> Scope:
    """The one tenant's, else the installation's."""
    named = set(tenants)
    return named.pop() if len(named) == 1 else PLATFORM


def driver_of(connection: Any) -> Any:
    """The driver's connection, which knows its scope: `scope`."""
    if isinstance(connection, AsyncConnection):
        return connection.sync_connection.connection.driver_connection  # type: ignore[union-attr]
    return connection


def tenant_of(connection: Any) -> UUID | None:
    """Whose alone the transaction is; None where it is over several."""
    scope = driver_of(connection).scope
    return scope if isinstance(scope, UUID) else None


@asynccontextmanager
async def within(connection: AsyncConnection, whose: Scope) -> AsyncIterator[None]:
    """A part of a transaction that is for somebody else than the rest: one tenant's in one over several. On
    PostgreSQL that takes a round trip more, and another one back. Raises RuntimeError where it is another
    tenant's in one that is a tenant's."""
    driver = driver_of(connection)
    before = driver.scope
    if before == checked(whose):
        yield
        return
    if isinstance(before, UUID) and isinstance(whose, UUID):
        raise RuntimeError(f"the transaction is for {before}, not for {whose}")  # noqa: TRY004  a bug
    await driver.turn_to(whose)
    try:
        yield
    except BaseException:
        await driver.turn_back(before)
        raise
    await driver.turn_to(before)
