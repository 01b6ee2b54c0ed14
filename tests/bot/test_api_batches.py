"""Files of withdrawals by the API: asked for, checked, approved and followed as one."""

import pytest

from services import books
from services.store.scope import OWNER
from tests.bot.caller import caller
from tests.bot.door import opened

MORE = """
[[staff]]
name = "Njeri"
phone = "+254722000003"
role = "Owner"
"""
TWO = b"to,number,amount,note\r\nphone,0712345678,500,rice\r\ntill,123456,1200,\r\n"
CSV = {"Content-Type": "text/csv", "Content-Disposition": 'attachment; filename="pay.csv"'}


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door
    async with database.transaction(OWNER) as connection:
        assert await books.check(connection) == []


@pytest.fixture
async def shop(door):
    shop = await door.open_shop(more=MORE)
    await door.fund(shop, "10000")
    return shop


@pytest.fixture
async def kamau(door, shop):
    return await caller(door, shop, "Kamau")


@pytest.fixture
async def njeri(door, shop):
    return await caller(door, shop, "Njeri")


def form(content, boundary):
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="pay.csv"\r\n\r\n'
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


async def test_a_file_is_asked_for_by_one_approved_by_another_and_followed_by_lines(kamau, njeri):
    looked = await kamau.post("/wallet/batches/check", TWO, **CSV)
    assert (looked.status, looked.body["count"], looked.body["amount"]) == (200, 2, "1700.00")
    asked = await kamau.post("/wallet/batches", TWO, **CSV)
    assert (asked.status, asked.body["status"], asked.body["name"]) == (201, "pending", "pay.csv")
    assert asked.body["by_method"] == [
        {"method_type": "mpesa", "count": 1, "amount": "500.00"},
        {"method_type": "till", "count": 1, "amount": "1200.00"},
    ]
    path = f"/wallet/batches/{asked.body['id']}"
    assert (await kamau.post(f"{path}/approve")).code == "four_eyes_violation"
    assert (await njeri.post(f"{path}/approve")).body["status"] == "running"
    told = (await njeri.get(path)).body
    assert [(line["line"], line["destination"], line["status"]) for line in told["lines"]] == [
        (2, "********5678", "processing"),
        (3, "**3456", "processing"),
    ]
    one = (await njeri.get(f"/wallet/withdrawals/{told['lines'][0]['transaction_id']}")).body
    assert (one["notes"], one["approved_by"]) == ("rice", [str(njeri.person)])
    assert (await njeri.get("/wallet")).body["held"] == "1700.00"
    assert [each["id"] for each in (await kamau.get("/wallet/batches")).body["results"]] == [told["id"]]


async def test_the_same_file_under_the_same_key_is_asked_for_once_whatever_its_form(kamau):
    key = {"Idempotency-Key": "monday"}
    first = await kamau.post("/wallet/batches", TWO, **CSV, **key)
    body, head = form(TWO, "another")
    again = await kamau.post("/wallet/batches", body, **head, **key)
    assert (again.raw, again.headers["Idempotent-Replayed"]) == (first.raw, "true")
    assert (await kamau.post("/wallet/batches", TWO + b"x", **CSV, **key)).code == "idempotency_key_reused"
    assert (await kamau.get("/wallet/batches")).body["count"] == 1


async def test_each_fault_is_named_with_its_line_and_nothing_is_started(kamau):
    answer = await kamau.post("/wallet/batches", TWO + b"phone,07,500,\r\nphone,0712345678,30,\r\n", **CSV)
    assert (answer.status, answer.code, answer.body["count"]) == (422, "batch_faulty", 2)
    assert [(each["line"], each["code"]) for each in answer.body["faults"]] == [
        (4, "invalid_phone"),
        (5, "not_above_fee"),
    ]
    assert answer.body["faults"][0]["detail"].startswith("Line 4: the number is no mobile number")
    assert (await kamau.get("/wallet/batches")).body["count"] == 0


async def test_a_line_that_its_fee_takes_says_the_fee_and_the_least_that_must_be_left(kamau):
    text = TWO + b"phone,0712345678,30,\r\nphone,0712345678,40,\r\n"
    answer = await kamau.post("/wallet/batches/check", text, **CSV)
    told = {"column": "amount", "fee": "33.00", "minimum": "10.00"}
    assert answer.body["faults"] == [
        told
        | {
            "line": 4,
            "code": "not_above_fee",
            "detail": "Line 4: the fee of KES 33.00 takes all of it, and KES 10.00 at least must be left. "
            "Write a larger amount.",
        },
        told
        | {
            "line": 5,
            "code": "below_minimum",
            "detail": "Line 5: after the fee of KES 33.00 too little is left: KES 10.00 is the least "
            "that can be sent. Write a larger amount.",
        },
    ]


async def test_what_is_no_file_or_too_large_is_refused(kamau):
    assert (await kamau.post("/wallet/batches", {"file": "x"})).code == "unsupported_media_type"
    body, head = form(TWO, "b")
    wrong = body.replace(b'name="file"', b'name="other"')
    assert (await kamau.post("/wallet/batches", wrong, **head)).code == "malformed_body"
    large = await kamau.post("/wallet/batches", TWO + b"\n" * 140_000, **CSV)
    assert (large.code, large.body["faults"][0]["code"]) == ("batch_faulty", "too_large")
    assert (await kamau.post("/wallet/batches", b"x" * 200_000, **CSV)).status == 413
