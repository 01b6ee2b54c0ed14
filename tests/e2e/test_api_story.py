"""The API and the chat are one: a story of all calls against the real processes, as a shop's own programs and
its people live it."""

import asyncio
import json

import pytest

from tests.e2e.programs import programs_of


@pytest.fixture
async def programs(place, http):
    return await programs_of(place.installation, http, place.url)


async def test_a_method_saved_and_an_order_made_by_a_program_meet_the_customer_in_chat(place, programs):
    town, njeri = place.town, programs[0]
    wanjiku = town.person("wanjiku")
    await wanjiku.says("hello")
    await wanjiku.hears("Hello Wanjiku")
    status, customer = await njeri("POST", "/customers", {"phone": "0712 345 678"})
    assert (status, customer["name"], customer["phone"]) == (200, "Wanjiku", "********5678")
    at = f"/customers/{customer['id']}"

    method = {"provider": "mpesa", "details": {"phone_number": "+254712345678"}}
    status, saved = await njeri("POST", f"{at}/payment-methods", method)
    assert (status, saved["preferences"]["preferred_provider"]) == (201, "mpesa")
    await wanjiku.hears("has saved M-Pesa ********5678 for you to pay with")
    status, options = await njeri("GET", f"{at}/checkout-options?amount=1000")
    assert (status, options["preferred_method"]["method_id"]) == (200, saved["method_id"])

    order = {"customer_id": customer["id"], "lines": [{"sku": "bread", "quantity": 2}]}
    once = {"Idempotency-Key": "order-1"}
    said = [await njeri("POST", "/orders", order, **once) for _ in range(2)]
    assert said[0] == said[1]
    status, made = said[0]
    assert (status, made["status"], made["total"]) == (201, "open", "130.00")
    await wanjiku.hears("asks you to pay *KES 130.00* for: 2 Bread", f"Order {made['number']}, with M-Pesa")
    await wanjiku.taps("Pay")
    await wanjiku.hears("Enter your M-Pesa PIN")
    status, refused = await njeri("POST", f"/orders/{made['id']}/checkout", {"provider": "mpesa"})
    assert (status, refused["code"]) == (409, "payment_under_way")
    await town.answer_prompt("pay")
    await wanjiku.hears("Paid: KES 130.00")
    paid = await njeri.until(town, f"/orders/{made['id']}", "paid")
    status, payment = await njeri("GET", f"/payments/{paid['payment_id']}")
    assert (payment["status"], payment["amount"], payment["provider"]) == ("succeeded", "130.00", "mpesa")
    assert payment["receipt"] == payment["attempts"][0]["receipt"] is not None

    status, other = await njeri(
        "POST", "/orders", order | {"lines": [{"name": "Cake", "price": 900, "quantity": 1}]}
    )
    assert (status, other["total"]) == (201, "900.00")
    path = f"/orders/{other['id']}/checkout"
    status, asked = await njeri("POST", path, {"method_id": saved["method_id"]})
    assert (status, asked["status"], asked["provider"]) == (201, "pending", "mpesa")
    await town.answer_prompt("pay")
    await wanjiku.hears("Paid: KES 900.00")
    await njeri.until(town, f"/payments/{asked['payment_id']}", "succeeded")
    status, gone = await njeri("DELETE", f"{at}/payment-methods/{saved['method_id']}")
    assert (status, gone["preferences"]["saved_methods"]) == (200, [])
    await wanjiku.says("methods")
    await wanjiku.hears("You have saved no way to pay")


async def asked_in_chat_and_rejected_by_a_program(achieng, approver):
    await achieng.says("withdraw 500")
    await achieng.hears("Withdraw *KES 500.00*", "Fee: KES 33.00")
    await achieng.taps("Withdraw")
    await achieng.hears("Requested")
    status, waiting = await approver("GET", "/wallet/withdrawals?status=pending")
    assert (status, waiting["count"]) == (200, 1)
    third = f"/wallet/withdrawals/{waiting['results'][0]['id']}"
    status, rejected = await approver("POST", f"{third}/reject", {"reason": "not this week"})
    assert (status, rejected["status"]) == (200, "rejected")
    await achieng.hears("was rejected by Kamau", "not this week")


