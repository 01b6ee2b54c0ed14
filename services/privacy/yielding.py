"""Yielding: an erasure gives way to whoever is at work with the same rows. It waits for a lock less long than
PostgreSQL takes to look for those who wait for each other in a ring: so nobody else is broken off for it."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.store.hot import is_postgres

_LOCKED, _IN_A_RING = "55P03", "40P01"
_WAIT_MS = 400  # less than deadlock_timeout, which is a second where nobody has set it


async def give_way(connection: AsyncConnection) -> None:
    """In this transaction; SQLite has one writer."""
    if is_postgres(connection):
        await connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_WAIT_MS}")


def gave_way(error: DBAPIError) -> bool:
    """Whether it is to be tried again a little later."""
    return getattr(error.orig, "sqlstate", None) in (_LOCKED, _IN_A_RING)
