"""The process is killed at each named point of the ways of money, and started again: nothing is lost, and
nothing is done twice. One half of the scenes on SQLite, the other on PostgreSQL; `python -m tests.crash`
plays all on both."""

import pytest

from services.points import POINTS
from tests.crash.ground import ground
from tests.crash.plan import ENDING, OPENING, RUNS
from tests.crash.proof import prove
from tests.crash.scenes import HELD, RESTED
from tests.crash.webhook_scenes import WebhookScenes

# Whoever dies there can never know.
NEVER_LEFT = {"payout.begun", "refund.begun", "unread/paystack/transferrecipient"}


def test_the_plan_leaves_no_point_out():
    assert {point for run in RUNS for point in run.points} == set(POINTS)


@pytest.mark.timeout(600)  # some seventy processes, one after the other
async def test_killed_at_every_point_the_story_goes_on(database_url, runs, tmp_path):
    async with ground(tmp_path, database_url) as place:
        scenes = WebhookScenes(place)
        for run in (OPENING, *runs, ENDING):
            place.reached.clear()
            await place.begin(run.points)
            came_of = await getattr(scenes, run.scene)()
            assert await place.killed(run.points), (run, place.reached)
            assert came_of == (HELD if NEVER_LEFT & set(run.points) else RESTED), run
        await place.end()
        await prove(place, scenes)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def kind(request):
    return request.param


@pytest.fixture
def database_url(kind, request, tmp_path):
    if kind == "postgres":
        return request.getfixturevalue("postgres_database")
    return f"sqlite+aiosqlite:///{tmp_path}/lipachat.db"


@pytest.fixture
def runs(kind):
    half = len(RUNS) // 2
    return RUNS[:half] if kind == "sqlite" else RUNS[half:]
