"""Upgrade: the schema of a database, brought up to date by migrations and never by anything else."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection

from services.store.database import Database
from services.store.scope import AUDITOR

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x6C697061  # "lipa": one upgrade at a time


def config(connection: sa.Connection | None = None) -> Config:
    """Alembic's, for this connection."""
    settings = Config()
    settings.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings


async def upgrade(url: str) -> None:
    """To the newest schema. Several at once wait for each other."""
    await _with(url, lambda connection: command.upgrade(config(connection), "head"))


async def check(url: str) -> None:
    """Raises alembic's CommandError where the tables in code differ from the migrations."""
    await _with(url, lambda connection: command.check(config(connection)))


async def current(database: Database) -> str | None:
    """The revision that the database is at; None where it has no tables of ours, or is no file yet."""
    if not is_there(database):
        return None  # looking makes none
    async with database.reading(AUDITOR) as connection:
        return await connection.run_sync(lambda c: MigrationContext.configure(c).get_current_revision())


def is_there(database: Database) -> bool:
    """False for a file of SQLite that nobody has made; of a server's only a question tells."""
    path = database.url.database
    return database.is_postgres or not path or Path(path).exists()


def head() -> str:
    """The revision that this code needs."""
    newest = ScriptDirectory.from_config(config()).get_current_head()
    assert newest is not None  # noqa: S101  there is a first migration
    return newest


async def _with(url: str, act: Any) -> None:
    database = Database(url)
    try:
        async with database.engine.connect() as connection:
            await _lock(connection)
            await connection.run_sync(act)
            await connection.commit()
    finally:
        await database.close()


async def _lock(connection: AsyncConnection) -> None:
    """Held until the connection closes; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.select(sa.func.pg_advisory_lock(_LOCK)))
        await connection.commit()
