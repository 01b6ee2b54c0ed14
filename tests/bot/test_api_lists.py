"""Lists of the API: however many rows a page has, the database is asked for it as often."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from services.people.tenants import TenantBook
from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import attempts
from tests.bot.caller import Caller, caller
from tests.bot.door import Door, opened
from tests.bot.test_api import ASK, rows
from tests.bot.test_api_batches import CSV, TWO
from tests.bot.test_api_refunds import MORE, succeeds

_MANY, _REFUNDS = 50, 12
_LISTS = {
    "/wallet/withdrawals": _MANY,
    "/wallet/statement": _MANY,
    "/audit": _MANY,
    "/webhooks/deliveries": _MANY,
    "/refunds": _REFUNDS,
    "/settings/changes": _REFUNDS,
}


class _Known(TenantBook):
    """Does not look every few seconds whether the tenants have changed."""

    def __init__(self, database: Database, vault: Vault, clock: Callable[[], datetime]) -> None:
        at = clock()
        super().__init__(database, vault, lambda: at)


@contextmanager
def asked(database: Database) -> Iterator[list[str]]:
    """The statements of all reads; on SQLite, whose driver tells of them: they are the same."""
    told: list[str] = []

    def listen(connection: Any, *_: Any) -> None:
        connection.driver_connection._conn.set_trace_callback(told.append)

    pool = database._reader.sync_engine.pool
    sa.event.listen(pool, "checkout", listen)
    try:
        yield told
    finally:
        sa.event.remove(pool, "checkout", listen)


@pytest.fixture
async def door(sqlite, vault):
    async with opened(sqlite, vault, book=_Known) as door:
        yield door


async def filled(door: Door) -> Caller:
    """By as many of each as `_LISTS` says; who reads it."""
    shop = await door.open_shop(more=MORE)
    owner, cashier = await caller(door, shop, "Njeri"), await caller(door, shop, "Achieng")
    assert (await owner.post("/webhooks/endpoints", {"url": "https://shop.example/hooks"})).status == 201
    for _ in range(_MANY):
        await door.fund(shop, "100")
        made = await cashier.post("/wallet/withdrawals", ASK | {"amount": "50"})
        assert made.status == 201, made.body
    customer = (await owner.post("/customers", {"phone": "0712345678"})).body["id"]
    lines = [{"name": "Soap", "price": "500", "quantity": 1}]
    order = (await owner.post("/orders", {"customer_id": customer, "lines": lines})).body["id"]
    payment = (await owner.post(f"/orders/{order}/checkout", {"provider": "mpesa"})).body["payment_id"]
    (attempt,) = await rows(door, attempts)
    await succeeds(door, shop, attempt.id, "UKO0000001")
    for n in range(_REFUNDS):
        refund = await owner.post(f"/payments/{payment}/refunds", {"reason": "x", "amount": "20"})
        assert refund.status == 201, refund.body
        wanted = {"kind": "limits", "to": {"approval_hours": n + 1}}
        change = await owner.post("/settings/changes", wanted)
        assert change.status == 201, change.body
        assert (await owner.post(f"/settings/changes/{change.body['id']}/cancel", {})).status == 200
    return owner


async def test_a_page_of_many_asks_the_database_no_more_often_than_one_of_one(door):
    owner = await filled(door)
    asks = {}
    with asked(door.database) as told:
        for path, many in _LISTS.items():
            for most in (1, many):
                told.clear()
                page = await owner.get(f"{path}?limit={most}")
                assert len(page.body["results"]) == most, (path, page.body)
                asks[path, most] = len([sql for sql in told if sql.startswith("SELECT")])
    assert {path: (asks[path, 1], asks[path, many]) for path, many in _LISTS.items()} == {
        "/wallet/withdrawals": (7, 7),
        "/wallet/statement": (7, 7),
        "/audit": (3, 3),
        "/webhooks/deliveries": (3, 3),
        "/refunds": (6, 6),
        "/settings/changes": (5, 5),
    }


async def test_many_files_of_withdrawals_are_listed_by_as_many_statements_as_one(door):
    shop = await door.open_shop(more=MORE)
    await door.fund(shop, "10000")
    owner, manager = await caller(door, shop, "Njeri"), await caller(door, shop, "Kamau")
    asks = []
    with asked(door.database) as told:
        for n in range(4):
            made = await manager.post("/wallet/batches", TWO + b"\n" * n, **CSV)
            assert made.status == 201, made.body
            assert (await owner.post(f"/wallet/batches/{made.body['id']}/approve")).status == 200
            told.clear()
            assert len((await owner.get("/wallet/batches")).body["results"]) == n + 1
            asks.append(len([sql for sql in told if sql.startswith("SELECT")]))
    assert asks == [asks[0]] * 4
