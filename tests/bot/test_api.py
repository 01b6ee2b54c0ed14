"""The rules of the API, over real HTTP on both databases."""

import asyncio
import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from bot.api.every import ROUTES
from bot.api.routes import MOST_BYTES
from services import approval, ledger
from services.people import apikeys, tenant_file
from services.people.access import SCOPES
from services.people.apply import apply
from services.store.schema import api_answers, api_keys, audit, staff, tenants, withdrawals
from services.store.scope import OWNER
from services.withdrawals.record import WITHDRAWAL
from services.work import Work
from tests.bot.caller import Caller, caller
from tests.bot.door import NUMBER, SHOP, now, opened
from tests.conftest import BOTH

NO_AMOUNTS: tuple[Any, ...] = (0, -1, "-1", "1e3", "", "ten", " 1", "10.999", 10.999, True, None, [], "1,000")
ASK = {"amount": "1000", "method_type": "mpesa", "method_details": {"phone_number": "0712345678"}}


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


@pytest.fixture
async def manager(door, shop):
    return await caller(door, shop, "Kamau")


async def change(door, table, where, **values):
    async with door.database.transaction(OWNER) as connection:
        await connection.execute(sa.update(table).where(where).values(**values))


async def rows(door, table):
    """In the order of their keys: PostgreSQL puts new rows where there is room."""
    async with door.database.reading(OWNER) as connection:
        return (await connection.execute(sa.select(table).order_by(*table.primary_key))).all()


def test_every_route_has_a_scope_that_there_is_and_every_post_a_body():
    assert [route.path for route in ROUTES if not route.scopes or set(route.scopes) - set(SCOPES)] == []
    assert [
        route.path for route in ROUTES if route.method == "POST" and route.body is None and not route.file
    ] == []


# --- whom it wakes


async def test_a_call_wakes_those_for_whom_it_leaves_something_and_nobody_else(door, cashier, manager):
    await cashier.post("/wallet/withdrawals", {"amount": "no"})
    await manager.get("/wallet")
    assert door.bell.rung == []
    asked = await cashier.post("/wallet/withdrawals", ASK)
    assert set(door.bell.rung) == {"turns"}
    door.bell.rung.clear()
    path = f"/wallet/withdrawals/{asked.body['transaction_id']}"
    assert (await manager.post(f"{path}/approve")).status == 200
    assert set(door.bell.rung) == {"turns", "jobs"}


# --- who calls


async def test_a_key_is_taken_by_either_header(door, cashier):
    assert (await cashier.get("/wallet")).status == 200
    bearer = {"Authorization": f"Bearer {cashier.key}"}
    assert (await Caller(door, "").get("/wallet", **bearer)).status == 200


@pytest.mark.parametrize("wrong", ["", "x", "lipa_0", "ü"])
async def test_a_wrong_key_is_401_before_anything_else(door, shop, wrong):
    answer = await Caller(door, "").post(
        "/wallet/withdrawals", b"{", **({"Authorization": f"Bearer {wrong}"} if wrong else {})
    )
    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]


async def test_two_different_keys_and_a_mistyped_one_are_401(door, cashier, manager):
    both = {"Authorization": f"Bearer {manager.key}"}
    assert (await cashier.get("/wallet", **both)).status == 401
    last = "0" if cashier.key[-1] != "0" else "1"
    assert (await Caller(door, cashier.key[:-1] + last).get("/wallet")).status == 401


async def test_the_tenant_that_is_named_must_be_the_keys(door, shop, cashier):
    other = await door.open_shop("106540352242999")
    for named, status in [
        (str(shop), 200),
        ("shop-106540352242922", 200),
        (str(other), 401),
        ("shop-106540352242999", 401),
        ("", 401),
    ]:
        assert (await cashier.get("/wallet", **{"X-TENANT-ID": named})).status == status


