"""PostgreSQL throws out connections and its wire is cut while money moves: what nobody knows was committed
is found out, and in the end nothing is lost and nothing was done twice."""

import asyncio
import contextlib
import itertools
import random
from collections import Counter

import pytest
import sqlalchemy as sa

from services.store.scope import OWNER
from tests.crash.ground import ground
from tests.crash.proof import prove
from tests.crash.scenes import HELD, RESTED, Scenes
from tests.e2e.proxy import proxied

pytestmark = pytest.mark.postgres
_CALM_SECONDS = 0.3
_AWAY_SECONDS = 0.2
_FAULTY_SECONDS = 6


async def throw_out(place, proxy):
    """Some of the processes' connections, amid whatever they do."""
    activity = sa.table("pg_stat_activity", sa.column("pid"))
    living = sa.select(activity.c.pid).where(activity.c.pid.in_(proxy.backends))
    async with place.database.transaction(OWNER) as connection:
        pids = list((await connection.execute(living)).scalars())
        for pid in random.sample(pids, min(3, len(pids))):
            assert await connection.scalar(sa.select(sa.func.pg_terminate_backend(pid)))


async def cut(_place, proxy):
    await proxy.cut()
    await asyncio.sleep(_AWAY_SECONDS)
    await proxy.mend()


async def cut_at_commit(_place, proxy):
    await proxy.cut_at_commit()
    await asyncio.sleep(_AWAY_SECONDS)
    await proxy.mend()


@contextlib.asynccontextmanager
async def going_on(place, proxy):
    """One after the other, again and again; told how often once it is over."""
    done: Counter[object] = Counter()

    async def again():
        for fault in itertools.cycle((throw_out, cut_at_commit, throw_out, cut)):
            await asyncio.sleep(_CALM_SECONDS)
            await fault(place, proxy)
            done[fault] += 1

    task = asyncio.create_task(again())
    try:
        yield done
    finally:
        task.cancel()
        await asyncio.wait([task])
        await proxy.mend()


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "workers",
    [
        pytest.param(0, marks=pytest.mark.full, id="one process"),
        pytest.param(2, id="two workers beside the server"),
    ],
)
async def test_money_comes_to_rest_whatever_the_wire_does(postgres_database, tmp_path, workers):
    async with (
        proxied(postgres_database) as proxy,
        ground(tmp_path, postgres_database, way=proxy.url, workers=workers) as place,
    ):
        scenes = Scenes(place)
        await place.begin(())
        await scenes.open()
        async with going_on(place, proxy) as done:
            under_way = [asyncio.create_task(each) for each in (scenes.refund(), scenes.withdraw())]
            await asyncio.sleep(_FAULTY_SECONDS)
        await place.begin(())  # what a lost connection has left leased is waited for no longer
        came_of = await asyncio.gather(*under_way)
        assert set(came_of) <= {RESTED, HELD}
        assert min(done[each] for each in (throw_out, cut, cut_at_commit)) >= 1
        await scenes.rest()
        await place.end()
        await prove(place, scenes)
