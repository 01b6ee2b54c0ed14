"""No route tells or changes anything of another tenant: each is called by one who may do all of it, with an
id of each kind that the other tenant has."""

import itertools
import re

import pytest
import sqlalchemy as sa

from bot.api.every import ROUTES
from services.people.access import SCOPES
from services.store.schema import metadata, staff
from services.store.scope import OWNER
from tests.bot.caller import caller
from tests.bot.door import NUMBER, opened
from tests.bot.test_api import ASK, change

BODY = {
    "reason": "because",
    "provider": "mpesa",
    "details": {"phone_number": "+254712345678"},
    "outcome": "paid",
    "reference": "UKP1234567",
    "note": "seen in the portal",
    "url": "https://elsewhere.example/",
    "enabled": False,
    "since": "2026-01-01T00:00:00Z",
}
SCHEDULE = {
    "name": "Fridays",
    "every": "week",
    "days": [5],
    "hour": 9,
    "most": "1000",
    "until": "2026-12-31",
    "method_type": "mpesa",
    "method_details": {"phone_number": "+254700123456"},
}
QUERY = {"/api/v1/customers/{id}/checkout-options": "?amount=100"}
WITH_IDS = [route for route in ROUTES if "{" in route.path]
LISTS = [route for route in ROUTES if route.method == "GET" and "{" not in route.path]


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door


@pytest.fixture
async def mine(door):
    """By one who may do everything at a shop of their own."""
    shop = await door.open_shop()
    await change(door, staff, staff.c.tenant_id == shop, scopes=sorted(SCOPES))
    return await caller(door, shop, "Kamau")


async def everything(door, tenant):
    """All that a tenant has, by table."""
    found = {}
    async with door.database.reading(OWNER) as connection:
        for table in metadata.sorted_tables:
            if "tenant_id" in table.c:
                query = sa.select(table).where(table.c.tenant_id == tenant)
                found[table.name] = sorted(map(repr, await connection.execute(query)))
    return found


async def ids_of(door, tenant):
    """One of each kind that has an id."""
    found = []
    async with door.database.reading(OWNER) as connection:
        for table in metadata.sorted_tables:
            if "tenant_id" in table.c and "id" in table.c:
                query = sa.select(table.c.id).where(table.c.tenant_id == tenant).limit(1)
                found += (await connection.execute(query)).scalars()
    return [str(each) for each in found]


async def busy_shop(door):
    """Another shop, with something of most that a shop can have."""
    shop = await door.open_shop(str(int(NUMBER) + 1))
    await door.fund(shop, "10000")
    await change(door, staff, staff.c.tenant_id == shop, scopes=sorted(SCOPES))
    theirs = await caller(door, shop, "Kamau")
    listening = await theirs.post("/webhooks/endpoints", {"url": "https://baraka.example/hooks"})
    customer = (await theirs.post("/customers", {"phone": "+254733000111", "name": "Baraka"})).body["id"]
    method = {"provider": "mpesa", "details": {"phone_number": "+254733000111"}}
    lines = [{"name": "Kitenge", "price": "500", "quantity": 1}]
    order = await theirs.post("/orders", {"customer_id": customer, "lines": lines})
    assert order.status == 201, order.raw
    made = [
        listening,
        await theirs.post(f"/customers/{customer}/payment-methods", method),
        order,
        await theirs.post(f"/orders/{order.body['id']}/checkout", {"provider": "mpesa"}),
        await theirs.post("/wallet/withdrawals", ASK),
        await theirs.post("/settings/changes", {"kind": "limits", "to": {"per_withdrawal": "5000"}}),
        await theirs.post("/wallet/schedules", SCHEDULE),
        await theirs.post(
            "/wallet/batches", b"to,number,amount\nphone,0712345678,100\n", **{"Content-Type": "text/csv"}
        ),
    ]
    assert [(said.status, said.raw) for said in made if said.status >= 300] == []
    return shop


async def test_no_route_tells_or_changes_what_is_anothers(door, mine):
    shop = await busy_shop(door)
    before, ids = await everything(door, shop), await ids_of(door, shop)
    assert len(ids) >= 14
    told = set()
    for route, each in itertools.product(WITH_IDS, ids):
        fields = route.body.model_fields if route.body else {}
        body = {name: BODY[name] for name in fields if name in BODY}
        path = re.sub(r"\{\w+\}", each, route.path) + QUERY.get(route.path, "")
        said = await mine.call(route.method, path, None if route.method == "GET" else body)
        told.add((said.status, route.method, route.path))
        assert b"Baraka" not in said.raw
        assert b"33000111" not in said.raw
    assert [each for each in told if each[0] != 404] == []
    assert await everything(door, shop) == before


async def test_no_list_has_what_is_anothers(door, mine):
    shop = await busy_shop(door)
    ids = [each.encode() for each in await ids_of(door, shop)]
    for route in LISTS:
        said = await mine.get(route.path)
        assert said.status in {200, 400, 422}, route.path
        assert [each for each in ids if each in said.raw] == [], route.path
        assert b"33000111" not in said.raw, route.path
