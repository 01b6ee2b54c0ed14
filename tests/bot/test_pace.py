"""Pace: intake goes on freely, unless replies fall behind; then it waits a little, and never for long."""

import asyncio
import time
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot import pace as pace_of
from bot.pace import LONGEST_SECONDS, Pace
from services.ids import new_id
from services.store.database import Database
from services.store.schema import inbox, outbox
from services.store.scope import OWNER

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
MANY = pace_of._MANY


async def wait_for_turns(database, many, age=timedelta(seconds=1)):
    await fill(database, inbox, many, age, kind="message", status="", received_at=NOW - age, state="waiting")


async def wait_to_be_sent(database, many, age=timedelta(seconds=1)):
    await fill(database, outbox, many, age, created_at=NOW - age, state="waiting")


async def fill(database, table, many, age, **values):
    rows = [
        {
            "tenant_id": new_id(),
            "conversation_id": new_id(),
            "due_at": NOW - age,
            "body_sealed": b"",
            **values,
        }
        | ({"external_id": str(n)} if table is inbox else {})
        for n in range(many)
    ]
    async with database.transaction(OWNER) as connection:
        await connection.execute(sa.insert(table), rows)


async def looked(pace):
    """However long the database takes for it."""
    await asyncio.wait_for(pace._looking, 60)


async def seconds_held(database):
    """Once it has looked."""
    async with aclosing(Pace(database, lambda: NOW)) as pace:
        await pace.keep()
        await looked(pace)
        start = time.monotonic()
        await pace.keep()
        return time.monotonic() - start


@pytest.mark.parametrize("falling_behind", [wait_for_turns, wait_to_be_sent])
async def test_intake_waits_while_many_wait_but_never_for_long(database, falling_behind):
    await falling_behind(database, MANY)
    held = await seconds_held(database)
    assert LONGEST_SECONDS <= held < LONGEST_SECONDS + 1


@pytest.mark.parametrize("falling_behind", [wait_for_turns, wait_to_be_sent])
async def test_intake_goes_on_while_few_wait(database, falling_behind):
    await falling_behind(database, MANY - 1)
    assert await seconds_held(database) < LONGEST_SECONDS


@pytest.mark.parametrize("falling_behind", [wait_for_turns, wait_to_be_sent])
async def test_what_has_waited_for_long_is_held_up_by_something_else(database, falling_behind):
    await falling_behind(database, MANY, timedelta(minutes=1))
    assert await seconds_held(database) < LONGEST_SECONDS


async def test_intake_goes_on_as_soon_as_replies_have_caught_up(database):
    await wait_for_turns(database, MANY)
    async with aclosing(Pace(database, lambda: NOW, longest_seconds=60)) as pace:
        await pace.keep()
        await looked(pace)
        keeping = asyncio.create_task(pace.keep())
        await asyncio.sleep(0.03)
        assert not keeping.done()
        async with database.transaction(OWNER) as connection:
            await connection.execute(sa.update(inbox).values(state="done"))
        await asyncio.wait_for(keeping, 20)


async def test_a_database_that_is_away_holds_nobody_back_here(tmp_path):
    database = Database("postgresql+asyncpg://postgres@127.0.0.1:1/nothing")
    assert await seconds_held(database) < LONGEST_SECONDS
    await database.close()
