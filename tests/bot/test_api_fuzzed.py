"""Every call of the API with what schemathesis makes up from the OpenAPI document: no answer of 5xx, none
that is not described there, and nothing taken that is forbidden there. Always the same requests, to see a
failure again."""

import asyncio
from collections import Counter

import hypothesis
import pytest

from bot.api import openapi
from services import books
from services.store.scope import OWNER
from tests.bot.caller import caller
from tests.bot.door import opened

schemathesis = pytest.importorskip("schemathesis", reason="the extra dev has it")
checks = pytest.importorskip("schemathesis.specs.openapi.checks")

MORE = """
[[staff]]
name = "Njeri"
phone = "+254722000003"
role = "Owner"
[[products]]
sku = "bread"
name = "Bread"
price = "65"
"""
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
RIGHT, WRONG = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
EXAMPLES = {RIGHT: 8, WRONG: 5}
TENANT = {"$ref": "#/components/parameters/X-TENANT-ID"}


def to_play():
    """The document without what says who calls: that is always the same."""
    document = openapi.document()
    del document["security"]
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["parameters"].remove(TENANT)
    return document


async def seeded(door, shop):
    """A caller who may do everything, and one of most things, by the part of the path that its id follows."""
    achieng, kamau, njeri = [await caller(door, shop, name) for name in ("Achieng", "Kamau", "Njeri")]
    phone = {"phone_number": "0712345678"}
    customer = (await njeri.post("/customers", {"phone": "0712345678", "name": "Wanjiku"})).body["id"]
    methods, mpesa = f"/customers/{customer}/payment-methods", {"provider": "mpesa"}
    method = (await njeri.post(methods, mpesa | {"details": phone})).body["method_id"]
    wanted = {"customer_id": customer, "lines": [{"sku": "bread", "quantity": 2}]}
    order = (await njeri.post("/orders", wanted)).body["id"]
    payment = (await njeri.post(f"/orders/{order}/checkout", mpesa)).body["payment_id"]
    ask = {"amount": "1000", "method_type": "mpesa", "method_details": phone}
    withdrawal = (await achieng.post("/wallet/withdrawals", ask)).body["transaction_id"]
    file = b"to,number,amount\r\nphone,0712345678,500\r\n"
    batch = (await kamau.post("/wallet/batches", file, **{"Content-Type": "text/csv"})).body["id"]
    endpoint = (await njeri.post("/webhooks/endpoints", {"url": "https://shop.example/"})).body["id"]
    limits = {"kind": "limits", "to": {"per_day": "90000"}}
    change = (await kamau.post("/settings/changes", limits)).body["id"]
    return njeri, {
        "customers": {"id": customer, "method_id": method},
        "orders": {"id": order},
        "payments": {"id": payment},
        "withdrawals": {"id": withdrawal},
        "batches": {"id": batch},
        "changes": {"id": change},
        "endpoints": {"id": endpoint},
    }


@pytest.fixture
async def door(sqlite, vault):
    async with opened(sqlite, vault) as door:
        yield door
    async with sqlite.transaction(OWNER) as connection:
        assert await books.check(connection) == []


async def test_whatever_is_sent_is_answered_as_the_document_says(door):
    shop = await door.open_shop(more=MORE)
    await door.fund(shop, "10000")
    njeri, ids = await seeded(door, shop)
    answered = await asyncio.to_thread(play, door.url, njeri.key, ids)
    assert {200, 400, 404, 409, 422} <= set(answered)
    assert not {401, 429} & set(answered)


def play(url, key, ids):
    """How often which status was answered."""
    answered: Counter[int] = Counter()
    for found in schemathesis.openapi.from_dict(to_play()).get_all_operations():
        operation = found.ok()
        known: dict[str, str] = next(
            (known for part, known in ids.items() if f"/{part}/{{id}}" in operation.label), {}
        )
        there = {name: value for name, value in known.items() if f"{{{name}}}" in operation.label}
        for mode in [RIGHT, WRONG] if takes_something(operation) else [RIGHT]:
            made_up = operation.as_strategy(generation_mode=mode, path_parameters=there or None)
            answered += sent(made_up, EXAMPLES[mode], url, key)
    return answered


def takes_something(operation):
    """Beside the id of something that is there: else it cannot be asked wrongly."""
    return any([*operation.query, *operation.headers, *operation.body])


def sent(made_up, examples, url, key):
    answered: Counter[int] = Counter()

    @hypothesis.settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=made_up)
    def send(case):
        said = case.call_and_validate(base_url=url, headers={"X-TENANT-API-KEY": key}, checks=CHECKS)
        answered[said.status_code] += 1

    send()
    return answered
