"""A transaction that is broken off at any moment leaves no connection behind that is still in it."""

import asyncio
import contextlib

import pytest
import sqlalchemy as sa

from services.ids import new_id
from services.store.database import Database
from services.store.scope import OWNER

pytestmark = pytest.mark.postgres
_OPEN = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
)


@pytest.fixture
async def postgres(postgres_url, swept):
    """With one connection, so that whoever comes next has it."""
    database = Database(postgres_url, pool_size=1)
    yield database
    await database.close()


async def _one(database):
    async with database.transaction(new_id()) as connection:
        return await connection.scalar(sa.select(sa.func.pg_backend_pid()))


async def _left_open(database):
    async with database.transaction(OWNER) as connection:
        return await connection.scalar(_OPEN)


async def test_one_that_is_broken_off_at_any_step_is_rolled_back(postgres):
    for steps in range(40):
        task = asyncio.create_task(_one(postgres))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.02)
        assert await _left_open(postgres) == 0, f"after {steps} steps"
        assert await _one(postgres)


async def test_one_that_could_not_begin_whole_is_rolled_back(postgres, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr("services.store.connections.turning", lambda *_, **__: "SELECT 1/0")
        with pytest.raises(Exception, match="division by zero"):
            await _one(postgres)
    assert await _one(postgres), "the next one has a connection that can be used"
