"""Upgrade: the schema of a database, brought up to date by migrations and never by anything else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection

from services.store import security
from services.store.database import Database
from services.store.scope import AUDITOR, driver_of

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x6C697061  # "lipa": one upgrade at a time


def config(connection: sa.Connection | None = None) -> Config:
    """Alembic's, for this connection."""
    settings = Config()
    settings.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings


async def upgrade(url: str, login: str | None = None) -> None:
    """To the newest schema, in which tenants are kept apart. Several at once wait for each other. `login`:
    whom the processes log in as, where that is somebody else. Raises RolesMissing."""
    database = Database(url)
    try:
        async with _alone(database) as connection:
            if database.is_postgres:
                await security.make_roles(connection, login)
            await connection.run_sync(lambda c: command.upgrade(config(c), "head"))
            await connection.commit()
            if database.is_postgres:
                await security.secure(connection)
    finally:
        await database.close()


async def check(url: str) -> None:
    """Raises alembic's CommandError where the tables in code differ from the migrations."""
    await _with(url, lambda connection: command.check(config(connection)))


async def current(database: Database) -> str | None:
    """The revision that the database is at; None where it has no tables of ours, or is no file yet."""
    if not is_there(database):
        return None  # looking makes none
    async with database.owning() as connection:
        if database.is_postgres and not await security.lacking(connection):
            await connection.commit()
            await driver_of(connection).stand_for(AUDITOR)  # who may read it, whoever has logged in
        return await connection.run_sync(lambda c: MigrationContext.configure(c).get_current_revision())


async def unsafe(database: Database, *, newer: bool = False) -> list[str]:
    """What keeps tenants apart in the database and is not there: SQL that would mend it. `newer`: the schema
    is of a later release, whose policies and grants are its own; but no table of ours may be without."""
    if not database.is_postgres:
        return []  # there the code alone does
    async with database.owning() as connection:
        if lacking := await security.lacking(connection):
            return lacking
        differing = await security.differing(connection)
    return [each for each in differing if not newer or security.opens(each)]


def is_there(database: Database) -> bool:
    """False for a file of SQLite that nobody has made; of a server's only a question tells."""
    path = database.url.database
    return database.is_postgres or not path or Path(path).exists()


def head() -> str:
    """The revision that this code needs."""
    newest = ScriptDirectory.from_config(config()).get_current_head()
    assert newest is not None  # noqa: S101  there is a first migration
    return newest


def is_newer(revision: str | None) -> bool:
    """Of a release to come, which keeps what this one needs (docs/development.md): it runs on beside it."""
    known = {each.revision for each in ScriptDirectory.from_config(config()).walk_revisions()}
    return revision is not None and revision not in known


async def _with(url: str, act: Any) -> None:
    database = Database(url)
    try:
        async with _alone(database) as connection:
            await connection.run_sync(act)
            await connection.commit()
    finally:
        await database.close()


@asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[AsyncConnection]:
    """Held until the connection closes; SQLite has one writer anyway."""
    async with database.owning() as connection:
        if database.is_postgres:
            await connection.execute(sa.select(sa.func.pg_advisory_lock(_LOCK)))
            await connection.commit()
        yield connection
