"""The emulated Paystack gives payments back, and tells of it in the shapes of Paystack's documentation."""

import hashlib
import hmac
from dataclasses import replace

import pytest

from bot.sandbox.world import PaystackAccount
from tests.sandbox.conftest import until
from tests.sandbox.test_emulated_paystack import Client
from tests.sandbox.test_emulated_paystack_charges import KEY, page
from tests.services.providers.stub_paystack import recorded


@pytest.fixture
def world(world):
    account = PaystackAccount("MAMA NJERI DUKA", "mama-njeri", KEY, 10_000)
    return replace(world, paystack=(account,), payout_delay=0.01)


@pytest.fixture
async def paystack(sandbox):
    """With one transaction of KES 500.50 that is paid."""
    client = Client(sandbox)
    await page(client, "pay")
    return client


async def transaction(paystack):
    return (await paystack.get("/transaction"))[1]["data"][0]


async def refund(paystack, **changes):
    body = {"transaction": (await transaction(paystack))["reference"], "amount": 200_00} | changes
    return await paystack.post("/refund", body)


async def events(paystack, *wanted):
    """Of refunds and disputes, once these were told, in this order."""
    told = paystack.sandbox.app.callbacks

    def so():
        return [each for _, each in told if not each["event"].startswith("charge.success")]

    await until(lambda: len(so()) >= len(wanted))
    assert [each["event"] for each in so()] == list(wanted)
    return so()


def kinds(told, *names):
    return {name: type(told[name]) for name in names}


async def test_an_answer_and_a_list_are_shaped_as_they_are_documented(paystack):
    code, body = await refund(paystack, merchant_note="ours")
    documented = recorded("refund_create")
    assert (code, body["message"]) == (200, documented["message"])
    assert set(documented["data"]) - set(body["data"]) == {"expected_at"}
    shown = ("id", "amount", "status", "currency", "transaction", "merchant_note")
    assert kinds(body["data"], *shown) == kinds(documented["data"], *shown)
    assert body["data"]["merchant_note"] == "ours"
    one = (await paystack.get(f"/refund/{body['data']['id']}"))[1]["data"]
    listed = (await paystack.get(f"/refund?transaction={one['transaction']}"))[1]["data"]
    assert listed == [one]
    assert isinstance(one["transaction"], type(recorded("refund_retry")["data"]["transaction"]))
    assert (await paystack.get("/refund?transaction=1"))[1]["data"] == []
    assert (await paystack.get("/refund/1"))[0] == 404


async def test_events_tell_how_it_goes_on_and_say_as_little_as_documented(paystack):
    await refund(paystack)
    names = ("pending", "processing", "processed")
    for told, name in zip(await events(paystack, *(f"refund.{name}" for name in names)), names, strict=True):
        documented = recorded(f"refund_event_{name}")["data"]
        assert set(told["data"]) == set(documented)
        shown = ("status", "amount", "transaction_reference", "refund_reference")
        assert kinds(told["data"], *shown) == kinds(documented, *shown)
    body, signature = paystack.sandbox.app.raw[-1]
    assert hmac.compare_digest(signature, hmac.new(KEY.encode(), body, hashlib.sha512).hexdigest())


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ("failed", ["pending", "processing", "failed"]),
        ("failed_later", ["pending", "processing", "processed", "failed"]),
        ("needs_attention", ["pending", "processing", "needs-attention"]),
        ("hang", ["pending", "processing"]),
    ],
)
async def test_a_fault_decides_how_it_ends(paystack, fault, wanted):
    await paystack.sandbox.act("faults", at="paystack.refunded", fault=fault)
    await refund(paystack)
    told = await events(paystack, *(f"refund.{name}" for name in wanted))
    name = wanted[-1].replace("-", "_")
    assert set(told[-1]["data"]) == set(recorded(f"refund_event_{name}")["data"])


async def test_no_more_goes_back_than_was_paid(paystack):
    assert (await refund(paystack, amount=500_51))[0] == 400
    assert (await refund(paystack))[0] == 200
    assert (await refund(paystack, amount=300_51))[0] == 400
    assert (await refund(paystack, amount="30050"))[0] == 200
    assert (await refund(paystack))[1]["message"] == "Transaction has been fully reversed"
    assert (await paystack.post("/refund", {"transaction": "another"}))[0] == 404
    assert (await paystack.post("/refund", {"transaction": "another"}, "sk_test_other"))[0] == 401


@pytest.mark.parametrize("won", [True, False])
async def test_a_dispute_is_opened_and_closed(paystack, won):
    reference = (await transaction(paystack))["reference"]
    await paystack.sandbox.act("paystack/disputes", slug="mama-njeri", reference=reference)
    (told,) = await events(paystack, "charge.dispute.create")
    assert set(told["data"]) <= set(recorded("dispute_create")["data"])
    await paystack.sandbox.act(f"paystack/disputes/{told['data']['id']}", status="won" if won else "lost")
    lost = [] if won else ["refund.processed"]
    ended = await events(paystack, "charge.dispute.create", "charge.dispute.resolve", *lost)
    assert ended[1]["data"]["resolution"] == ("declined" if won else "merchant-accepted")
    listed = (await paystack.get("/refund"))[1]["data"]
    assert [each["amount"] for each in listed] == ([] if won else [told["data"]["refund_amount"]])
