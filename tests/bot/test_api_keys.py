"""Keys of the API over their lives: what is stored of them, until when they work, what replaces them."""

import json
import re
from datetime import timedelta

import pytest

from services.people import apikeys
from services.store.schema import api_keys, audit, staff
from services.store.scope import PLATFORM
from services.work import CLI, Work
from tests.bot.caller import Caller, caller
from tests.bot.door import envelope, now, opened, text
from tests.bot.test_api import change, rows

YEAR = timedelta(days=365)


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door


@pytest.fixture
async def shop(door):
    return await door.open_shop()


@pytest.fixture
async def cashier(door, shop):
    return await caller(door, shop, "Achieng")


async def acting(door, shop, act, at=None):
    async with door.database.transaction(shop) as connection:
        return await act(Work(connection, door.vault, shop, at or now(), CLI))


async def rotated(door, shop, prefix, overlap):
    return await acting(door, shop, lambda work: apikeys.rotate(work, prefix, overlap))


async def test_a_key_says_what_it_is_and_is_stored_as_a_keyed_hash_alone(door, shop, cashier):
    written = re.compile(r"(lipa_[0-9a-f]{12})_([0-9a-f]{64})_([0-9a-f]{8})")
    [(prefix, secret, checksum)] = written.findall(cashier.key)
    [row] = await rows(door, api_keys)
    assert (row.prefix, prefix) == (cashier.prefix, cashier.prefix)
    assert secret not in repr(row)
    assert bytes.fromhex(secret) not in row.key_index
    assert row.key_index == door.vault.mark(cashier.key, shop, "api_keys.key")
    assert row.key_index != door.vault.mark(
        cashier.key, row.person_id, "api_keys.key"
    )  # of this tenant alone
    assert apikeys._checksum(f"{prefix}_{secret}") == checksum


async def test_a_mistyped_key_is_refused_without_asking_the_database(door, cashier):
    for place in (8, 30, 80, 88):
        wrong = cashier.key[:place] + ("0" if cashier.key[place] != "0" else "1") + cashier.key[place + 1 :]
        assert apikeys._prefix(wrong) is None
        assert (await Caller(door, wrong).get("/wallet")).status == 401
    assert apikeys._prefix(cashier.key) == cashier.prefix


async def test_it_lasts_as_long_as_was_chosen(door, shop, cashier):
    made = await acting(
        door, shop, lambda work: apikeys.create(work, cashier.person, timedelta(days=7)), now()
    )
    assert timedelta(days=6, hours=23) < made.expires_at - now() <= timedelta(days=7)
    short = Caller(door, made.text)
    assert (await short.get("/wallet")).status == 200
    for at, known in ((made.expires_at - timedelta(seconds=1), True), (made.expires_at, False)):
        async with door.database.reading(PLATFORM) as connection:
            found = await apikeys.holder(connection, door.vault, made.text, at)
        assert isinstance(found, apikeys.Holder) is known


async def test_a_rotated_key_works_beside_the_new_one_and_then_not(door, shop, cashier):
    made = await rotated(door, shop, cashier.prefix, timedelta(hours=2))
    assert made.person_id == cashier.person
    for key in (cashier.key, made.text):
        assert (await Caller(door, key).get("/wallet")).status == 200
    assert timedelta(hours=1, minutes=59) < made.replaced_until - now() <= timedelta(hours=2)
    async with door.database.reading(PLATFORM) as connection:
        at = made.replaced_until
        over = await apikeys.holder(connection, door.vault, cashier.key, at)
        assert over == apikeys.Void(shop, cashier.person, cashier.prefix, "expired")
        new = await apikeys.holder(connection, door.vault, made.text, at)
        assert isinstance(new, apikeys.Holder)
    again = await rotated(door, shop, made.prefix, timedelta(0))
    assert (await Caller(door, made.text).get("/wallet")).status == 401
    assert (await Caller(door, again.text).get("/wallet")).status == 200


async def test_a_rotation_makes_no_key_last_longer(door, shop, cashier):
    mine = api_keys.c.prefix == cashier.prefix
    soon = now() + timedelta(minutes=5)
    await change(door, api_keys, mine, expires_at=soon)
    made = await rotated(door, shop, cashier.prefix, timedelta(days=1))
    assert made.replaced_until == soon


async def test_what_works_no_more_is_not_rotated(door, shop, cashier):
    assert await rotated(door, shop, "lipa_000000000000", YEAR) is None
    await change(door, staff, staff.c.person_id == cashier.person, active=False)
    assert await rotated(door, shop, cashier.prefix, YEAR) is None
    await change(door, staff, staff.c.person_id == cashier.person, active=True)
    other = await door.open_shop("106540352242999")
    assert await rotated(door, other, cashier.prefix, YEAR) is None  # another tenant's
    await change(door, api_keys, api_keys.c.prefix == cashier.prefix, expires_at=now())
    assert await rotated(door, shop, cashier.prefix, YEAR) is None
    assert len(await rows(door, api_keys)) == 1


async def test_a_rotation_is_audited_and_told(door, shop, cashier):
    assert (await door.update(envelope(text("w1", **{"from": "254722000001"})))).status == 200
    made = await rotated(door, shop, cashier.prefix, timedelta(hours=1))
    said = [each for each in await rows(door, audit) if each.action.startswith("apikey.")]
    assert [each.action for each in said] == ["apikey.created", "apikey.created", "apikey.rotated"]
    assert said[2].facts == {"prefix": cashier.prefix, "by": made.prefix}
    assert said[2].after == {"expires_at": made.replaced_until.isoformat()}
    assert said[2].before["expires_at"] > said[2].after["expires_at"]
    assert made.text not in repr(said)
    [news] = [name for kind, name in await door.stored("kind", "external_id") if kind == "news"]
    told = json.loads(await door.body(news))
    assert (told["kind"], told["name"], told["prefix"]) == ("key_rotated", "Achieng", cashier.prefix)


async def test_all_keys_are_listed_with_how_they_stand(door, shop, cashier):
    await cashier.get("/wallet")
    manager, old, gone = [await caller(door, shop, name) for name in ("Kamau", "Achieng", "Achieng")]
    await change(door, api_keys, api_keys.c.prefix == old.prefix, expires_at=now())
    async with door.database.transaction(PLATFORM) as connection:
        await apikeys.revoke(connection, door.vault, gone.prefix, now())
    await caller(door, await door.open_shop("106540352242999"), "Kamau")  # of another tenant
    await change(door, staff, staff.c.person_id == manager.person, active=False)
    told = await acting(door, shop, apikeys.listed)
    assert {each.prefix: each.state for each in told} == {
        cashier.prefix: "active",
        manager.prefix: "suspended",
        old.prefix: "expired",
        gone.prefix: "revoked",
    }
    mine = next(each for each in told if each.prefix == cashier.prefix)
    assert (mine.staff, mine.staff_id, mine.revoked_at) == ("Achieng", cashier.person, None)
    assert mine.last_used_at is not None
    assert [each.last_used_at for each in told if each is not mine] == [None] * 3
