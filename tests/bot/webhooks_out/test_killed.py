"""A worker that dies at every try of one event, as a real process that is killed: ten tries end it."""

import asyncio
import signal
import sys

from services.webhooks.deliveries import LADDER, LEASE
from tests.bot.webhooks_out.receiver import receiving
from tests.processes import ROOT
from tests.services.business import Business
from tests.services.webhooks.listening import Listening

POINTS = ("webhook.claimed", "webhook.answered")  # before the first byte has left, and after the last


async def worker(business, point):
    """The exit code of a worker that dies there."""
    url = business.database.url.render_as_string(hide_password=False)
    command = (sys.executable, "-m", "tests.bot.webhooks_out.killed", url, point, business.now.isoformat())
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    return await process.wait()


async def test_a_worker_that_an_event_kills_at_every_try_is_rid_of_it_after_ten(database, vault):
    business, killed = await Business(database, vault).open(), 0
    async with receiving() as receiver:
        listening = await Listening.at(business, receiver.url)
        await business.paid("500")
        while (row := (await listening.written())[0]).state != "dead":
            assert row.tries == killed <= len(LADDER) + 1
            if await worker(business, POINTS[killed % 2]) == -signal.SIGKILL:
                killed += 1
                business.forward(seconds=LEASE.total_seconds())
            elif (await listening.states()) == ["waiting"]:  # its lease had ended before its wait has
                business.forward(seconds=(await listening.until_next()).total_seconds())
        assert await worker(business, POINTS[0]) == 0
    assert len(receiver.got) == killed // 2  # of those that died once it was answered
    assert (row.because, row.sends, killed) == ("broken_off", len(LADDER) + 1, len(LADDER) + 1)
