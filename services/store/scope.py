"""Scope: whose rows a transaction is for.

Nearly all work is for one tenant, and its scope is the tenant's id. The others are named here, so that
whoever reads a call sees what it may touch.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from enum import Enum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.store.hot import driver_of


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
        f"whose rows? A tenant's id, PLATFORM or AUDITOR (services/store/scope.py), not {scope!r}"
    )


def scope_of(tenants: Iterable[UUID]) -> Scope:
    """The one tenant's, else the installation's."""
    named = set(tenants)
    return named.pop() if len(named) == 1 else PLATFORM


@asynccontextmanager
async def within(connection: AsyncConnection, tenant: UUID) -> AsyncIterator[None]:
    """A part of a transaction over several tenants that is for one of them."""
    driver = driver_of(connection)
    before = driver.scope
    driver.scope = checked(tenant)
    try:
        yield
    finally:
        driver.scope = before
