"""Processes that die, are stopped, or lose Redis or their database, amid a crowd: nothing is lost, and
nothing is done twice."""

import asyncio
import json
import os
import signal
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from services.store.database import Database
from services.store.schema import inbox, jobs, outbox
from services.store.scope import OWNER
from tests.conftest import own_redis
from tests.e2e.conftest import prepared, started
from tests.e2e.crowd import Crowd
from tests.e2e.installation import ready
from tests.servers import free_port, listens

LEASE = timedelta(seconds=45)  # of a send
LIVING = timedelta(seconds=3)  # longer than a living process takes for one


def stopped(process, number):
    """Its exit code."""
    process.send_signal(number)
    return process.wait(timeout=40)


async def forget_the_dead(database_url):
    """As if the leases of a dead process had run out: what it was sending, asking or playing is free."""
    now = datetime.now(UTC)
    database = Database(database_url)
    async with database.transaction(OWNER) as connection:
        dead = (outbox.c.state == "sending", outbox.c.due_at < now + LEASE - LIVING)
        await connection.execute(sa.update(outbox).where(*dead).values(due_at=now))
        await connection.execute(sa.update(jobs).values(leased_until=None))
        waiting = (inbox.c.state == "waiting", inbox.c.due_at > now)
        await connection.execute(sa.update(inbox).where(*waiting).values(due_at=now))
    await database.close()


async def pays(town):
    wanjiku = town.person("wanjiku")
    await wanjiku.says("pay 500")
    await wanjiku.hears("Pay *KES 500.00*")
    await wanjiku.taps("Pay")
    await wanjiku.hears("Enter your M-Pesa PIN")
    return wanjiku


async def test_a_process_that_is_killed_amid_a_burst_loses_nothing_and_doubles_nothing(place, http):
    town, crowd = place.town, Crowd(place.town, place.database_url)
    wanjiku = await pays(town)
    await crowd.talk()
    assert len(await crowd.until_answered(20)) < len(crowd.asked)
    stopped(place.installation.processes[-1], signal.SIGKILL)  # one of two workers, or all there is
    if not place.database_url.startswith("postgresql"):
        await forget_the_dead(place.database_url)
        await started(place, http)
    await town.answer_prompt("pay")
    for _ in range(2):  # the second after whatever its leases held
        await asyncio.sleep(LIVING.total_seconds())
        await forget_the_dead(place.database_url)
    answered = await crowd.until_answered()
    await wanjiku.hears("Paid: KES 500.00")
    assert set(answered) == crowd.asked
    assert await crowd.out_of_order() == []
    said, again = await crowd.said()
    assert said == crowd.once_each
    # Only a send whose outcome its process took to its grave may be heard again.
    assert answered.total() - len(crowd.asked) <= again
    assert json.loads(place.installation.run("ledger", "check")) == {"ok": True, "breaches": []}
    assert json.loads(place.installation.run("events", "list")) == []


async def test_processes_that_are_asked_to_stop_finish_what_they_took_and_go_on_after(place, http):
    crowd = Crowd(place.town, place.database_url)
    await crowd.talk()
    assert len(await crowd.until_answered(20)) < len(crowd.asked)
    processes = list(place.installation.processes)
    for process in processes:
        process.send_signal(signal.SIGTERM)
    assert [await asyncio.to_thread(process.wait, 40) for process in processes] == [0] * len(processes)
    assert await unfinished(place.database_url) == {"sent": 0, "asked": 0, "played": 0}
    place.installation.processes.clear()
    await started(place, http)
    answered = await crowd.until_answered()
    assert answered == dict.fromkeys(crowd.asked, 1)
    assert await crowd.out_of_order() == []


async def unfinished(database_url):
    """What would wait for a lease to run out."""
    now = datetime.now(UTC) + timedelta(seconds=1)
    queries = {
        "sent": sa.select(outbox.c.seq).where(outbox.c.state == "sending"),
        "asked": sa.select(jobs.c.kind).where(jobs.c.leased_until > now),
        "played": sa.select(inbox.c.seq).where(inbox.c.state == "waiting", inbox.c.due_at > now),
    }
    database = Database(database_url)
    async with database.reading(OWNER) as connection:
        found = {name: len((await connection.execute(query)).all()) for name, query in queries.items()}
    await database.close()
    return found


@pytest.mark.postgres
@pytest.mark.redis
async def test_without_redis_chat_is_slower_and_with_it_again_as_before(
    postgres_database, outside, http, tmp_path
):
    port = free_port()
    redis = {"LIPACHAT_REDIS_URL": f"redis://127.0.0.1:{port}"}
    async with prepared(tmp_path, outside, postgres_database, **redis) as place:
        place.installation.start("serve", "--port", place.port, "--no-worker")
        place.installation.start("work")
        await ready(http, place.url)
        wanjiku = place.town.person("wanjiku")
        await wanjiku.says("pay 100")  # Redis was never there
        await wanjiku.hears("Pay *KES 100.00*")
        with own_redis(port):
            await wanjiku.says("pay 200")
            await wanjiku.hears("Pay *KES 200.00*")
        await wanjiku.says("pay 300")  # and now it is gone
        await wanjiku.hears("Pay *KES 300.00*")
        await wanjiku.taps("Pay")
        await place.town.answer_prompt("pay")
        await wanjiku.hears("Paid: KES 300.00")
        assert [process.poll() for process in place.installation.processes] == [None, None]
        assert "Traceback" not in place.installation.logs()


@pytest.mark.postgres
async def test_several_processes_on_one_port_end_together_whichever_dies(
    postgres_database, outside, http, tmp_path
):
    async with prepared(tmp_path, outside, postgres_database) as place:

        async def serving():
            process = place.installation.start("serve", "--port", place.port, "--workers", "2")
            await ready(http, place.url)
            return process

        told = await serving()
        assert await asyncio.to_thread(stopped, told, signal.SIGTERM) == 0
        bereaved = await serving()
        os.kill(children_of(bereaved.pid)[0], signal.SIGKILL)
        assert await asyncio.to_thread(bereaved.wait, 40) == 1
        killed = await serving()
        await asyncio.to_thread(stopped, killed, signal.SIGKILL)
        async with asyncio.timeout(20):
            while listens(int(place.port)):  # noqa: ASYNC110  until its children have gone too
                await asyncio.sleep(0.05)


def children_of(pid):
    """Those that serve; multiprocessing has a tracker of its own beside them."""
    listed = subprocess.run(["ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    rows = (line.split(maxsplit=2) for line in listed.stdout.splitlines())
    return [int(own) for own, parent, words in rows if int(parent) == pid and "spawn_main" in words]