async def test_who_is_revoked_expired_suspended_or_switched_off_is_401_at_once(door, shop, cashier, manager):
    mine = api_keys.c.prefix == cashier.prefix
    await change(door, staff, staff.c.person_id == cashier.person, active=False)
    assert (await cashier.get("/wallet")).status == 401
    await change(door, staff, staff.c.person_id == cashier.person, active=True)
    assert (await cashier.get("/wallet")).status == 200
    await change(door, api_keys, mine, expires_at=now() - timedelta(seconds=1))
    assert (await cashier.get("/wallet")).status == 401
    async with door.database.transaction(OWNER) as connection:
        assert await apikeys.revoke(connection, door.vault, manager.prefix, now())
    assert (await manager.get("/wallet")).status == 401
    await change(door, api_keys, mine, expires_at=now() + timedelta(days=1))
    await change(door, tenants, tenants.c.id == shop, active=False)
    assert (await cashier.get("/wallet")).status == 401


@pytest.mark.parametrize("achieng", ["", '[[staff]]\nname = "Achieng"\nrole = "Cashier"\nactive = false\n'])
async def test_the_keys_of_who_is_let_go_end_and_do_not_come_back_with_them(
    door, shop, cashier, manager, achieng
):
    """Whoever had them may not be who has come back."""
    text = SHOP.format(number=NUMBER, active="true")
    head, _, kamau = text.split("[[staff]]")
    for file in (head + achieng + "[[staff]]" + kamau, text):
        async with door.database.transaction(shop) as connection:
            changed = await apply(Work(connection, door.vault, shop, now()), tenant_file.read(file))
        assert changed.changed == ["staff.Achieng"]
        assert (await cashier.get("/wallet")).status == 401
    assert (await manager.get("/wallet")).status == 200
    (told,) = [each for each in await rows(door, audit) if each.action == "apikey.revoked"]
    assert (told.target, told.facts) == (
        str(cashier.person),
        {"prefix": cashier.prefix, "because": "left"},
    )
    assert (await (await caller(door, shop, "Achieng")).get("/wallet")).status == 200


async def test_the_scopes_are_the_persons_at_each_request(door, cashier):
    await change(door, staff, staff.c.person_id == cashier.person, role="Analyst")
    answer = await cashier.post("/wallet/withdrawals", b"{")
    assert (answer.status, answer.code) == (403, "missing_scope")
    assert answer.body["required_scope"] == "finance:withdraw:initiate"
    assert "finance:withdraw:initiate" in answer.body["detail"]


async def test_the_key_is_not_stored_and_its_last_use_is_noted(door, cashier):
    await cashier.get("/wallet")
    [row] = await rows(door, api_keys)
    assert cashier.key.split("_")[2] not in repr(row)
    assert row.last_used_at is not None
    assert [each.action for each in await rows(door, audit)].count("apikey.created") == 1


# --- what was sent


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_body"),
        (b"{", "malformed_body"),
        (b"[]", "malformed_body"),
        (b"\xff", "malformed_body"),
        (b'{"amount": NaN}', "malformed_body"),
        (b'{"amount": "1", "amount": "2"}', "malformed_body"),
        (b"[" * 30000, "malformed_body"),
        (ASK | {"method_type": "cash"}, "malformed_body"),
        (ASK | {"to": "me"}, "unknown_field"),
        (ASK | {"to": "me", "amount": None}, "unknown_field"),
        *[(ASK | {"amount": amount}, "invalid_amount") for amount in NO_AMOUNTS],
    ],
)
async def test_a_wrong_body_is_400(door, cashier, body, code):
    answer = await cashier.post("/wallet/withdrawals", body)
    assert (answer.status, answer.code) == (400, code)
    assert await rows(door, withdrawals) == []


