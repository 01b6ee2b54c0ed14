"""A server that throws out every connection: whoever uses one fails once, and the next one is well."""

import asyncio
import contextlib

import pytest
import sqlalchemy as sa

from bot.away import AWAY
from services.ids import new_id
from services.store.database import Database
from services.store.hot import run
from services.store.scope import AUDITOR, PLATFORM, within

pytestmark = pytest.mark.postgres
TENANT = new_id()
_TRIES = 8


@pytest.fixture
async def postgres(postgres_url, swept):
    """With connections of its own, since it loses them."""
    database = Database(postgres_url)
    yield database
    await database.close()


def _of(whose):
    return lambda database: database.transaction(whose)


async def _throw_out(database, pids):
    async with database.owning() as connection:
        for pid in pids:
            await connection.execute(sa.select(sa.func.pg_terminate_backend(pid, 5000)))


@pytest.mark.parametrize(
    "way",
    [
        _of(TENANT),
        _of(PLATFORM),
        lambda database: database.reading(TENANT),
        lambda database: database.reading(new_id()),  # each time another one
        lambda database: database.reading(PLATFORM),
        lambda database: database.reading(AUDITOR),
        lambda database: database.snapshot(new_id()),
        lambda database: database.long_snapshot(),
    ],
    ids=[
        "transaction",
        "of-platform",
        "reading",
        "reading-another",
        "reading-platform",
        "reading-auditor",
        "snapshot",
        "still",
    ],
)
async def test_whoever_meets_a_lost_connection_does_not_hand_it_on(postgres, way):
    async def one():
        async with way(postgres) as connection:
            return await connection.scalar(sa.select(sa.func.pg_backend_pid()))

    lost = set(await asyncio.gather(*(one() for _ in range(4))))
    await _throw_out(postgres, lost)
    failed = 0
    for _ in range(_TRIES):
        try:
            await one()
        except AWAY:
            failed += 1
    assert failed <= len(lost), "each connection fails once at most"
    assert await one() not in lost


async def test_a_commit_that_took_all_back_is_an_error(postgres):
    """Which the server calls none, where somebody has swallowed that a statement failed."""

    async def swallow():
        async with postgres.transaction(TENANT) as connection:
            with contextlib.suppress(sa.exc.DBAPIError):
                await connection.execute(sa.select(sa.literal(1) / sa.literal(0)))

    with pytest.raises(RuntimeError, match="nothing was committed"):
        await swallow()
    async with postgres.transaction(TENANT) as connection:
        assert await connection.scalar(sa.select(sa.literal(1))) == 1


async def test_one_that_is_lost_while_the_scope_changes_is_not_handed_on(postgres):
    async def lose():
        async with postgres.transaction(PLATFORM) as connection:
            await _throw_out(postgres, [await connection.scalar(sa.select(sa.func.pg_backend_pid()))])
            async with within(connection, TENANT):
                await connection.scalar(sa.select(sa.literal(1)))

    with pytest.raises(AWAY):
        await lose()
    async with postgres.transaction(PLATFORM) as connection:
        assert await connection.scalar(sa.select(sa.literal(1))) == 1


@pytest.mark.parametrize("first", ["SELECT 1", None], ids=["amid", "at-its-beginning"])
async def test_one_that_is_lost_where_the_driver_is_asked_is_not_handed_on(postgres, first):
    async def pid():
        async with postgres.transaction(TENANT) as connection:
            return (await run(connection, "SELECT pg_backend_pid()", [], of=TENANT))[0][0]

    async def lose():
        async with postgres.transaction(TENANT) as connection:
            if first:
                await run(connection, first, [], of=TENANT)
            await _throw_out(postgres, [lost])
            await run(connection, "SELECT 1", [], of=TENANT)

    lost = await pid()
    with pytest.raises(AWAY):
        await lose()
    assert await pid() != lost


async def test_the_drivers_own_is_not_handed_on_either(postgres):
    async with postgres.driver() as driver:
        pid = await driver.fetchval("SELECT pg_backend_pid()")
    await _throw_out(postgres, [pid])
    with pytest.raises(AWAY):
        async with postgres.driver() as driver:
            await driver.fetchval("SELECT 1")
    async with postgres.driver() as driver:
        assert await driver.fetchval("SELECT 1") == 1


async def test_whoever_loses_one_in_a_transaction_is_told_so(postgres):
    """As the database's absence, not as an error of whoever cleaned up after it: what is grouped would be
    tried again one by one, each in vain."""
    async with postgres.transaction(TENANT) as connection:
        pid = await connection.scalar(sa.select(sa.func.pg_backend_pid()))

    async def lose():
        async with postgres.transaction(TENANT) as connection:
            await connection.scalar(sa.select(sa.literal(1)))
            await _throw_out(postgres, [pid])
            await connection.scalar(sa.select(sa.literal(1)))

    with pytest.raises(sa.exc.DBAPIError) as lost:
        await lose()
    assert lost.value.connection_invalidated
    assert postgres.engine.pool.checkedout() == 0
