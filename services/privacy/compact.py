"""Compact: what was removed from a file of SQLite is written over. Its pages are free and unchanged until
then, and the log beside it holds older versions of them.

PostgreSQL does so by itself, in its own time (autovacuum).
"""

import sqlite3

from services.store.database import Database


async def compact(database: Database) -> bool:
    """Whether it was done; False on PostgreSQL, and while somebody else writes for long."""
    if database.is_postgres:
        return False
    async with database.driver() as driver:
        try:
            await driver.execute("VACUUM")
            cursor = await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, _, _ = await cursor.fetchone()
        except sqlite3.OperationalError:
            return False
    return not busy
