"""Every line of a turn, a job, a callback and a request of the API says which one it was."""

import asyncio
from datetime import UTC, datetime

import pytest
import structlog

from bot.calls import Calls
from bot.talk import Waiting
from services.ids import new_id
from services.jobs import Job
from services.people.tenants import TenantBook
from services.store.bell import Bell
from services.store.grouping import GroupCommit
from tests.bot.caller import caller
from tests.bot.door import envelope, opened, text


@pytest.fixture
def lines():
    """As they are about to be written."""
    seen = []

    def keep(_logger, _method, event):
        seen.append(dict(event))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.reset_defaults()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, keep], cache_logger_on_first_use=False
    )
    yield seen
    structlog.configure(**before)


def named(lines, event):
    return [line for line in lines if line["event"] == event]


async def test_a_job_has_its_kind_and_its_target(database, vault, lines):
    first, second = (Job(new_id(), new_id(), kind, 0) for kind in ("one", "two"))

    async def do(job):
        await asyncio.sleep(0)
        structlog.get_logger().info("doing", of=job.kind)

    nobody = None
    calls = Calls(
        database,
        vault,
        nobody,  # type: ignore[arg-type]
        Bell(),
        lambda: datetime.now(UTC),
        "http://127.0.0.1",
        others={"one": do, "two": do},
    )
    await asyncio.gather(*(asyncio.create_task(calls._try(job)) for job in (first, second)))
    told = {line["of"]: line for line in named(lines, "doing")}
    for job in (first, second):
        line = told[job.kind]
        assert (line["job"], line["target_id"]) == (job.kind, str(job.target_id))
        assert line["tenant_id"] == str(job.tenant_id)
    structlog.get_logger().info("after")
    assert "job" not in named(lines, "after")[0]


class Telling(TenantBook):
    """Logs a line whenever a tenant is looked up, as in the midst of a turn."""

    async def by_id(self, tenant_id):
        structlog.get_logger().info("looking")
        return await super().by_id(tenant_id)


async def test_a_turn_has_its_conversation(database, vault, lines):
    async with opened(database, vault, worker=True, book=Telling) as door:
        await door.open_shop()
        await door.update(envelope(text("w1")))
        await door.update(envelope(text("w2", **{"from": "254712345679"})))
        await door.hears(2)
    told = [line for line in named(lines, "looking") if "seq" in line]
    sent = [line for line in named(lines, "looking") if "message" in line]
    for each in (told, sent):
        assert len({line["conversation_id"] for line in each}) == 2
        assert all(line["tenant_id"] for line in each)


async def test_an_event_says_what_its_turn_is_about():
    now = datetime.now(UTC)
    event = Waiting(7, new_id(), new_id(), "message", "wamid.x", "", 0, now, b"")
    assert event.about == {
        "tenant_id": str(event.tenant_id),
        "conversation_id": str(event.conversation_id),
        "seq": 7,
    }


def id_of(answer):
    return next(value for name, value in answer.headers.items() if name.lower() == "x-request-id")


async def test_callbacks_and_requests_are_told_their_id(database, vault, lines):
    async with opened(database, vault) as door:
        shop = await door.open_shop()
        unknown = await door.post(f"/hooks/{'0' * 64}", b"{}")
        forged = await door.post("/hooks/paystack/shop-1", b"{}")
        taken = await door.post(f"/hooks/{await door.mint(shop)}", b"{}")
        asked = await (await caller(door, shop, "Kamau")).get("/wallet")
    (line,) = named(lines, "hooks.unknown_token")
    assert line["request_id"] == id_of(unknown)
    (line,) = named(lines, "hooks.not_signed")
    assert line["request_id"] == id_of(forged)
    ids = {id_of(each) for each in (unknown, forged, taken, asked)}
    assert len(ids) == 4


async def test_what_many_share_is_nobodys(lines):
    async def write(_items):
        structlog.get_logger().info("writing")

    group = GroupCommit(write)
    with structlog.contextvars.bound_contextvars(request_id="of-the-first"):
        first = group.submit([1])
    await asyncio.gather(first, group.submit([2]))
    assert all("request_id" not in line for line in named(lines, "writing"))
