"""Who may call how often, and what is kept of every no, over real HTTP on both databases."""

import asyncio
import time
from datetime import timedelta

import pytest

from bot import guesses, metrics
from bot.access import ApiSettings
from bot.api.answers import Answer
from bot.api.refusals import SPAN, Refusals, Refused
from bot.api.routes import Routes
from services.people import apikeys
from services.store.schema import api_keys, audit, staff, tenants
from services.store.scope import PLATFORM
from tests.bot.caller import Caller, caller
from tests.bot.door import now, opened
from tests.bot.test_api import ASK, change, rows

GUESS = "lipa_0123456789ab_" + "0" * 64
GUESS += f"_{apikeys._checksum(GUESS)}"
NUMBERS = ("106540352242922", "106540352242999")


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


async def refusals(door):
    return [each.facts for each in await rows(door, audit) if each.action == "api.refused"]


def counted(**labels):
    return metrics.registry.get_sample_value("lipachat_api_refusals_total", labels) or 0


# --- deny by default


@pytest.mark.parametrize("scopes", [(), ("finance:everything",)])
def test_a_route_without_a_scope_that_there_is_cannot_be_made(scopes):
    with pytest.raises(ValueError, match="names no scope"):
        Routes("x").get("/x", *scopes, answer=Answer)


OPEN = {  # who needs no key, and what lets them in
    "/webhooks/whatsapp": "the verify token, or Meta's signature",
    "/webhooks/whatsapp/forms": "Meta's signature",
    "/hooks/{provider}/{slug}": "the provider's signature",
    "/hooks/{token}": "the token in the address",
    "/hooks/{token}/{rest}": "the token in the address",
    "/pay/{token}": "the token in the address",
    "/paid/{token}": "the token in the address",
    "/openapi.json": "tells what is published",
    "/docs": "tells what is published",
    "/docs/{name}": "tells what is published",
    "/livez": "tells that the process lives",
    "/readyz": "tells whether it is ready",
    "/metrics": "tells numbers; kept from the outside by the proxy",
    "/.well-known/security.txt": "tells whom to write to",
}


# --- how often


async def test_all_keys_of_a_tenant_together_have_a_limit_and_another_tenant_has_its_own(database, vault):
    limits = ApiSettings(per_minute=10, tenant_per_minute=15)
    async with opened(database, vault, api=limits) as door:
        one, other = [await door.open_shop(number) for number in NUMBERS]
        first, second = [await caller(door, one, name) for name in ("Achieng", "Kamau")]
        said = [await each.get("/wallet") for each in (first, second) for _ in range(25)]
        # In two minutes at most. What the first asks in vain is not counted for the second.
        assert [each.status for each in said[25:]].count(200) >= 5
        assert [each.status for each in said].count(200) in range(15, 31)
        whole = [each.body["detail"] for each in said if each.status == 429]
        assert {detail.partition(" may")[0] for detail in whole} == {"A key", "All keys of a tenant together"}
        assert (await (await caller(door, other, "Kamau")).get("/wallet")).status == 200


async def test_who_guesses_is_slowed_and_a_right_key_from_the_same_address_is_not(
    database, vault, monkeypatch
):
    monkeypatch.setattr(guesses, "_PAUSE_SECONDS", 0.2)
    async with opened(database, vault, api=ApiSettings(wrong_per_minute=3)) as door:
        cashier = await caller(door, await door.open_shop(), "Achieng")
        said = [await Caller(door, GUESS).get("/wallet") for _ in range(8)]
        assert [each.status for each in said[:3]] == [401] * 3
        late = [each for each in said if each.status == 429]
        assert late
        assert {each.code for each in late} == {"rate_limited"}
        assert all(1 <= int(each.headers["Retry-After"]) <= 60 for each in late)
        began = time.monotonic()
        asked = [Caller(door, GUESS).get("/wallet") for _ in range(50)]
        _, mine = await asyncio.gather(asyncio.gather(*asked), cashier.get("/wallet"))
        assert mine.status == 200
        assert (await cashier.get("/wallet")).status == 200
        assert time.monotonic() - began < 5


async def test_who_guesses_is_known_by_what_trusted_proxies_say(database, vault):
    async with opened(database, vault, api=ApiSettings(wrong_per_minute=1)) as door:
        said = [
            (await Caller(door, GUESS).get("/wallet", **{"X-Forwarded-For": f"203.0.113.{n}"})).status
            for n in range(5)
        ]
        assert said == [401] * 5  # the test's own address is a trusted proxy
        more = {"X-Forwarded-For": "203.0.113.1"}
        assert 429 in [(await Caller(door, GUESS).get("/wallet", **more)).status for _ in range(3)]


async def test_wrong_tokens_are_slowed_and_answered_as_ever(database, vault, monkeypatch):
    monkeypatch.setattr(guesses, "_PAUSE_SECONDS", 0.2)
    async with opened(database, vault, api=ApiSettings(wrong_per_minute=2)) as door:
        token = await door.mint(await door.open_shop())
        began = time.monotonic()
        for n in range(6):
            assert (await door.post(f"/hooks/{n:064x}", b"{}")).status == 404
            asked = {"hub.mode": "subscribe", "hub.verify_token": f"guess {n}"}
            assert (await door.get("/webhooks/whatsapp", **asked)).status == 403
        assert time.monotonic() - began > 0.2 * 2
        assert (await door.post(f"/hooks/{token}", b"{}")).status == 200


