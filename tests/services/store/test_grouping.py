import asyncio
import sqlite3

import asyncpg
import pytest

from services.store.grouping import GroupCommit


async def test_writers_that_come_during_a_commit_share_the_next_one():
    batches = []
    gate = asyncio.Event()

    async def write(items):
        batches.append(list(items))
        await gate.wait()

    group = GroupCommit(write)
    first = asyncio.create_task(group.put([1]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(group.put([n])) for n in (2, 3, 4)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, *others)
    assert batches == [[1], [2, 3, 4]]


REFUSALS = [
    ValueError("bad"),
    asyncpg.CheckViolationError("bad"),
    asyncpg.ProgramLimitExceededError("bad"),
    asyncpg.CharacterNotInRepertoireError("bad"),
    sqlite3.IntegrityError("bad"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda error: type(error).__name__)
async def test_one_bad_submission_costs_only_itself(refusal):
    kept = []

    async def write(items):
        if "bad" in items:
            raise refusal
        kept.extend(items)

    group = GroupCommit(write)
    results = await asyncio.gather(
        group.put(["a"]), group.put(["bad"]), group.put(["b", "c"]), return_exceptions=True
    )
    assert sorted(kept) == ["a", "b", "c"]
    assert list(results) == [None, refusal, None]


AWAY = [
    ConnectionResetError(),
    TimeoutError(),
    asyncpg.ConnectionDoesNotExistError("gone"),
    asyncpg.CannotConnectNowError("starting"),
    asyncpg.AdminShutdownError("stopping"),
    asyncpg.TooManyConnectionsError("full"),
    asyncpg.InvalidPasswordError("wrong"),
    asyncpg.InterfaceError("connection is closed"),
]


@pytest.mark.parametrize("away", AWAY, ids=lambda error: type(error).__name__)
async def test_while_the_database_is_away_nothing_is_tried_one_by_one(away):
    tried = []

    async def write(items):
        tried.append(items)
        raise away

    group = GroupCommit(write)
    results = await asyncio.gather(group.put(["a"]), group.put(["b"]), return_exceptions=True)
    assert list(results) == [away, away]
    assert tried == [["a", "b"]]


async def test_a_caller_that_went_away_does_not_stop_the_others():
    async def write(items):
        await asyncio.sleep(0.01)

    group = GroupCommit(write)
    gone = asyncio.create_task(group.put([1]))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    await group.put([2])
