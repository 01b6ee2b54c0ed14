"""Webhooks by the API: where a shop's systems listen, what was sent to them, and sending it again."""

import json
import re
import time
from pathlib import Path

import pytest

from bot.webhooks_out.settings import WebhooksSettings
from services.store.schema import audit, webhook_endpoints
from services.webhooks import endpoints, signing
from services.webhooks.events import TYPES
from tests.bot.caller import caller
from tests.bot.door import opened
from tests.bot.test_api import ASK, rows
from tests.bot.webhooks_out.receiver import receiving

MORE = """
[[staff]]
name = "Njeri"
role = "Owner"
"""
AT = "/webhooks/endpoints"
NEW = {"url": "https://shop.example/hooks?token=theirs"}
API = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door


@pytest.fixture
async def shop(door):
    shop = await door.open_shop(more=MORE)
    await door.fund(shop, "10000")
    return shop


@pytest.fixture
async def njeri(door, shop):
    return await caller(door, shop, "Njeri")


async def test_an_endpoint_is_added_changed_and_removed_and_its_secret_shown_once(door, njeri):
    made = await njeri.post(AT, NEW | {"types": ["payment.succeeded", "payment.succeeded"]})
    assert made.status == 201
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made.body["secret"])
    assert (made.body["types"], made.body["enabled"]) == (["payment.succeeded"], True)
    one = f"{AT}/{made.body['id']}"
    shown = made.body.copy()
    del shown["secret"]
    assert (await njeri.get(one)).body == shown
    assert (await njeri.get(AT)).body == {"count": 1, "results": [shown], "next_cursor": None}
    changed = {"url": "https://other.example/", "types": None, "enabled": False}
    off = (await njeri.put(one, changed)).body
    assert {name: off[name] for name in changed} == changed
    assert off["disabled_because"] == "staff"
    on = (await njeri.put(one, changed | {"enabled": True})).body
    assert (on["enabled"], on["disabled_because"]) == (True, None)
    assert (await njeri.delete(one)).body["id"] == made.body["id"]
    assert (await njeri.get(one)).status == 404
    told = [row for row in await rows(door, audit) if row.action.startswith("webhook.")]
    assert [row.action.removeprefix("webhook.") for row in told] == [
        "endpoint_added",
        "endpoint_changed",
        "endpoint_changed",
        "endpoint_removed",
    ]
    assert "theirs" not in repr(told)
    assert made.body["secret"] not in repr(told)


async def test_a_rotated_secret_signs_beside_the_old_one_for_as_long_as_is_said(njeri):
    made = (await njeri.post(AT, NEW)).body
    at = f"{AT}/{made['id']}/rotate-secret"
    once = {"Idempotency-Key": "rotate-1"}
    first, same = (
        await njeri.post(at, {"overlap_hours": 48}, **once),
        await njeri.post(at, {"overlap_hours": 48}, **once),
    )
    assert first.raw == same.raw
    assert first.body["secret"] != made["secret"]
    assert first.body["old_secret_until"] is not None
    at_once = (await njeri.post(at, {"overlap_hours": 0})).body
    assert at_once["old_secret_until"] is None
    for wrong in (-1, 169, "24", 1.5):
        assert (await njeri.post(at, {"overlap_hours": wrong})).code == "malformed_body"


async def test_what_cannot_be_is_a_problem_and_nothing_is_kept(door, shop, njeri):
    for body, status, code in (
        ({}, 400, "malformed_body"),
        ({"url": 7}, 400, "malformed_body"),
        (NEW | {"types": []}, 400, "malformed_body"),
        (NEW | {"types": ["payment.dreamt"]}, 400, "malformed_body"),
        (NEW | {"secret": "whsec_mine"}, 400, "unknown_field"),
        ({"url": "http://shop.example/"}, 422, "invalid_url"),
        ({"url": "https://127.0.0.1/"}, 422, "invalid_url"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, 422, "invalid_url"),
        ({"url": "https://shop.example:22/"}, 422, "invalid_url"),
        ({"url": "https://' OR 1=1 --"}, 422, "invalid_url"),
    ):
        answer = await njeri.post(AT, body)
        assert (answer.status, answer.code) == (status, code), body
    for name in ("Achieng", "Kamau"):
        other = await caller(door, shop, name)
        for said in (await other.get(AT), await other.post(AT, NEW), await other.get("/webhooks/deliveries")):
            assert (said.status, said.body["required_scope"]) == (403, "integrations:manage")
    assert await rows(door, webhook_endpoints) == []
    for _ in range(endpoints.MOST):
        assert (await njeri.post(AT, NEW)).status == 201
    full = await njeri.post(AT, NEW)
    assert (full.status, full.code, full.body["most"]) == (422, "too_many_endpoints", endpoints.MOST)


