"""Opening: the installation opened for one command, and a tenant named by its slug."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from bot.parts import CannotRun, Parts, parts_of, refuse_old_schema
from bot.settings import Settings
from services.people.apply import id_of
from services.store.scope import PLATFORM
from services.work import CLI, Work


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Parts]:
    """Raises CannotRun where the schema is older."""
    await refuse_old_schema(settings)
    parts = parts_of(settings)
    try:
        yield parts
    finally:
        await parts.bell.close()
        await parts.database.close()


@contextlib.asynccontextmanager
async def work_of(parts: Parts, slug: str) -> AsyncIterator[Work]:
    """A transaction of the tenant that is called so. Raises CannotRun."""
    async with parts.database.reading(PLATFORM) as connection:
        tenant_id = await known_tenant(connection, slug)
    async with parts.database.transaction(tenant_id) as connection:
        yield Work(connection, parts.vault, tenant_id, parts.clock(), CLI)


async def known_tenant(connection: Any, slug: str) -> UUID:
    tenant_id = await id_of(connection, slug)
    if tenant_id is None:
        raise CannotRun(f"No tenant is called {slug}.")
    return tenant_id


def wake(parts: Parts) -> None:
    """The workers: news wait to be told, and payouts that go on to be sent."""
    parts.bell.ring("turns")
    parts.bell.ring("jobs")
