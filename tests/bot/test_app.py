"""The loops of a worker: none of them ends unless it is told to."""

import asyncio

import pytest
import structlog

from bot import app


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(app, "_BEGIN_AGAIN_SECONDS", 0)


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
        task = asyncio.create_task(app.lasting(run))
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