# --- every no is kept


async def test_a_missing_scope_is_in_the_audit_of_the_tenant_once_however_often(door, cashier, manager):
    before = counted(status="403", code="missing_scope", because="catalog:view")
    for _ in range(5):
        assert (await cashier.post("/wallet/withdrawals/x/approve")).status == 403
    [told] = await refusals(door)
    assert told == {
        "prefix": cashier.prefix,
        "route": "POST /api/v1/wallet/withdrawals/{id}/approve",
        "status": "403",
        "code": "missing_scope",
        "because": "finance:withdraw:approve",
        "times": 1,
    }
    [entry] = [each for each in await rows(door, audit) if each.action == "api.refused"]
    assert (entry.actor, entry.channel, entry.via) == (str(cashier.person), "api", cashier.prefix)
    assert counted(status="403", code="missing_scope", because="finance:withdraw:approve") >= 5
    assert counted(status="403", code="missing_scope", because="catalog:view") == before


async def test_four_eyes_are_in_the_audit_too(door, shop, manager):
    await change(door, staff, staff.c.person_id == manager.person, role="Owner")
    id_ = (await manager.post("/wallet/withdrawals", ASK)).body["transaction_id"]
    assert (await manager.post(f"/wallet/withdrawals/{id_}/approve")).code == "four_eyes_violation"
    assert [(each["code"], each["route"]) for each in await refusals(door)] == [
        ("four_eyes_violation", "POST /api/v1/wallet/withdrawals/{id}/approve")
    ]


async def test_a_key_that_was_ours_is_told_apart_from_one_that_never_was(door, shop, cashier, manager):
    other = await door.open_shop(NUMBERS[1])
    assert (await manager.get("/wallet", **{"X-TENANT-ID": str(other)})).status == 401
    await change(door, staff, staff.c.person_id == cashier.person, active=False)
    assert (await cashier.get("/wallet")).status == 401
    mine = api_keys.c.prefix == cashier.prefix
    await change(door, api_keys, mine, expires_at=now() - timedelta(seconds=1))
    assert (await cashier.get("/wallet")).status == 401
    async with door.database.transaction(PLATFORM) as connection:
        await apikeys.revoke(connection, door.vault, cashier.prefix, now())
    assert (await cashier.get("/wallet")).status == 401
    await change(door, tenants, tenants.c.id == shop, active=False)
    assert (await manager.get("/wallet")).status == 401
    told = [(each["because"], each["prefix"]) for each in await refusals(door)]
    assert told == [
        ("another_tenant", manager.prefix),
        ("suspended", cashier.prefix),
        ("expired", cashier.prefix),
        ("revoked", cashier.prefix),
        ("switched_off", manager.prefix),
    ]
    assert {each.tenant_id for each in await rows(door, audit) if each.action == "api.refused"} == {shop}


async def test_who_knows_a_prefix_alone_writes_nothing_into_the_audit(door, cashier):
    before = counted(status="401", code="unauthenticated", because="unknown_key")
    body = f"{cashier.prefix}_{'0' * 64}"
    said = await Caller(door, f"{body}_{apikeys._checksum(body)}").get("/wallet")
    assert said.status == 401
    assert await refusals(door) == []
    assert counted(status="401", code="unauthenticated", because="unknown_key") == before + 1


async def test_too_many_requests_are_in_the_audit_and_a_flood_of_them_is_a_line(database, vault):
    async with opened(database, vault, api=ApiSettings(per_minute=2)) as door:
        cashier = await caller(door, await door.open_shop(), "Achieng")
        for _ in range(20):
            await cashier.get("/wallet")
        [told] = await refusals(door)
        assert (told["code"], told["because"], told["route"]) == ("rate_limited", "key", "GET /api/v1/wallet")


async def test_how_many_more_there_were_is_told_when_the_span_is_over(door, shop, cashier):
    times = [now()]
    kept = Refusals(door.database, door.vault, lambda: times[0])
    refused = Refused(shop, cashier.person, cashier.prefix, "GET /x", 403, "missing_scope", "audit:view")
    for _ in range(100):
        await kept.note(refused)
    await kept.look()
    assert [each["times"] for each in await refusals(door)] == [1]
    times[0] += SPAN
    await kept.look()
    assert [each["times"] for each in await refusals(door)] == [1, 99]
    await kept.look(all_of_them=True)  # nothing more
    for _ in range(3):
        await kept.note(refused)
    times[0] += SPAN
    await kept.note(refused)
    assert [each["times"] for each in await refusals(door)] == [1, 99, 1, 3]
    assert kept._spans[refused].more == 0


async def test_what_was_counted_is_recorded_when_the_process_ends(database, vault):
    async with opened(database, vault) as door:
        cashier = await caller(door, await door.open_shop(), "Achieng")
        for _ in range(4):
            await cashier.get("/audit")
        assert [each["times"] for each in await refusals(door)] == [1]
        database = door.database
    async with opened(database, vault) as door:
        assert [each["times"] for each in await refusals(door)] == [1, 3]
