import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import metadata
from services.store.scope import OWNER
from services.store.tokens import SharedTokens

KEY = bytes(range(32))


class Clock:
    def __init__(self):
        self.now = datetime(2026, 11, 24, 9, tzinfo=UTC)

    def __call__(self):
        return self.now


@pytest.fixture
async def database(tmp_path):
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/tokens.db")
    async with database.transaction(OWNER) as connection:
        await connection.run_sync(metadata.create_all)
    yield database
    await database.close()


class App:
    """A provider whose every new token kills the last."""

    def __init__(self):
        self.asked = 0

    async def fetch(self):
        self.asked += 1
        await asyncio.sleep(0.01)
        return f"token-{self.asked}", 3599


async def test_processes_that_ask_at_once_share_one_token(database):
    clock, app = Clock(), App()
    processes = [SharedTokens(database, Vault([KEY]), "key", clock) for _ in range(5)]
    tokens = await asyncio.gather(*(process.get(app.fetch) for process in processes))
    assert set(tokens) == {"token-1"}
    assert app.asked == 1


async def test_a_token_is_renewed_a_minute_before_it_expires(database):
    clock, app = Clock(), App()
    tokens = SharedTokens(database, Vault([KEY]), "key", clock)
    assert await tokens.get(app.fetch) == "token-1"
    clock.now += timedelta(seconds=3538)
    assert await tokens.get(app.fetch) == "token-1"
    clock.now += timedelta(seconds=2)
    assert await tokens.get(app.fetch) == "token-2"


async def test_dropping_an_old_token_leaves_a_newer_one_of_another_process(database):
    clock, app = Clock(), App()
    mine, theirs = (SharedTokens(database, Vault([KEY]), "key", clock) for _ in range(2))
    assert await mine.get(app.fetch) == "token-1"
    await theirs.get(app.fetch)
    await theirs.drop("token-1")
    assert await theirs.get(app.fetch) == "token-2"
    await mine.drop("token-1")
    assert await mine.get(app.fetch) == "token-2"
    assert app.asked == 2


async def test_a_failed_fetch_frees_the_lease_at_once(database):
    clock, app = Clock(), App()
    tokens = SharedTokens(database, Vault([KEY]), "key", clock)

    async def refused():
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await tokens.get(refused)
    assert await tokens.get(app.fetch) == "token-1"


async def test_what_is_kept_beside_a_token_is_another_and_is_shared_too(database, vault):
    clock, app = Clock(), App()
    token = await SharedTokens(database, vault, "key", clock).get(app.fetch)
    beside = SharedTokens(database, vault, "key", clock).beside("ipn")
    other = await beside.get(app.fetch)
    assert other != token
    assert await SharedTokens(database, vault, "key", clock).beside("ipn").get(app.fetch) == other
    await beside.drop(other)
    assert await SharedTokens(database, vault, "key", clock).get(app.fetch) == token
