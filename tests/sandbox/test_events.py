"""The sandbox tells its pages what happens, and keeps foreign sites out."""

import asyncio
import json
from typing import Any

import pytest

from bot.sandbox.feed import Feed


async def read_events(sandbox, count, after="", last=None):
    """The first `count` events as (id, kind, data)."""
    headers = {"Last-Event-ID": last} if last else {}
    events: list[tuple[str, str, Any]] = []
    async with sandbox.session.get(f"{sandbox.url}/events?after={after}", headers=headers) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        fields: dict[str, str] = {}
        while len(events) < count:
            line = (await answer.content.readline()).decode().rstrip("\n")
            if not line and "data" in fields:
                events.append((fields["id"], fields["event"], json.loads(fields["data"])))
                fields = {}
            name, _, value = line.partition(": ")
            fields[name] = value
    return events


async def test_a_page_follows_from_the_state_that_it_loaded(sandbox):
    cursor = (await sandbox.look("state"))["cursor"]
    await sandbox.act("phones/achieng/text", text="hello")
    (_, kind, message), *_ = await read_events(sandbox, 1, after=cursor)
    assert (kind, message["text"], message["phone"]) == ("message", "hello", "achieng")


async def test_a_page_that_lost_its_connection_hears_only_what_it_missed(sandbox):
    cursor = (await sandbox.look("state"))["cursor"]
    for text in ("one", "two"):
        await sandbox.hear(text=text)
    events = await read_events(sandbox, 2, after=cursor)
    again = await read_events(sandbox, 1, after=cursor, last=events[0][0])
    assert again[0] == events[1]


@pytest.mark.parametrize("last", ["another-run.3", "sandbox.999999", "nonsense"])
async def test_a_page_of_another_run_is_told_to_start_anew(sandbox, last):
    assert (await read_events(sandbox, 1, last=last))[0][1] == "reset"


async def test_a_change_of_the_ledger_is_told_once(sandbox):
    events = await read_events(sandbox, 1, after=(await sandbox.look("state"))["cursor"])
    assert events[0][1] == "ledger"


async def test_a_feed_that_is_closed_ends_its_watchers():
    feed = Feed("run")
    watching = feed.watch("run.0")
    waiting = asyncio.ensure_future(anext(watching))
    await asyncio.sleep(0)
    feed.close()
    with pytest.raises(StopAsyncIteration):
        await waiting
    assert feed.watchers == 0


async def test_the_page_allows_nothing_inline_and_nothing_foreign(sandbox):
    async with sandbox.session.get(sandbox.url) as answer:
        policy = answer.headers["Content-Security-Policy"]
        page = await answer.text()
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert "https://" not in page
    assert "style=" not in page
    assert "onclick" not in page


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
async def test_a_foreign_site_is_kept_out(sandbox, headers):
    async with sandbox.session.post(f"{sandbox.url}/control/reset", headers=headers) as answer:
        assert answer.status == 403


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("phones/nobody/text", {"text": "x"}, 404),
        ("phones/achieng/text", {"text": "x", "shop": "1"}, 404),
        ("phones/achieng/text", {"text": ""}, 400),
        ("phones/achieng/text", {}, 400),
        ("phones/achieng/text", [], 400),
        ("phones/achieng/share", {}, 400),
        ("phones/achieng/card", {"number": "12", "name": "A"}, 400),
        ("phones/achieng/repeat", {}, 400),
        ("prompts/none", {"outcome": "pay"}, 409),
        ("prompts/none", {"outcome": "steal"}, 400),
        ("faults", {"at": "graph.send", "fault": "earthquake"}, 400),
        ("faults", {"at": "graph.send", "fault": "500", "times": 0}, 400),
        ("faults", {"at": "stk.callback", "fault": "late", "seconds": "5"}, 400),
        ("float", {"shortcode": "1", "utility": 1}, 404),
        ("float", {"shortcode": "174379", "utility": -1}, 400),
    ],
)
async def test_what_the_control_api_cannot_do_it_says(sandbox, path, body, status):
    got, answer = await sandbox.post(f"/control/{path}", body)
    assert (got, bool(answer["error"])) == (status, True)


@pytest.mark.parametrize("body", [b"garbage", b"[]", b"null", b"\xff", b'{"text": NaN}', b"[" * 50_000])
async def test_what_is_no_object_the_control_api_says_too(sandbox, body):
    url = f"{sandbox.url}/control/phones/wanjiku/text"
    async with sandbox.session.post(url, data=body) as answer:
        assert answer.status == 400
        assert "the body is not" in (await answer.json())["error"]


async def test_faults_are_disarmed_by_place_or_all(sandbox):
    await sandbox.arm("graph.send", "500", times=3)
    await sandbox.arm("b2c.outcome", "fail")
    async with sandbox.session.delete(f"{sandbox.url}/control/faults?at=graph.send") as answer:
        told = await answer.json()
    assert told["faults"] == [{"at": "b2c.outcome", "fault": "fail", "times": 1}]
    async with sandbox.session.delete(f"{sandbox.url}/control/faults") as answer:
        assert (await answer.json())["faults"] == []


async def test_a_contact_card_that_nobody_asked_for_is_of_other_origin(sandbox, wait):
    await sandbox.act("phones/achieng/card", number="+254711222333", name="My sister")
    await wait(lambda: sandbox.app.messages)
    card = sandbox.app.messages[0]["contacts"][0]
    assert (card["origin"], card["phones"][0]["phone"]) == ("other", "+254711222333")
    assert "context" not in sandbox.app.messages[0]
