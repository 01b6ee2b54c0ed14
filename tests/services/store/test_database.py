import asyncio
import sqlite3

import aiohttp
import pytest
import sqlalchemy as sa

from bot.http import NetworkInTransaction, open_session
from services.store.database import Database, padded
from services.store.scope import OWNER, PLATFORM


@pytest.fixture
async def database(tmp_path):
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/some.db")
    async with database.transaction(OWNER) as connection:
        await connection.execute(sa.text("CREATE TABLE counter (n INTEGER)"))
        await connection.execute(sa.text("INSERT INTO counter VALUES (0)"))
    yield database
    await database.close()


async def count(database):
    async with database.reading(OWNER) as connection:
        return await connection.scalar(sa.text("SELECT n FROM counter"))


async def test_a_failure_rolls_back_savepoints_as_well(database):
    async def fail():
        async with database.transaction(OWNER) as connection:
            async with connection.begin_nested():
                await connection.execute(sa.text("UPDATE counter SET n = 5"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await count(database) == 0


async def test_writers_on_sqlite_wait_for_each_other_and_lose_nothing(database):
    async def add():
        async with database.transaction(OWNER) as connection:
            n = await connection.scalar(sa.text("SELECT n FROM counter"))
            await asyncio.sleep(0.001)
            await connection.execute(sa.text("UPDATE counter SET n = :n"), {"n": n + 1})

    await asyncio.gather(*(add() for _ in range(20)))
    assert await count(database) == 20


async def test_no_network_call_is_made_inside_a_transaction(database):
    async with open_session() as http, database.transaction(OWNER):
        with pytest.raises(NetworkInTransaction):
            await http.get("http://127.0.0.1:9/")


async def test_outside_a_transaction_the_network_is_free(database):
    async with open_session() as http:
        async with database.transaction(OWNER):
            pass
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.get("http://127.0.0.1:9/")


def test_lists_are_padded_to_powers_of_two_with_what_they_hold():
    assert padded([]) == []
    assert padded([7]) == [7]
    assert padded([1, 2, 3]) == [1, 2, 3, 3]
    assert padded({5}) == [5]
    assert len(padded(range(33))) == 64


@pytest.mark.postgres
async def test_no_statement_is_compiled_on_postgresql(postgres):
    """A plan around a forbidden scan looks dear enough for it, and takes a quarter of a second then."""
    for connect in (postgres.transaction, postgres.reading):
        async with connect(PLATFORM) as connection:
            assert await connection.scalar(sa.text("SHOW jit")) == "off"


@pytest.mark.parametrize("whose", [None, "a-slug", 5])
async def test_a_transaction_says_whose_rows_it_is_for(database, whose):
    for connect in (database.transaction, database.reading, database.snapshot):
        with pytest.raises(TypeError, match="whose rows"):
            async with connect(whose):
                pass


async def test_one_that_is_broken_off_before_it_begins_gives_its_connection_back(database):
    """Another process is writing, and whoever waits for it is cancelled."""
    with sqlite3.connect(database.url.database, isolation_level=None) as another:
        another.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05), database.transaction(OWNER):
                    pass
        assert database.engine.pool.checkedout() == 0
        another.execute("ROLLBACK")
    assert await count(database) == 0
    async with asyncio.timeout(5), database.transaction(OWNER) as connection:
        await connection.execute(sa.text("UPDATE counter SET n = 1"))
    assert await count(database) == 1
