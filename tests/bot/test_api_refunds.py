"""Refunds by the API, from asking to the provider's word and what was paid twice."""

import pytest

from services import books
from services.money import Money
from services.payments import settle
from services.providers.base import Succeeded
from services.store.schema import attempts
from services.store.scope import OWNER
from services.work import Work
from tests.bot.caller import caller
from tests.bot.door import now, opened
from tests.bot.test_api import rows

MORE = """
[[staff]]
name = "Njeri"
phone = "+254722000003"
role = "Owner"
"""
ABSENT = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door
    async with database.transaction(OWNER) as connection:
        assert await books.check(connection) == []


@pytest.fixture
async def shop(door):
    return await door.open_shop(more=MORE)


@pytest.fixture
async def kamau(door, shop):
    return await caller(door, shop, "Kamau")


@pytest.fixture
async def njeri(door, shop):
    return await caller(door, shop, "Njeri")


async def succeeds(door, shop, attempt_id, receipt):
    async with door.database.transaction(OWNER) as connection:
        work = Work(connection, door.vault, shop, now())
        await settle.settle(work, attempt_id, Succeeded(receipt, Money(500_00, "KES")))


@pytest.fixture
async def payment(door, shop, njeri):
    """Paid by M-Pesa."""
    customer = (await njeri.post("/customers", {"phone": "0712345678"})).body["id"]
    lines = [{"name": "Soap", "price": "500", "quantity": 1}]
    order = (await njeri.post("/orders", {"customer_id": customer, "lines": lines})).body["id"]
    made = await njeri.post(f"/orders/{order}/checkout", {"provider": "mpesa"})
    assert made.status == 201, made.body
    (attempt,) = await rows(door, attempts)
    await succeeds(door, shop, attempt.id, "UKO0000001")
    return made.body["payment_id"]


@pytest.mark.parametrize("amount", [None, 0, "-1", True, "1.001"])
async def test_only_who_leaves_the_amount_out_means_all_of_it(kamau, payment, amount):
    answer = await kamau.post(f"/payments/{payment}/refunds", {"reason": "wrong size", "amount": amount})
    assert (answer.status, answer.code) == (400, "invalid_amount")


async def test_a_refund_is_asked_for_by_one_and_approved_by_another(kamau, njeri, payment):
    asked = await kamau.post(f"/payments/{payment}/refunds", {"reason": "wrong size"})
    assert (asked.status, asked.body["status"], asked.body["way"]) == (201, "pending", "reversal")
    refund = asked.body["refund_id"]
    assert (await kamau.get("/wallet")).body["available"] == "0.00"
    own = await kamau.post(f"/refunds/{refund}/approve")
    assert (own.status, own.code) == (403, "four_eyes_violation")
    done = await njeri.post(f"/refunds/{refund}/approve")
    assert (done.status, done.body["status"]) == (200, "processing")
    late = await njeri.post(f"/refunds/{refund}/reject", {"reason": "no"})
    assert (late.status, late.code, late.body["state"]) == (409, "not_pending", "processing")
    shown = (await kamau.get(f"/refunds/{refund}")).body
    assert (shown["reason"], shown["paid"], shown["paid_twice"]) == ("wrong size", "500.00", False)
    assert "method" in shown
    listed = (await kamau.get("/refunds?status=processing&limit=1")).body
    assert (listed["count"], listed["results"][0]["refund_id"]) == (1, refund)
    assert (await kamau.get(f"/refunds?cursor={refund}")).body["results"] == []
    assert (await kamau.get(f"/payments/{payment}")).body["refunded"] == "0.00"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"reason": " "}, 422, "blank_reason"),
        ({}, 400, "malformed_body"),
        ({"reason": "x", "amount": 0}, 400, "invalid_amount"),
        ({"reason": "x", "amount": "1", "more": 1}, 400, "unknown_field"),
        ({"reason": "x", "amount": "500.01"}, 422, "more_than_remains"),
        ({"reason": "x", "amount": "10.50"}, 422, "not_whole_shillings"),
        ({"reason": "x", "amount": "5"}, 422, "below_minimum"),
        ({"reason": "x", "amount": "100", "way": "reversal"}, 422, "not_refundable"),
        ({"reason": "x", "way": "cash"}, 400, "malformed_body"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_what_cannot_be_refunded_says_why(kamau, payment, body, status, code):
    answer = await kamau.post(f"/payments/{payment}/refunds", body)
    assert (answer.status, answer.code) == (status, code)
    assert (await kamau.get("/wallet")).body["held"] == "0.00"


async def test_without_the_scope_or_the_payment_nothing_is_refunded(door, shop, kamau, payment):
    achieng = await caller(door, shop, "Achieng")
    refused = await achieng.post(f"/payments/{payment}/refunds", {"reason": "x"})
    assert (refused.status, refused.body["required_scope"]) == (403, "finance:reconcile")
    assert (await kamau.post(f"/payments/{ABSENT}/refunds", {"reason": "x"})).status == 404
    for path in (f"/refunds/{ABSENT}/approve", f"/refunds/{ABSENT}/cancel"):
        assert (await kamau.post(path)).status == 404
    first = await kamau.post(f"/payments/{payment}/refunds", {"reason": "x"})
    again = await kamau.post(f"/payments/{payment}/refunds", {"reason": "x"})
    assert (again.status, again.code) == (409, "already_refunded")
    canceled = await kamau.post(f"/refunds/{first.body['refund_id']}/cancel")
    assert canceled.body["status"] == "canceled"


async def test_what_was_paid_twice_is_kept_as_a_sale_or_goes_back(door, shop, kamau, njeri, payment):
    (attempt,) = await rows(door, attempts)
    again = dict(attempt._mapping) | {"id": type(attempt.id)(ABSENT[:-1] + "1"), "receipt": None}
    async with door.database.transaction(OWNER) as connection:
        await connection.execute(attempts.insert().values(again | {"state": "expired"}))
        sealed = Work(connection, door.vault, shop, now()).seal(
            {"phone_number": "+254712345678"}, "attempts.details", again["id"]
        )
        values = {"details_sealed": sealed, "reference_sealed": None}
        await connection.execute(attempts.update().where(attempts.c.id == again["id"]).values(values))
    await succeeds(door, shop, again["id"], "UKO0000002")
    lying = (await kamau.get("/suspense")).body
    assert (lying["count"], lying["results"][0]["receipt"]) == (1, "UKO0000002")
    twice = lying["results"][0]["id"]
    asked = await kamau.post(f"/suspense/{twice}/refund", {"reason": "paid twice"})
    assert (asked.status, asked.body["way"]) == (201, "reversal")
    assert (await kamau.get("/suspense")).body["count"] == 0
    await njeri.post(f"/refunds/{asked.body['refund_id']}/reject", {"reason": "they took two"})
    kept = await kamau.post(f"/suspense/{twice}/accept", {"reason": "they took two"})
    assert (await kamau.get("/wallet")).body["posted"] == "500.00"
    done = await njeri.post(f"/refunds/{kept.body['refund_id']}/approve")
    assert done.body["status"] == "completed"
    assert (await kamau.get("/wallet")).body["posted"] == "1000.00"
    assert (await kamau.post(f"/suspense/{twice}/refund", {"reason": "x"})).code == "already_refunded"
    assert (await kamau.post(f"/suspense/{ABSENT}/refund", {"reason": "x"})).status == 404
