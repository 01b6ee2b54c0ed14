"""Pace: intake goes on freely, unless replies are late; then it goes on as they do."""

import asyncio
from datetime import timedelta

import pytest

from bot.pace import Pace

LATE, SOON = timedelta(seconds=2), timedelta(milliseconds=20)


async def held(pace, seconds=0.03):
    """The task of an intake that is held back; None where it is not."""
    task = asyncio.ensure_future(pace.keep())
    done, _ = await asyncio.wait([task], timeout=seconds)
    return None if done else task


async def test_nobody_is_held_back_while_replies_are_soon():
    pace = Pace()
    for _ in range(3):
        pace.took(500)
        pace.worked("turns", 1, SOON)
        assert await held(pace) is None


async def test_while_replies_are_late_as_much_is_taken_in_as_is_worked_off():
    pace = Pace()
    pace.worked("turns", 10, LATE)
    assert await held(pace) is None
    pace.took(20)
    task = await held(pace)
    assert task is not None
    pace.worked("turns", 12, LATE)
    assert (await asyncio.wait([task], timeout=0.02))[1]
    pace.worked("turns", 8, LATE)
    await asyncio.wait_for(task, 0.05)


async def test_the_latest_of_two_decides():
    pace = Pace()
    pace.worked("turns", 1, LATE)
    pace.worked("delivery", 1, LATE)
    pace.took(5)
    task = await held(pace)
    pace.worked("turns", 5, LATE)
    assert (await asyncio.wait([task], timeout=0.02))[1]
    pace.worked("delivery", 5, LATE)
    await asyncio.wait_for(task, 0.05)


@pytest.mark.parametrize("relief", [("turns", 3, SOON), ("turns",)])
async def test_it_ends_once_replies_are_soon_again_or_others_have_the_work(relief):
    pace = Pace()
    pace.worked("turns", 1, LATE)
    pace.took(50)
    task = await held(pace)
    pace.worked(*relief)
    await asyncio.wait_for(task, 0.05)
    pace.took(50)
    assert await held(pace) is None


async def test_who_is_late_and_stands_still_holds_nobody_back_for_long():
    pace = Pace()
    pace.worked("turns", 1, LATE)
    pace.took(50)
    await asyncio.wait_for(pace.keep(), 2)
    assert await held(pace) is None
