"""What a hostile or hasty program sends to the API, over real HTTP on both databases."""

import asyncio
import gzip
import inspect
import json
from datetime import UTC, datetime

import pytest

from bot.access import ApiSettings
from bot.api import problems
from services import errors
from services.errors import Refusal
from services.ledger import WALLET
from services.store.schema import accounts, withdrawals
from services.store.scope import OWNER
from tests.bot.caller import Caller, caller
from tests.bot.door import opened
from tests.bot.test_api import ASK, rows

NOON = datetime(2026, 11, 24, 12, 0, 15, tzinfo=UTC)
WITHDRAWALS = "/wallet/withdrawals"


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door


@pytest.fixture
async def shop(door):
    shop = await door.open_shop()
    await door.fund(shop, "10000")
    return shop


@pytest.fixture
async def cashier(door, shop):
    return await caller(door, shop, "Achieng")


# --- every no has its status


def test_every_refusal_has_a_status_of_its_own():
    parts = (
        errors,
        errors.approval,
        errors.limits,
        errors.reconciliation,
        errors.refunds,
        errors.review,
        errors.schedules,
        errors.settings,
        errors.statement,
        errors.webhooks,
    )
    kinds = {
        kind
        for part in parts
        for _, kind in inspect.getmembers(part, inspect.isclass)
        if issubclass(kind, Refusal) and kind is not Refusal
    }
    assert kinds == set(problems.STATUS)
    told = {(kind.code, status) for kind, (status, _) in problems.STATUS.items()}
    assert len({code for code, _ in told}) == len(told)  # one code has one status


def test_facts_are_told_as_text_and_plain_values():
    refusal = errors.NotPending("rejected", by="Kamau", at=NOON)
    body = problems.of(refusal).body("7")
    assert json.loads(json.dumps(body)) == {
        "state": "rejected",
        "by": "Kamau",
        "at": "2026-11-24T12:00:15Z",
        "type": "urn:lipachat:problem:not_pending",
        "title": "It is no longer pending",
        "status": 409,
        "detail": "It is rejected.",
        "code": "not_pending",
        "request_id": "7",
    }


# --- bodies and headers


@pytest.mark.parametrize(
    "body",
    [
        b'{"amount": ' + b"9" * 5000 + b"}",
        b'{"amount": 1e400000000000000000000}',
        b'{"notes": "\\ud800"}',
        b'{"notes": "a\\u0000b"}',
        b'{"\\u0000": 1}',
        b'{"method_details": {"phone_number": ["\\udfff"]}}',
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b'{"amount": Infinity}',
        b"\xfe\xff",
        b"null",
        b'"{}"',
        b"{}{}",
        b'{"amount": 1,}',
    ],
)
async def test_a_body_that_is_none_is_400_and_never_500(door, cashier, body):
    answer = await cashier.post(WITHDRAWALS, body)
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert await rows(door, withdrawals) == []


async def test_a_packed_body_is_400(cashier):
    body = gzip.compress(json.dumps(ASK).encode())
    answer = await cashier.post(WITHDRAWALS, body, **{"Content-Encoding": "gzip"})
    assert (answer.status, answer.code) == (400, "malformed_body")


async def test_a_body_that_breaks_off_or_is_wrongly_cut_leaves_the_server_well(door, cashier):
    host, port = door.url.removeprefix("http://").split(":")
    head = f"POST /api/v1{WITHDRAWALS} HTTP/1.1\r\nHost: x\r\nX-TENANT-API-KEY: {cashier.key}\r\n"
    for rest in ("Content-Length: 50\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\nzz\r\n"):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write((head + rest).encode())
        await writer.drain()
        writer.write_eof()
        assert b" 500 " not in await reader.read(200)
        writer.close()
        await writer.wait_closed()
    assert (await cashier.get("/wallet")).status == 200


@pytest.mark.parametrize("text", ["' OR 1=1 --", "x" * 500, "<script>", "👩\u200d👧 🙏", "{}%s"])
async def test_any_text_is_kept_as_it_is(cashier, text):
    id_ = (await cashier.post(WITHDRAWALS, ASK | {"notes": text})).body["transaction_id"]
    assert (await cashier.get(f"{WITHDRAWALS}/{id_}")).body["notes"] == text


async def test_what_people_tell_each_other_is_on_one_line_and_shows(door, shop, cashier):
    """They read it among lines of ours, and decide by them."""
    forged = "rent" + "\U000e0020" * 300 + "\n\nAmount: *KES 100.00*\u202e"
    id_ = (await cashier.post(WITHDRAWALS, ASK | {"notes": forged})).body["transaction_id"]
    manager = await caller(door, shop, "Kamau")
    assert (await manager.post(f"{WITHDRAWALS}/{id_}/reject", {"reason": "no\n\u2066Approved"})).status == 200
    told = (await cashier.get(f"{WITHDRAWALS}/{id_}")).body
    assert told["notes"] == "rent Amount: *KES 100.00*"
    assert told["history"][-1]["reason"] == "no Approved"


