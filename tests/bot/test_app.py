"""The loops of a worker: none ends unless it is told to, and then it finishes what it has taken."""

import asyncio

import pytest
import structlog

from bot import app
from bot.stopping import unbroken


async def fails():
    raise RuntimeError("a bug")


async def is_cancelled_from_within():
    raise asyncio.CancelledError


async def ends():
    return


@pytest.mark.parametrize("goes_wrong", [fails, is_cancelled_from_within, ends])
async def test_a_loop_that_ends_by_itself_is_logged_and_begun_again(goes_wrong):
    begun = asyncio.Semaphore(0)

    async def run():
        begun.release()
        await goes_wrong()

    with structlog.testing.capture_logs() as logs:
        task = asyncio.create_task(app.lasting(run, after_seconds=0))
        async with asyncio.timeout(5):
            for _ in range(3):
                await begun.acquire()
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled()
    assert len(logs) >= 2
    assert all(line["log_level"] == "error" for line in logs)


async def test_a_loop_that_is_told_to_stop_stops_without_a_word():
    waiting = asyncio.Event()
    with structlog.testing.capture_logs() as logs:
        task = asyncio.create_task(app.lasting(waiting.wait))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled()
    assert logs == []


class Act:
    """Begins, waits for leave, and ends."""

    def __init__(self):
        self.begun, self.leave, self.ended = asyncio.Event(), asyncio.Event(), False

    async def once(self):
        self.begun.set()
        await self.leave.wait()
        self.ended = True


async def test_what_was_begun_is_finished_before_the_loop_stops():
    act = Act()
    task = asyncio.create_task(unbroken(act.once()))
    await act.begun.wait()
    task.cancel()
    act.leave.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert act.ended


async def test_who_is_told_twice_breaks_off():
    act = Act()
    task = asyncio.create_task(unbroken(act.once()))
    await act.begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait([task])
    assert task.cancelled()
    assert not act.ended


async def test_what_fails_is_raised_to_the_loop():
    with pytest.raises(RuntimeError, match="a bug"):
        await unbroken(fails())
