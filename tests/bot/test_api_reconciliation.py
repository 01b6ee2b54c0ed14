"""Reconciliation by the API: a file read in, what does not fit, and closing it."""

from datetime import timedelta

import pytest

from bot.api.reconciliation import MOST_BYTES
from tests.bot.caller import caller
from tests.bot.door import now, opened
from tests.services.reconciliation.portal import came, statement

ABSENT = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door


@pytest.fixture
async def shop(door):
    return await door.open_shop()


@pytest.fixture
async def kamau(door, shop):
    return await caller(door, shop, "Kamau")


def exported(*rows, **more):
    at = now()
    content = statement(at - timedelta(days=3), at - timedelta(days=1), *rows, **more)
    return {"provider": "mpesa", "content": content.decode()}


def strangers(count=3):
    at = now() - timedelta(days=2)
    return [
        came(f"SJK000000{n}", at + timedelta(minutes=n), f"{n + 1}0.00", party="254700111222 - TOM T")
        for n in range(count)
    ]


async def test_a_file_is_read_once_compared_and_what_does_not_fit_is_closed(kamau):
    body = exported(*strangers())
    first = await kamau.post("/statements", body)
    assert first.status == 201, first.raw
    told = first.body
    assert (told["lines"], told["new_lines"], told["new_breaks"], told["open_breaks"]) == (3, 3, 3, 3)
    again = (await kamau.post("/statements", body)).body
    assert (again["new_lines"], again["new_breaks"], again["open_breaks"]) == (0, 0, 3)
    listed = (await kamau.get("/breaks?state=open&type=unknown_reference&limit=2")).body
    assert listed["count"] == 3
    following = (await kamau.get(f"/breaks?state=open&limit=2&cursor={listed['next_cursor']}")).body
    seen = [*listed["results"], *following["results"]]
    assert {each["receipt"] for each in seen} == {f"SJK000000{n}" for n in range(3)}
    one = seen[0]
    assert (one["ours"], one["party"], one["currency"]) == (None, "********1222", "KES")
    assert one["age_seconds"] >= 2 * 24 * 3600 - 3600
    path = f"/breaks/{one['id']}/close"
    assert (await kamau.post(path, {"reason": " "})).code == "blank_reason"
    closed = await kamau.post(path, {"reason": "sold at the counter"})
    assert (closed.status, closed.body["state"], closed.body["closed_by"]) == (200, "closed", "Kamau")
    assert (await kamau.post(path, {"reason": "again"})).code == "not_open"
    assert (await kamau.get(f"/breaks/{one['id']}")).body["reason"] == "sold at the counter"
    assert (await kamau.get("/breaks?state=closed")).body["count"] == 1


async def test_the_same_request_again_is_answered_as_before(kamau):
    body, key = exported(*strangers()), {"Idempotency-Key": "november-24"}
    first = await kamau.post("/statements", body, **key)
    assert (await kamau.post("/statements", body, **key)).raw == first.raw


async def test_a_bad_file_is_refused_with_each_fault_and_keeps_nothing(kamau):
    bad = strangers()
    bad[1][5] = "ten"
    bad[2][1] = "yesterday"
    answer = await kamau.post("/statements", exported(*bad))
    assert (answer.status, answer.code) == (422, "invalid_statement")
    assert answer.body["faults"] == [
        "line 7: Paid In is no amount",
        "line 8: Completion Time is none that can be read, such as 2026-11-24 09:15:00",
    ]
    other = await kamau.post("/statements", exported(*strangers(), shortcode="600999"))
    assert "600999" in other.body["detail"]
    empty = {"provider": "mpesa", "content": ""}
    assert (await kamau.post("/statements", empty)).body["faults"] == ["the file is empty"]
    for provider in ("paystack", "nobody"):
        answer = await kamau.post("/statements", {"provider": provider, "content": "x"})
        assert (answer.status, answer.code) == (422, "no_statements")
    assert (await kamau.get("/breaks")).body["count"] == 0
    large = {"provider": "mpesa", "content": "x" * MOST_BYTES}
    assert (await kamau.post("/statements", large)).status == 413


async def test_what_is_asked_wrongly_or_by_others_is_refused(door, shop, kamau):
    for path, code in (
        ("/breaks?state=lost", "invalid_state"),
        ("/breaks?type=odd", "invalid_type"),
        ("/breaks?provider=nobody", "invalid_provider"),
        ("/breaks?cursor=x", "invalid_cursor"),
        (f"/breaks/{ABSENT}", "not_found"),
    ):
        assert (await kamau.get(path)).code == code
    assert (await kamau.post(f"/breaks/{ABSENT}/close", {"reason": "none"})).code == "not_found"
    cashier = await caller(door, shop, "Achieng")
    for path in ("/breaks", "/clearing", f"/breaks/{ABSENT}"):
        assert (await cashier.get(path)).status == 403
    assert (await cashier.post("/statements", exported(*strangers()))).status == 403


async def test_the_clearing_accounts_tell_since_when(door, shop, kamau):
    await door.fund(shop, "900")
    (only,) = (await kamau.get("/clearing")).body["results"]
    assert (only["account"], only["stands"], only["statements_until"]) == ("provider:mpesa", "-900.00", None)
    assert only["age_seconds"] >= 0
    assert only["too_old"] is False
