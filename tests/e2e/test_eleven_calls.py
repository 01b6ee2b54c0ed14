"""Customers' payments and withdrawals by the eleven calls of the API that they take, with two people's keys,
against `serve` and `work` on PostgreSQL and Redis. M-Pesa's own books and ours say the same in the end."""

import csv
import io

import pytest

from bot.api.every import ROUTES
from tests.e2e.conftest import prepared, started
from tests.e2e.programs import programs_of

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.timeout(240)]
TO = {"method_type": "mpesa", "method_details": {"phone_number": "0712345678"}}
MPESA = {"provider": "mpesa", "details": {"phone_number": "0712345678"}}
CARD = {"provider": "paystack", "details": {"authorization_code": "AUTH_1", "last4": "4081", "bank": "KCB"}}


@pytest.fixture
async def place(postgres_database, redis_url, outside, tmp_path, http):
    async with prepared(tmp_path, outside, postgres_database, LIPACHAT_REDIS_URL=redis_url) as place:
        await started(place, http)
        yield place


class Calls:
    """Each says what it was answered, and that it was good; which of them were made is counted."""

    def __init__(self):
        self.made = set()

    async def __call__(self, program, status, method, path, body=None, *, as_=None):
        self.made.add((method, as_ or path.partition("?")[0]))
        said, answer = await program(method, path, body)
        assert said == status, (method, path, answer)
        return answer


async def saved_and_preferred(call, cashier, customer):
    """Two ways to pay are saved, one is taken out again; the M-Pesa number is what is offered."""
    at, shape = f"/customers/{customer}", "/customers/{id}"
    none = await call(cashier, 200, "GET", f"{at}/payment-preferences", as_=f"{shape}/payment-preferences")
    assert (none["preferred_provider"], none["saved_methods"]) == (None, [])
    methods = f"{shape}/payment-methods"
    card = await call(cashier, 201, "POST", f"{at}/payment-methods", CARD, as_=methods)
    phone = await call(cashier, 201, "POST", f"{at}/payment-methods", MPESA, as_=methods)
    assert phone["preferences"]["preferred_provider"] == "paystack"  # the first is the default
    to = {"provider": "mpesa"}
    await call(cashier, 200, "PUT", f"{at}/preferred-provider", to, as_=f"{shape}/preferred-provider")
    mine = f"{at}/payment-methods/{phone['method_id']}"
    await call(cashier, 200, "PUT", f"{mine}/default", {}, as_=f"{methods}/{{method_id}}/default")
    gone = f"{at}/payment-methods/{card['method_id']}"
    left = await call(cashier, 200, "DELETE", gone, as_=f"{methods}/{{method_id}}")
    assert [each["is_default"] for each in left["preferences"]["saved_methods"]] == [True]
    path = f"{at}/checkout-options?amount=5000"
    options = await call(cashier, 200, "GET", path, as_=f"{shape}/checkout-options")
    assert options["preferred_method"]["method_id"] == phone["method_id"]
    assert options["amount"] == "5000.00"


async def asked_and_decided(call, town, cashier, approver):
    """One withdrawal arrives, two are rejected; nobody approves without the right, nor an own."""
    options = await call(cashier, 200, "GET", "/wallet/withdrawal-options")
    assert (options["wallet_balance"], options["fees"]["mpesa"]) == ("5000.00", "33.00")
    ids = [
        (await call(who, 201, "POST", "/wallet/withdrawals", TO | {"amount": amount}))["transaction_id"]
        for who, amount in ((cashier, "1000"), (cashier, "700"), (approver, "300"))
    ]
    approve, reject = "/wallet/withdrawals/{id}/approve", "/wallet/withdrawals/{id}/reject"
    first, second, own = (f"/wallet/withdrawals/{each}" for each in ids)
    refused = await call(cashier, 403, "POST", f"{first}/approve", {}, as_=approve)
    assert refused["code"] == "missing_scope"
    refused = await call(approver, 403, "POST", f"{own}/approve", {}, as_=approve)
    assert refused["code"] == "four_eyes_violation"
    held = await call(cashier, 200, "GET", "/wallet/withdrawal-options")
    assert (held["wallet_balance"], held["available_balance"]) == ("5000.00", "3000.00")
    said = await call(approver, 200, "POST", f"{first}/approve", {}, as_=approve)
    assert (said["status"], said["net_amount"]) == ("processing", "967.00")
    for each in (second, own):
        await call(approver, 200, "POST", f"{each}/reject", {"reason": "next week"}, as_=reject)
    await cashier.until(town, first, "completed")
    listed = await call(approver, 200, "GET", "/wallet/withdrawals?limit=10")
    assert [each["status"] for each in listed["results"]] == ["rejected", "rejected", "completed"]


async def test_eleven_calls_and_two_keys_are_all_it_takes(place, http):
    call, town = Calls(), place.town
    _, cashier, approver = await programs_of(place.installation, http, place.url)
    wanjiku = town.person("wanjiku")
    await wanjiku.says("hello")
    await wanjiku.hears("Hello Wanjiku")
    _, found = await cashier("GET", "/customers?phone=0712345678")
    await saved_and_preferred(call, cashier, found["results"][0]["id"])
    await wanjiku.says("pay 5000")
    await wanjiku.hears("Pay *KES 5,000.00*", "With M-Pesa ********5678")
    await wanjiku.taps("Pay")
    await town.answer_prompt("pay")
    await wanjiku.hears("Paid: KES 5,000.00")
    await asked_and_decided(call, town, cashier, approver)
    assert len(call.made) == 11
    assert {(method, f"/api/v1{path}") for method, path in call.made} <= {(r.method, r.path) for r in ROUTES}

    options = await call(approver, 200, "GET", "/wallet/withdrawal-options")
    assert (options["wallet_balance"], options["available_balance"]) == ("4000.00", "4000.00")
    async with http.get(f"{town.url}/control/statement?to=2099-01-01T00:00:00Z") as answer:
        rows = [row for row in csv.reader(io.StringIO(await answer.text())) if len(row) > 9]
    moved = {row[9]: row[5] or row[6] for row in rows}
    assert (moved["Pay Bill Online"], moved["Business Payment to Customer via API"]) == (
        "5,000.00",
        "-967.00",
    )
    assert '"ok": true' in place.installation.run("ledger", "check")