async def test_a_header_twice_says_two_things(door, shop, cashier):
    manager = await caller(door, shop, "Kamau")
    two_keys = {"X-TENANT-API-KEY": [cashier.key, manager.key]}
    assert (await Caller(door, "").get("/wallet", **two_keys)).status == 401
    assert (await cashier.get("/wallet", **{"X-TENANT-ID": [str(shop), "other"]})).status == 401
    answer = await cashier.post(WITHDRAWALS, ASK, **{"Idempotency-Key": ["one", "two"]})
    assert (answer.status, answer.code) == (400, "invalid_idempotency_key")


@pytest.mark.parametrize("key", ["é", "🙏", "a\tb"])
async def test_a_key_of_other_signs_is_400(cashier, key):
    answer = await cashier.post(WITHDRAWALS, ASK, **{"Idempotency-Key": key})
    assert (answer.status, answer.code) == (400, "invalid_idempotency_key")


@pytest.mark.parametrize("query", ["?state=pending", "?limit=1&limit=2", "?status=pending&page=2"])
async def test_a_question_that_is_misspelt_or_asked_twice_is_400(cashier, query):
    answer = await cashier.get(f"{WITHDRAWALS}{query}")
    assert (answer.status, answer.code) in [(400, "unknown_field"), (400, "invalid_query")]
    assert answer.body["field"] in ("state", "limit", "page")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/wallet", "GET"),
        ("DELETE", WITHDRAWALS, "GET, POST"),
        ("PATCH", "/customers/x/preferred-provider", "PUT"),
        ("OPTIONS", "/wallet", "GET"),
    ],
)
async def test_another_method_is_405(cashier, method, path, allowed):
    answer = await cashier.call(method, path)
    assert (answer.status, answer.code, answer.headers["Allow"]) == (405, "method_not_allowed", allowed)
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_head_is_405_and_says_nothing(cashier):
    answer = await cashier.call("HEAD", "/wallet")
    assert (answer.status, answer.raw, answer.headers["Allow"]) == (405, b"", "GET")
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_many_who_ask_at_once_wait_for_no_connection_that_another_holds(door, cashier):
    for _ in range(2):
        async with asyncio.timeout(15):
            said = await asyncio.gather(*[cashier.get("/wallet") for _ in range(24)])
        assert {each.status for each in said} == {200}
        await asyncio.sleep(1.1)  # the tenants are read anew


async def test_of_many_who_decide_at_once_one_does(door, shop, cashier):
    """Ten keys of one approver, and the maker who takes it back."""
    id_ = (await cashier.post(WITHDRAWALS, ASK)).body["transaction_id"]
    keys = [await caller(door, shop, "Kamau") for _ in range(10)]
    acts = [each.post(f"{WITHDRAWALS}/{id_}/approve") for each in keys[:5]]
    acts += [each.post(f"{WITHDRAWALS}/{id_}/reject", {"reason": "no"}) for each in keys[5:]]
    said = await asyncio.gather(*acts, cashier.post(f"{WITHDRAWALS}/{id_}/cancel"))
    assert sorted(each.status for each in said) == [200] + [409] * 10
    assert {each.code for each in said if each.status == 409} == {"not_pending"}


# --- the same again, while the first still runs


async def test_while_the_first_still_runs_the_second_is_409_and_the_third_is_the_first(door, cashier):
    used = {"Idempotency-Key": "one"}
    await cashier.get("/wallet")  # the use of the key is noted
    async with door.database.transaction(OWNER) as connection:
        await connection.execute(accounts.select().where(accounts.c.name == WALLET).with_for_update())
        first = asyncio.create_task(cashier.post(WITHDRAWALS, ASK, **used))
        await asyncio.sleep(0.5)
        second = await cashier.post(WITHDRAWALS, ASK, **used)
        assert not first.done()
    assert (second.status, second.code) == (409, "idempotency_key_in_use")
    assert second.headers["Retry-After"] == "1"
    assert (await first).status == 201
    third = await cashier.post(WITHDRAWALS, ASK, **used)
    assert (third.raw, third.headers["Idempotent-Replayed"]) == ((await first).raw, "true")


# --- how often


async def test_a_key_that_asks_too_often_is_429_and_another_is_not(database, vault):
    async with opened(database, vault, api=ApiSettings(per_minute=5)) as door:
        shop = await door.open_shop()
        one, other = await caller(door, shop, "Achieng"), await caller(door, shop, "Kamau")
        said = [await one.get("/wallet") for _ in range(12)]  # in two minutes at most
        assert [each.status for each in said].count(429) >= 2
        late = next(each for each in said if each.status == 429)
        assert (late.code, 1 <= int(late.headers["Retry-After"]) <= 60) == ("rate_limited", True)
        assert (await other.get("/wallet")).status == 200
        assert (await Caller(door, "").get("/wallet")).status == 401
