"""Parts: what every process and every command of ours begins with, and why one may not run."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from bot.away import reason
from bot.settings import Settings
from services.people.tenants import TenantBook
from services.safety.vault import Vault
from services.store import upgrade
from services.store.bell import Bell
from services.store.database import Database

log = structlog.get_logger()


class CannotRun(Exception):
    """Why the process refuses to start, and what to do."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Parts:
    """What the web server and the worker share."""

    settings: Settings
    database: Database
    vault: Vault
    tenants: TenantBook
    bell: Bell
    clock: Callable[[], datetime]


def parts_of(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Parts:
    """Nothing is connected before it is used."""
    database, vault = Database(settings.database_url), Vault(settings.keys)
    bell = Bell(redis_of(settings.redis_url))
    return Parts(settings, database, vault, TenantBook(database, vault, clock), bell, clock)


@contextlib.asynccontextmanager
async def opened(parts: Parts) -> AsyncIterator[None]:
    """Rings are heard; the bell and the database are closed at the end."""
    parts.bell.start()
    try:
        yield
    finally:
        await parts.bell.close()
        await parts.database.close()


def redis_of(url: str | None) -> Any:
    if url is None:
        return None
    from redis.asyncio import Redis

    return Redis.from_url(url, socket_connect_timeout=2, health_check_interval=15)


async def refuse_old_schema(settings: Settings) -> None:
    """Raises CannotRun where the database is away, or has not the tables of this release. A later one's has
    them too: both run beside each other while one takes the place of the other."""
    database = Database(settings.database_url)
    try:
        current = await upgrade.current(database)
        newer = upgrade.is_newer(current)
        unsafe = await upgrade.unsafe(database, newer=newer)
    except Exception as error:
        where = database.url.render_as_string(hide_password=True)
        raise CannotRun(f"The database at {where} does not answer: {reason(error)}.") from error
    finally:
        await database.close()
    if newer:
        log.warning("schema.newer", schema=current, needed=upgrade.head())
    elif current != upgrade.head():
        raise CannotRun("The database has an older schema. Run: python main.py db upgrade")
    if unsafe:
        raise CannotRun(
            f"The database does not keep tenants apart as it should ({len(unsafe)} to do: {unsafe[0]}). "
            "Run: python main.py db upgrade"
        )


async def refuse_newer_schema(settings: Settings) -> None:
    """Of a later release, which this one cannot bring up to date. Raises CannotRun."""
    database = Database(settings.migration_url)
    try:
        current = await upgrade.current(database)
    finally:
        await database.close()
    if upgrade.is_newer(current):
        raise CannotRun(
            f"The database has the schema of a newer release ({current}): there is nothing to upgrade."
        )