async def test_a_withdrawal_is_one_whoever_asks_and_wherever_it_is_decided(place, programs):
    town, (njeri, cashier, approver) = place.town, programs
    wanjiku, achieng, kamau = (town.person(name) for name in ("wanjiku", "achieng", "kamau"))
    await wanjiku.says("pay 5000")
    await wanjiku.hears("Pay *KES 5,000.00*")
    await wanjiku.taps("Pay")
    await town.answer_prompt("pay")
    await wanjiku.hears("Paid: KES 5,000.00")
    await kamau.says("hello")
    await kamau.hears("Hello Kamau")
    await achieng.says("hello")

    # asked for by a program, approved in chat, and decided once
    status, options = await cashier("GET", "/wallet/withdrawal-options")
    assert (status, options["available_balance"]) == (200, "5000.00")
    ask = {"amount": 1000, "method_type": "mpesa", "method_details": {"phone_number": "0712345678"}}
    status, first = await cashier("POST", "/wallet/withdrawals", ask | {"notes": "rent"})
    assert (status, first["status"], first["net_amount"]) == (201, "pending", "967.00")
    at = f"/wallet/withdrawals/{first['transaction_id']}"
    await kamau.hears("is waiting for your decision", "********5678")
    await kamau.taps("Approve")
    done = await cashier.until(town, at, "completed")
    assert (done["initiated_by"], done["approved_by"]) == (cashier.person, [approver.person])
    assert [line["status"] for line in done["history"]] == ["pending", "processing", "completed"]
    status, late = await approver("POST", f"{at}/reject", {"reason": "too late"})
    assert (status, late["code"], late["state"]) == (409, "not_pending", "completed")

    # the same person by a program and in chat is one person
    status, own = await approver("POST", "/wallet/withdrawals", ask)
    assert status == 201
    number = own["transaction_id"][-6:].upper()
    await kamau.says(f"approve {number}")
    await kamau.hears("You asked for this withdrawal yourself")
    own_path = f"/wallet/withdrawals/{own['transaction_id']}"
    status, refused = await approver("POST", f"{own_path}/approve", {})
    assert (status, refused["code"]) == (403, "four_eyes_violation")
    status, refused = await cashier("POST", f"{own_path}/approve", {})
    assert (status, refused["required_scope"]) == (403, "finance:withdraw:approve")
    status, canceled = await njeri("POST", f"{own_path}/cancel", {})
    assert (status, canceled["status"]) == (200, "canceled")

    await asked_in_chat_and_rejected_by_a_program(achieng, approver)
    status, wallet = await njeri("GET", "/wallet")
    assert wallet == {
        "posted": "4000.00",
        "held": "0.00",
        "available": "4000.00",
        "owed": "0.00",
        "currency": "KES",
        "resting": [],
    }
    status, audit = await njeri("GET", "/audit?limit=200")
    actions = [each["action"] for each in audit["results"]]
    assert {"withdrawal.requested", "withdrawal.approved", "withdrawal.self_approval"} <= set(actions)
    assert json.loads(place.installation.run("ledger", "check")) == {"ok": True, "breaches": []}


async def test_a_revoked_key_and_another_name_call_in_vain(place, programs):
    njeri = programs[0]
    prefix = njeri.key[: len("lipa_") + 12]
    assert (await njeri("GET", "/wallet", **{"X-TENANT-ID": "mama-njeri"}))[0] == 200
    assert (await njeri("GET", "/wallet", **{"X-TENANT-ID": "somebody-else"}))[0] == 401
    await asyncio.to_thread(place.installation.run, "apikey", "revoke", prefix)
    status, problem = await njeri("GET", "/wallet")
    assert (status, problem["code"]) == (401, "unauthenticated")
