"""The emulated Paystack pays out to banks, and signs what it tells of it."""

import asyncio
import hashlib
import hmac
from dataclasses import replace

import pytest

from bot.sandbox.world import PaystackAccount

KEY = "sk_test_merchant"
REFERENCE = "019acf00-0000-7000-8000-000000000003"
BODY = {"source": "balance", "amount": 95000, "currency": "KES", "reference": REFERENCE, "reason": "W"}
RECIPIENT = {
    "type": "kepss",
    "name": "Mama Njeri",
    "account_number": "1110099887",
    "bank_code": "01",
    "currency": "KES",
}


@pytest.fixture
def world(world):
    return replace(world, paystack=(PaystackAccount("MAMA NJERI DUKA", "mama-njeri", KEY, 10_000),))


class Client:
    def __init__(self, sandbox):
        self.sandbox = sandbox

    async def post(self, path, body, key=KEY):
        return await self.sandbox.post(f"/paystack{path}", body, key)

    async def get(self, path, key=KEY):
        headers = {"Authorization": f"Bearer {key}"}
        async with self.sandbox.session.get(f"{self.sandbox.url}/paystack{path}", headers=headers) as answer:
            return answer.status, await answer.json()

    async def recipient(self, **changes):
        return await self.post("/transferrecipient", RECIPIENT | changes)

    async def send(self, **changes):
        code = (await self.recipient())[1]["data"]["recipient_code"]
        return await self.post("/transfer", BODY | {"recipient": code} | changes)

    async def status(self, reference=REFERENCE):
        return (await self.get(f"/transfer/verify/{reference}"))[1]["data"]["status"]

    async def balance(self):
        return (await self.get("/balance"))[1]["data"][0]["balance"]


@pytest.fixture
def paystack(sandbox):
    return Client(sandbox)


@pytest.fixture
def events(sandbox):
    """Those that came, as the app would see them: (path, right signature, event)."""
    return sandbox.app.callbacks


async def told(wait, events, number=1):
    await wait(lambda: len(events) >= number)
    return [body for _, body in events]


async def test_a_transfer_is_queued_then_paid_and_told_at_the_merchants_address(paystack, wait, events):
    status, body = await paystack.send()
    assert (status, body["data"]["status"], body["data"]["reference"]) == (200, "pending", REFERENCE)
    (event,) = await told(wait, events)
    assert events[0][0] == "/hooks/paystack/mama-njeri"
    assert event["event"] == "transfer.success"
    assert event["data"]["amount"] == 95000
    assert event["data"]["recipient"]["details"]["account_number"] == "1110099887"
    assert await paystack.status() == "success"
    assert await paystack.balance() == 1_000_000 - 95_000


async def test_its_events_are_signed_over_their_bytes_by_the_merchants_key(sandbox, paystack, wait):
    await sandbox.arm("paystack.webhook", "forged")
    await paystack.send()
    await wait(lambda: len(sandbox.app.raw) >= 2)
    rights = [
        hmac.new(KEY.encode(), raw, hashlib.sha512).hexdigest() == given for raw, given in sandbox.app.raw
    ]
    assert rights == [False, True]


async def test_the_same_account_is_one_recipient(paystack):
    first = await paystack.recipient()
    assert first[0] == 201
    assert (await paystack.recipient())[1]["data"] == first[1]["data"]
    assert (await paystack.recipient(account_number="222333444"))[1]["data"] != first[1]["data"]


@pytest.mark.parametrize(
    "changes",
    [{"type": "nuban"}, {"currency": "NGN"}, {"account_number": "x"}, {"name": ""}, {"bank_code": ""}],
)
async def test_a_malformed_recipient_is_refused(paystack, changes):
    status, body = await paystack.recipient(**changes)
    assert (status, body["status"]) == (400, False)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": "95000"}, "invalid_params"),
        ({"amount": 0}, "invalid_params"),
        ({"amount": True}, "invalid_params"),
        ({"source": "card"}, "invalid_params"),
        ({"currency": "USD"}, "invalid_params"),
        ({"reference": "short"}, "invalid_params"),
        ({"reference": REFERENCE.upper()}, "invalid_params"),
        ({"recipient": "RCP_of_somebody_else"}, "invalid_transfer_recipient"),
        ({"amount": 1_000_001}, "insufficient_balance"),
    ],
)
async def test_a_transfer_that_cannot_be_is_refused_and_moves_nothing(sandbox, paystack, changes, code):
    status, body = await paystack.send(**changes)
    assert (status, body["code"]) == (400, code)
    assert await paystack.balance() == 1_000_000
    assert (await sandbox.look("payouts"))["payouts"] == []