@pytest.mark.parametrize("amount", [b"1000", b"1000.00", b'"1000"', b'"1000.00"'])
async def test_amounts_are_taken_as_text_or_number_and_given_as_text(cashier, amount):
    details = b'"method_type": "mpesa", "method_details": {"phone_number": "0712345678"}'
    answer = await cashier.post("/wallet/withdrawals", b'{"amount": ' + amount + b", " + details + b"}")
    assert (answer.status, answer.body["amount"], answer.body["net_amount"]) == (201, "1000.00", "967.00")


async def test_digits_are_not_rounded_by_a_float(cashier):
    body = b'{"amount": 1000.0000000000000000001, "method_type": "mpesa", "method_details": {}}'
    assert (await cashier.post("/wallet/withdrawals", body)).code == "invalid_amount"


async def test_a_body_has_a_limit(cashier):
    answer = await cashier.post("/wallet/withdrawals", b" " * (MOST_BYTES + 1))
    assert (answer.status, answer.code) == (413, "body_too_large")


async def test_unknown_paths_and_methods_answer_problems_too(cashier):
    for path in ("/nothing", "/wallet/", "/api/v2/wallet", "/api/"):
        answer = await cashier.get(path)
        assert (answer.status, answer.code) == (404, "not_found")
    answer = await cashier.call("PUT", "/wallet")
    assert (answer.status, answer.code, answer.headers["Allow"]) == (405, "method_not_allowed", "GET")


# --- the same again


async def test_the_same_key_and_body_has_one_effect_and_the_same_bytes(door, cashier):
    first = await cashier.post("/wallet/withdrawals", ASK, **{"Idempotency-Key": "one"})
    again = await cashier.post("/wallet/withdrawals", ASK, **{"Idempotency-Key": '"one"'})
    assert (again.status, again.raw) == (201, first.raw)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(await rows(door, withdrawals)) == 1


async def test_a_refusal_is_repeated_as_it_was(cashier):
    large = ASK | {"amount": "99000"}
    said = [await cashier.post("/wallet/withdrawals", large, **{"Idempotency-Key": "1"}) for _ in range(2)]
    assert [each.status for each in said] == [422, 422]
    assert said[0].raw == said[1].raw
    assert said[1].headers["Content-Type"].startswith("application/problem+json")


async def test_another_body_is_refused_and_another_person_begins_anew(door, cashier, shop):
    used = {"Idempotency-Key": "one"}
    await cashier.post("/wallet/withdrawals", ASK, **used)
    answer = await cashier.post("/wallet/withdrawals", ASK | {"amount": "2000"}, **used)
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    other = await caller(door, shop, "Kamau")
    assert (await other.post("/wallet/withdrawals", ASK, **used)).status == 201


async def test_the_same_body_written_another_way_is_the_same(door, cashier):
    used = {"Idempotency-Key": "one"}
    first = await cashier.post("/wallet/withdrawals", ASK, **used)
    backwards = dict(reversed(ASK.items()))
    for body in (
        json.dumps(ASK, indent=2),
        json.dumps(backwards),
        json.dumps(backwards, separators=(",", ":")),
    ):
        again = await cashier.post("/wallet/withdrawals", body.encode(), **used)
        assert (again.status, again.raw) == (201, first.raw)
        assert "Idempotent-Replayed" in again.headers
    assert len(await rows(door, withdrawals)) == 1


@pytest.mark.parametrize(
    ("one", "another"),
    [
        (b'{"amount": 1}', b'{"amount": "1"}'),
        (b'{"amount": 1}', b'{"amount": 1.0}'),
        (b'{"amount": 1.5}', b'{"amount": "1.5"}'),
        (b'{"amount": 1}', b'{"amount": true}'),
        (b'{"amount": null}', b"{}"),
        (b'{"amount": 1, "amount": 2}', b'{"amount": 2}'),
        (b'{"lines": [1, 2]}', b'{"lines": [2, 1]}'),
        (b"garbage", b" garbage"),
        (b"[" * 9000, b"[" * 9001),
    ],
)
async def test_what_says_something_else_is_another_body(cashier, one, another):
    used = {"Idempotency-Key": "one"}
    assert (await cashier.post("/wallet/withdrawals", one, **used)).status == 400
    assert (await cashier.post("/wallet/withdrawals", another, **used)).code == "idempotency_key_reused"


