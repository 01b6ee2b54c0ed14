"""The lasting address at which Pesapal tells that something has changed: by GET and by POST."""

import json

import pytest
import sqlalchemy as sa

from services import hooks
from services.ids import new_id
from services.store.schema import inbox
from services.store.scope import OWNER
from services.work import Work
from tests.bot.door import now, opened

TOLD = {
    "OrderTrackingId": "b945e4af-80a5-4ec1-8706-e03f8332fb04",
    "OrderMerchantReference": str(new_id()),
    "OrderNotificationType": "IPNCHANGE",
}
ANSWERED = {
    "orderNotificationType": "IPNCHANGE",
    "orderTrackingId": TOLD["OrderTrackingId"],
    "orderMerchantReference": TOLD["OrderMerchantReference"],
    "status": 200,
}


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door


@pytest.fixture
async def path(door):
    tenant = await door.open_shop()
    async with door.database.transaction(tenant) as connection:
        address = await hooks.lasting(Work(connection, door.vault, tenant, now()), door.url, "pesapal")
    return address.removeprefix(door.url)


async def bodies(door):
    async with door.database.reading(OWNER) as connection:
        rows = (await connection.execute(sa.select(inbox).order_by(inbox.c.seq))).all()
    return [await door.body(row.external_id) for row in rows if row.kind == "hook"]


async def test_by_post_it_is_stored_and_answered_as_pesapal_wants_it(door, path):
    body = json.dumps(TOLD).encode()
    answer = await door.post(path, body)
    assert (answer.status, json.loads(answer.text)) == (200, ANSWERED)
    assert await bodies(door) == [body]


async def test_by_get_too(door, path):
    answer = await door.get(path, **TOLD)
    assert (answer.status, json.loads(answer.text)) == (200, ANSWERED)
    assert await bodies(door) == ["&".join(f"{name}={value}" for name, value in TOLD.items()).encode()]


async def test_the_same_words_again_are_another_change(door, path):
    for _ in range(2):
        await door.post(path, json.dumps(TOLD).encode())
    assert len(await bodies(door)) == 2


@pytest.mark.parametrize("body", [b"", b"[]", b'{"OrderTracking', b"\xff\x00"], ids=repr)
async def test_whatever_comes_is_stored(door, path, body):
    answer = await door.post(path, body)
    assert (answer.status, json.loads(answer.text)["status"]) == (200, 200)
    assert await bodies(door) == [body]


async def test_an_address_that_nobody_was_given_is_404_by_both(door, path):
    for wrong in (f"/hooks/{'0' * 64}", path[:-1], f"{path[:-1]}x"):
        assert (await door.post(wrong, json.dumps(TOLD).encode())).status == 404
        assert (await door.get(wrong, **TOLD)).status == 404
    assert await bodies(door) == []