async def test_a_reference_is_used_once(paystack):
    await paystack.send()
    status, body = await paystack.send()
    assert (status, body["code"]) == (400, "duplicate_reference")


async def test_without_the_key_nothing_is_answered(paystack):
    for key in ("", "sk_test_other", KEY[:-1]):
        status, body = await paystack.get("/balance", key)
        assert (status, body["message"]) == (401, "Invalid key")


async def test_what_was_never_sent_is_not_found(paystack):
    status, body = await paystack.get(f"/transfer/verify/{REFERENCE}")
    assert (status, body["message"]) == (404, "Transfer not found")


@pytest.mark.parametrize(
    ("outcome", "status"), [("failed", "failed"), ("given_back", "reversed"), ("blocked", "blocked")]
)
async def test_one_that_fails_comes_back_to_the_balance(sandbox, paystack, wait, events, outcome, status):
    await sandbox.arm("paystack.outcome", outcome)
    await paystack.send()
    (event,) = await told(wait, events)
    assert event["event"] == f"transfer.{status}"
    assert await paystack.balance() == 1_000_000


async def test_one_can_be_given_back_after_it_was_paid(sandbox, paystack, wait, events):
    await sandbox.arm("paystack.outcome", "given_back_later")
    await paystack.send()
    both = await told(wait, events, 2)
    assert [event["event"] for event in both] == ["transfer.success", "transfer.reversed"]
    assert await paystack.balance() == 1_000_000


async def test_one_that_was_paid_is_given_back_by_hand_once(sandbox, paystack, wait, events):
    await paystack.send()
    await told(wait, events)
    await sandbox.act(f"payouts/{REFERENCE}", outcome="give_back")
    both = await told(wait, events, 2)
    assert [event["event"] for event in both] == ["transfer.success", "transfer.reversed"]
    assert (await paystack.balance(), await paystack.status()) == (1_000_000, "reversed")
    status, _ = await sandbox.post(f"/control/payouts/{REFERENCE}", {"outcome": "give_back"})
    assert status == 409


async def test_one_that_asks_for_a_code_waits_until_it_is_settled_by_hand(sandbox, paystack, wait, events):
    await sandbox.arm("paystack.outcome", "otp")
    _, body = await paystack.send()
    assert (body["message"], body["data"]["status"]) == ("Transfer requires OTP to continue", "otp")
    (shown,) = (await sandbox.look("payouts"))["payouts"]
    assert (shown["state"], shown["amount"], shown["number"]) == ("queued", 950, "bank 01, 1110099887")
    await sandbox.act(f"payouts/{REFERENCE}", outcome="succeed")
    await told(wait, events)
    assert await paystack.status() == "success"
    status, _ = await sandbox.post(f"/control/payouts/{REFERENCE}", {"outcome": "fail"})
    assert status == 409


@pytest.mark.parametrize(("fault", "sent"), [("500", 0), ("spike", 0), ("no_funds", 0), ("500_after", 1)])
async def test_a_refusal_before_and_one_after_it_was_taken(sandbox, paystack, fault, sent):
    await sandbox.arm("paystack.transfer", fault)
    status, _ = await paystack.send()
    assert status >= 400
    assert len((await sandbox.look("payouts"))["payouts"]) == sent


async def test_events_are_told_again_until_they_are_taken(sandbox, paystack, wait, events):
    await sandbox.arm("paystack.webhook", "twice")
    await paystack.send()
    first, second = await told(wait, events, 2)
    assert first == second


async def test_one_that_is_lost_never_comes(sandbox, paystack, wait, events):
    await sandbox.arm("paystack.webhook", "lost")
    await paystack.send()
    async with asyncio.timeout(10):
        while await paystack.status() != "success":  # noqa: ASYNC110  it tells nobody: that is the point
            await asyncio.sleep(0.01)
    assert events == []


async def test_the_balance_is_a_float_on_the_page(sandbox, paystack):
    await sandbox.act("float", shortcode="mama-njeri", utility=7)
    assert await paystack.balance() == 700
    floats = (await sandbox.look("state"))["floats"]
    assert floats[-1]["utility"] == 7


async def test_banks_are_listed_by_their_codes(paystack):
    status, body = await paystack.get("/bank?currency=KES")
    assert status == 200
    assert {"01", "68"} <= {bank["code"] for bank in body["data"]}