async def test_deliveries_are_listed_shown_and_replayed(door, shop, njeri):
    one = (await njeri.post(AT, NEW)).body["id"]
    cashier = await caller(door, shop, "Achieng")
    made = [(await cashier.post("/wallet/withdrawals", ASK)).body["transaction_id"] for _ in range(3)]
    listed = (await njeri.get(f"/webhooks/deliveries?endpoint_id={one}&status=waiting&limit=2")).body
    assert listed["count"] == 3
    assert [each["object_id"] for each in listed["results"]] == made[:0:-1]
    rest = await njeri.get(f"/webhooks/deliveries?limit=2&cursor={listed['next_cursor']}")
    assert [each["object_id"] for each in rest.body["results"]] == made[:1]
    first = rest.body["results"][0]
    whole = (await njeri.get(f"/webhooks/deliveries/{first['id']}")).body
    assert json.loads(whole["body"])["data"]["id"] == made[0]
    assert whole["attempts"] == []
    assert (await njeri.post(f"/webhooks/deliveries/{first['id']}/replay")).body["status"] == "waiting"
    await njeri.put(f"{AT}/{one}", NEW | {"enabled": False})
    refused = await njeri.post(f"/webhooks/deliveries/{first['id']}/replay")
    assert (refused.status, refused.code) == (409, "endpoint_disabled")
    since = {"since": "2020-01-01T00:00:00Z"}
    assert (await njeri.post(f"{AT}/{one}/replay", since)).code == "endpoint_disabled"
    await njeri.put(f"{AT}/{one}", NEW | {"enabled": True})
    assert (await njeri.post(f"{AT}/{one}/replay", since)).body == {"deliveries": 3}
    for wrong in ("yesterday", "2026-11-29T10:00:00", 5):
        assert (await njeri.post(f"{AT}/{one}/replay", {"since": wrong})).code == "malformed_body"
    for query in ("endpoint_id=x", f"cursor={one}", "status=lost"):
        assert (await njeri.get(f"/webhooks/deliveries?{query}")).status == 400


async def test_a_worker_posts_what_a_program_did(database, vault):
    """From the request that makes a withdrawal to the receiver that is told of it, in one process."""
    allowed = WebhooksSettings(allow_loopback=True)
    async with receiving() as receiver, opened(database, vault, worker=True, webhooks=allowed) as door:
        shop = await door.open_shop(more=MORE)
        await door.fund(shop, "10000")
        njeri, cashier = await caller(door, shop, "Njeri"), await caller(door, shop, "Achieng")
        secret = (await njeri.post(AT, {"url": receiver.url})).body["secret"]
        id_ = (await cashier.post("/wallet/withdrawals", ASK)).body["transaction_id"]
        got = await receiver.first()
        assert verified(secret, got.headers, got.body)["data"]["id"] == id_


def verified(secret, headers, body):
    """By the very lines of docs/api.md."""
    (lines,) = re.findall(r"```python\n(.+?)```", API, re.DOTALL)
    place: dict[str, object] = {}
    exec(lines, place)
    return place["event_of"](secret, headers, body)  # type: ignore[operator]


def test_the_document_refuses_what_is_not_ours():
    secret, body = signing.new_secret(), b'{"type":"payment.failed"}'
    good = dict(signing.headers([secret], "msg_1", int(time.time()), body))
    assert verified(secret, good, body)["type"] == "payment.failed"
    old = dict(signing.headers([secret], "msg_1", int(time.time()) - 600, body))
    for headers, told in ((good, body + b" "), (old, body), ({}, body)):
        with pytest.raises(Exception, match=r"signature|old|headers"):
            verified(secret, headers, told)


def test_the_document_names_every_event_and_its_example_is_one():
    named = set(re.findall(r"`((?:payment|refund|withdrawal)\.[a-z_]+)`", API))
    assert named == set(TYPES)
    example = json.loads(re.findall(r"```json\n(\{\"type\": \"payment.+?)```", API, re.DOTALL)[0])
    data = TYPES[example["type"]].data
    assert set(example["data"]) == set(data.model_fields)
