"""Orders, their checkout and their payments, over real HTTP on both databases."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.news import read_news
from services.store.schema import attempts, inbox, jobs, orders, payments, products
from tests.bot.caller import caller
from tests.bot.door import now, opened
from tests.bot.test_api import change, rows

ABSENT = "00000000-0000-7000-8000-000000000000"
MORE = """
[providers.paystack]
secret_key = "sk_test_paystack"
[[staff]]
name = "Njeri"
phone = "+254722000003"
role = "Owner"
[[products]]
sku = "bread"
name = "Bread"
price = "65"
stock = 10
[[products]]
sku = "milk"
name = "Milk"
price = "60.50"
"""
BREAD = {"sku": "bread", "quantity": 2}
CAKE = {"name": " Birthday cake ", "price": "1500", "quantity": 1}


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door


@pytest.fixture
async def owner(door):
    return await caller(door, await door.open_shop(more=MORE), "Njeri")


@pytest.fixture
async def wanjiku(owner):
    return (await owner.post("/customers", {"phone": "0712345678", "name": "Wanjiku"})).body["id"]


async def made(owner, customer, *lines, **more):
    body = {"customer_id": customer, "lines": list(lines or (BREAD,))} | more
    answer = await owner.post("/orders", body)
    assert answer.status == 201, answer.body
    return answer.body


async def told(door):
    return [
        read_news.validate_json(await door.body(row.external_id))
        for row in await rows(door, inbox)
        if row.kind == "news"
    ]


# --- orders


async def test_an_order_is_made_at_our_prices_and_the_customer_is_asked(door, owner, wanjiku):
    order = await made(owner, wanjiku, BREAD, CAKE, note="for Saturday")
    assert order | {"id": 0, "number": 0, "created_at": 0} == {
        "id": 0,
        "number": 0,
        "status": "open",
        "total": "1630.00",
        "currency": "KES",
        "lines": [
            {"sku": "bread", "name": "Bread", "price": "65.00", "quantity": 2, "total": "130.00"},
            {"sku": None, "name": "Birthday cake", "price": "1500.00", "quantity": 1, "total": "1500.00"},
        ],
        "note": "for Saturday",
        "customer_id": wanjiku,
        "payment_id": None,
        "created_at": 0,
    }
    assert (await owner.get(f"/orders/{order['id']}")).body == order
    [news] = await told(door)
    assert (news.kind, news.number, str(news.amount)) == ("payment_requested", order["number"], "1630.00")
    assert news.reason == "2 Bread, 1 Birthday cake"
    assert {row.sku: row.reserved for row in await rows(door, products)} == {"bread": 2, "milk": 0}


async def test_an_order_of_what_costs_nothing_is_refused_with_the_least(door, owner, wanjiku):
    await change(door, products, products.c.sku == "milk", price=0)
    answer = await owner.post("/orders", {"customer_id": wanjiku, "lines": [{"sku": "milk", "quantity": 2}]})
    assert (answer.status, answer.code, answer.body.get("minimum")) == (422, "below_minimum", "0.01")
    assert await rows(door, orders) == []


async def test_prices_may_be_numbers_and_have_cents(owner, wanjiku):
    line = b'{"name": "Salt", "price": 10.25, "quantity": 3}'
    body = b'{"customer_id": "' + wanjiku.encode() + b'", "lines": [' + line + b"]}"
    answer = await owner.post("/orders", body)
    assert (answer.status, answer.body["total"]) == (201, "30.75")


@pytest.mark.parametrize(
    ("lines", "status", "code"),
    [
        ([], 422, "empty_order"),
        ([BREAD] * 51, 422, "too_many_lines"),
        ([BREAD | {"quantity": 0}], 422, "invalid_quantity"),
        ([BREAD | {"quantity": -1}], 422, "invalid_quantity"),
        ([BREAD | {"quantity": 10**30}], 422, "invalid_quantity"),
        ([BREAD | {"quantity": 11}], 409, "out_of_stock"),
        ([BREAD | {"sku": "caviar"}], 422, "unknown_product"),
        ([BREAD | {"sku": "bread' OR 1=1 --"}], 422, "unknown_product"),
        ([BREAD | {"quantity": 1.5}], 400, "malformed_body"),
        ([BREAD | {"quantity": "2"}], 400, "malformed_body"),
        ([BREAD | {"quantity": True}], 400, "malformed_body"),
        ([BREAD | {"price": "1"}], 400, "unknown_field"),
        ([CAKE | {"price": "0"}], 400, "invalid_amount"),
        ([CAKE | {"price": None}], 400, "invalid_amount"),
        ([CAKE | {"price": "1.005"}], 400, "invalid_amount"),
        ([CAKE | {"price": "-5"}], 400, "invalid_amount"),
        ([CAKE | {"name": " "}], 400, "malformed_body"),
        ([CAKE | {"name": "a\nb"}], 400, "malformed_body"),
        ([CAKE | {"name": "x" * 201}], 400, "malformed_body"),
        ([{"quantity": 1}], 400, "malformed_body"),
        ([None], 400, "malformed_body"),
        ("bread", 400, "malformed_body"),
    ],
)
async def test_lines_that_cannot_be_ordered_are_refused(door, owner, wanjiku, lines, status, code):
    answer = await owner.post("/orders", {"customer_id": wanjiku, "lines": lines})
    assert (answer.status, answer.code) == (status, code)
    assert await rows(door, orders) == []
    assert await told(door) == []


async def test_a_wrong_line_is_named(owner, wanjiku):
    lines = [BREAD, CAKE | {"quantity": "1"}]
    answer = await owner.post("/orders", {"customer_id": wanjiku, "lines": lines})
    assert answer.body["field"] == "lines.1.quantity"


@pytest.mark.parametrize("wrong", [ABSENT, "x", "{" + ABSENT + "}", ""])
async def test_what_is_not_there_is_404(owner, wanjiku, wrong):
    said = [
        await owner.post("/orders", {"customer_id": wrong, "lines": [{"sku": "caviar", "quantity": 0}]}),
        await owner.get(f"/orders/{wrong}"),
        await owner.get(f"/payments/{wrong}"),
        await owner.post(f"/orders/{wrong}/checkout", {"provider": "paystack"}),
    ]
    order = await made(owner, wanjiku)
    said.append(await owner.post(f"/orders/{order['id']}/checkout", {"method_id": wrong}))
    assert [(each.status, each.code) for each in said] == [(404, "not_found")] * 5


async def test_another_tenants_are_404(door, owner, wanjiku):
    order = await made(owner, wanjiku)
    asked = await owner.post(f"/orders/{order['id']}/checkout", {"provider": "mpesa"})
    other = await caller(door, await door.open_shop("106540352242999", more=MORE), "Njeri")
    said = [
        await other.get(f"/orders/{order['id']}"),
        await other.get(f"/payments/{asked.body['payment_id']}"),
        await other.post(f"/orders/{order['id']}/checkout", {"provider": "mpesa"}),
        await other.post("/orders", {"customer_id": wanjiku, "lines": [CAKE]}),
    ]
    assert [(each.status, each.code) for each in said] == [(404, "not_found")] * 4


async def test_the_scopes_are_apart(door, owner, wanjiku):
    order = await made(owner, wanjiku)
    tenant = (await rows(door, orders))[0].tenant_id
    manager = await caller(door, tenant, "Kamau")
    assert (await manager.get(f"/orders/{order['id']}")).status == 200
    for path in ("/orders", f"/orders/{order['id']}/checkout"):
        answer = await manager.post(path, b"{")
        assert (answer.status, answer.body["required_scope"]) == (403, "orders:edit")


# --- checkout


async def test_the_phone_is_asked_and_the_payment_seen(door, owner, wanjiku):
    order = await made(owner, wanjiku)
    answer = await owner.post(f"/orders/{order['id']}/checkout", {"provider": "mpesa"})
    payment = answer.body["payment_id"]
    assert (answer.status, answer.body) == (
        201,
        {"payment_id": payment, "status": "pending", "provider": "mpesa"},
    )
    assert "collect" in [row.kind for row in await rows(door, jobs)]
    seen = (await owner.get(f"/payments/{payment}")).body
    [attempt] = seen.pop("attempts")
    assert seen == {
        "id": payment,
        "order_id": order["id"],
        "status": "pending",
        "amount": "130.00",
        "currency": "KES",
        "provider": "mpesa",
        "receipt": None,
        "refunded": "0.00",
    }
    assert (attempt["method"], attempt["status"], attempt["receipt"]) == ("********5678", "created", None)
    now_ = (await owner.get(f"/orders/{order['id']}")).body
    assert (now_["status"], now_["payment_id"]) == ("awaiting_payment", payment)


async def test_a_saved_number_is_asked_by_its_id_or_where_no_other_is_known(owner):
    hidden = (await owner.post("/customers", {"whatsapp_user_id": "KE.7"})).body["id"]
    order = await made(owner, hidden)
    path = f"/orders/{order['id']}/checkout"
    nowhere = await owner.post(path, {"provider": "mpesa"})
    assert (nowhere.status, nowhere.code, nowhere.body["missing"]) == (
        422,
        "invalid_method_details",
        ["phone_number"],
    )
    saved = {"provider": "mpesa", "details": {"phone_number": "0733000111"}}
    method = (await owner.post(f"/customers/{hidden}/payment-methods", saved)).body["method_id"]
    assert (await owner.post(path, {"provider": "mpesa"})).status == 201
    other = await made(owner, hidden)
    answer = await owner.post(f"/orders/{other['id']}/checkout", {"method_id": method})
    seen = (await owner.get(f"/payments/{answer.body['payment_id']}")).body
    assert (answer.status, seen["attempts"][0]["method"]) == (201, "********0111")


async def test_what_cannot_be_charged_yet_is_422(owner, wanjiku):
    order = await made(owner, wanjiku)
    for provider in ("pesapal", "stripe"):
        answer = await owner.post(f"/orders/{order['id']}/checkout", {"provider": provider})
        assert (answer.status, answer.code) == (422, "provider_not_configured")
    salt = await made(owner, wanjiku, {"name": "Salt", "price": "10.50", "quantity": 1})
    answer = await owner.post(f"/orders/{salt['id']}/checkout", {"provider": "mpesa"})
    assert (answer.status, answer.code) == (422, "not_whole_shillings")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "malformed_body"),
        ({"provider": "mpesa", "method_id": ABSENT}, "malformed_body"),
        ({"provider": "cash"}, "malformed_body"),
        ({"method_id": 7}, "malformed_body"),
        ({"provider": "mpesa", "phone": "0712345678"}, "unknown_field"),
    ],
)
async def test_a_checkout_that_is_none_is_400(owner, wanjiku, body, code):
    order = await made(owner, wanjiku)
    answer = await owner.post(f"/orders/{order['id']}/checkout", body)
    assert (answer.status, answer.code) == (400, code)


async def test_a_second_asking_waits_for_the_first_whatever_it_is_by(door, owner, wanjiku):
    path = f"/orders/{(await made(owner, wanjiku))['id']}/checkout"
    said = await asyncio.gather(*[owner.post(path, {"provider": "mpesa"}) for _ in range(6)])
    assert sorted(each.status for each in said) == [201] + [409] * 5
    assert {each.code for each in said if each.status == 409} == {"payment_under_way"}
    assert (await owner.post(path, {"provider": "stripe"})).code == "payment_under_way"
    assert len(await rows(door, attempts)) == 1
    await change(door, attempts, sa.true(), created_at=now() - timedelta(minutes=3))
    assert (await owner.post(path, {"provider": "mpesa"})).status == 201


async def test_what_is_over_is_409(door, owner, wanjiku):
    path = f"/orders/{(await made(owner, wanjiku))['id']}/checkout"
    await owner.post(path, {"provider": "mpesa"})
    await change(door, attempts, sa.true(), state="succeeded", receipt="SJK7ABC123")
    await change(door, payments, sa.true(), status="succeeded", receipt="SJK7ABC123")
    await change(door, orders, sa.true(), status="paid")
    answer = await owner.post(path, {"provider": "stripe"})
    assert (answer.status, answer.code, answer.body["receipt"]) == (409, "already_paid", "SJK7ABC123")
    await change(door, orders, sa.true(), status="canceled")
    answer = await owner.post(path, {"provider": "mpesa"})
    assert (answer.status, answer.code, answer.body["state"]) == (409, "not_pending", "canceled")