async def test_no_body_at_all_is_an_empty_one_here_too(cashier):
    used = {"Idempotency-Key": "one"}
    first = await cashier.post("/wallet/withdrawals", b"", **used)
    assert (await cashier.post("/wallet/withdrawals", b" {} ", **used)).raw == first.raw


async def test_what_the_release_before_has_kept_is_still_the_same(door, cashier):
    used = {"Idempotency-Key": "one"}
    raw = json.dumps(ASK).encode()
    first = await cashier.post("/wallet/withdrawals", raw, **used)
    await change(door, api_answers, sa.true(), body_hash=hashlib.sha256(raw).digest())
    assert (await cashier.post("/wallet/withdrawals", raw, **used)).raw == first.raw


async def test_it_is_kept_35_days(door, cashier):
    used = {"Idempotency-Key": "one"}
    await cashier.post("/wallet/withdrawals", ASK, **used)
    await change(door, api_answers, sa.true(), created_at=now() - timedelta(days=34, hours=23))
    assert "Idempotent-Replayed" in (await cashier.post("/wallet/withdrawals", ASK, **used)).headers
    await change(door, api_answers, sa.true(), created_at=now() - timedelta(days=35))
    assert "Idempotent-Replayed" not in (await cashier.post("/wallet/withdrawals", ASK, **used)).headers


@pytest.mark.parametrize("wrong", ["", '""', "a b", "x" * 256])
async def test_a_key_that_is_none_is_400(cashier, wrong):
    answer = await cashier.post("/wallet/withdrawals", ASK, **{"Idempotency-Key": wrong})
    assert (answer.status, answer.code) == (400, "invalid_idempotency_key")


async def test_at_once_it_has_one_effect(door, cashier):
    used = {"Idempotency-Key": "one"}
    said = await asyncio.gather(*[cashier.post("/wallet/withdrawals", ASK, **used) for _ in range(8)])
    assert len(await rows(door, withdrawals)) == 1
    assert {each.status for each in said} <= {201, 409}
    assert len({each.raw for each in said if each.status == 201}) == 1
    assert {each.code for each in said if each.status == 409} <= {"idempotency_key_in_use"}


@pytest.mark.postgres
async def test_at_once_in_two_processes_it_has_one_effect(postgres, vault):
    async with opened(postgres, vault) as one, opened(postgres, vault) as two:
        shop = await one.open_shop()
        await one.fund(shop, "10000")
        first = await caller(one, shop, "Achieng")
        second = Caller(two, first.key)
        asked = [
            each.post("/wallet/withdrawals", ASK, **{"Idempotency-Key": "k"}) for each in (first, second)
        ]
        said = await asyncio.gather(*asked)
        assert len(await rows(one, withdrawals)) == 1
        assert {each.status for each in said} <= {201, 409}


@pytest.mark.parametrize("database", BOTH[1:], indirect=True)
async def test_what_is_broken_off_for_another_one_is_begun_again(door, shop, cashier, manager):
    """They wait for each other; PostgreSQL breaks off the one that has waited for a second."""
    asked = (await cashier.post("/wallet/withdrawals", json.dumps(ASK).encode())).body["transaction_id"]
    async with door.database.transaction(shop) as connection:
        work = Work(connection, door.vault, shop, now())
        await ledger.lock_wallet(work, "KES")
        rejecting = asyncio.create_task(
            manager.post(f"/wallet/withdrawals/{asked}/reject", b'{"reason": "not today"}')
        )
        await asyncio.sleep(0.3)
        await approval.locked(work, WITHDRAWAL, UUID(asked))
    answer = await rejecting
    assert (answer.status, answer.body["status"]) == (200, "rejected")
