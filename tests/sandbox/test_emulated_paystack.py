"""The emulated Paystack, by requests as its documentation has them."""

from dataclasses import replace

import pytest

KEY = "sk_test_1"
ACCOUNT = {
    "type": "kepss",
    "name": "Jane",
    "account_number": "0123456789",
    "bank_code": "68",
    "currency": "KES",
}


@pytest.fixture
def world(world):
    return replace(world, paystack_key=KEY)


async def verify(sandbox, reference):
    headers = {"Authorization": f"Bearer {KEY}"}
    async with sandbox.session.get(f"{sandbox.url}/transfer/verify/{reference}", headers=headers) as answer:
        return answer.status, await answer.json()


async def test_a_transfer_is_pending_and_then_arrives_once(sandbox):
    status, made = await sandbox.post("/transferrecipient", ACCOUNT, KEY)
    assert (status, made["status"]) == (201, True)
    asked = {"source": "balance", "amount": 95_000, "currency": "KES", "reference": "attempt-0000000001"}
    asked["recipient"] = made["data"]["recipient_code"]
    status, sent = await sandbox.post("/transfer", asked, KEY)
    assert (status, sent["data"]["status"]) == (200, "pending")
    status, again = await sandbox.post("/transfer", asked, KEY)
    assert (status, again["code"]) == (400, "duplicate_reference")
    while not any("arrived" in line["text"] for line in (await sandbox.look("state"))["log"]):
        pass
    status, told = await verify(sandbox, asked["reference"])
    assert (status, told["data"]["status"], told["data"]["amount"]) == (200, "success", 95_000)


async def test_what_it_refuses(sandbox):
    assert (await sandbox.post("/transferrecipient", ACCOUNT, "sk_test_2"))[0] == 401
    assert (await sandbox.post("/transferrecipient", ACCOUNT | {"type": "nuban"}, KEY))[0] == 400
    status, answer = await sandbox.post("/transfer", {"recipient": "RCP_none"}, KEY)
    assert (status, answer["code"]) == (400, "invalid_recipient")
    assert (await verify(sandbox, "none"))[0] == 404
