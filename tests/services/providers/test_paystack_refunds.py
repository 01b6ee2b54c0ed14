"""Refunds by Paystack: what goes over the wire, and what each answer to it means."""

from datetime import UTC, datetime
from uuid import UUID

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from services.money import Money
from services.news import Unpaid
from services.providers import PROVIDERS
from services.providers.base import (
    Accepted,
    Failed,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Succeeded,
    Unknown,
)
from services.providers.paystack import Paystack
from services.providers.paystack_settings import PaystackSettings
from services.providers.refunds import Refund, Refunds
from tests.services.providers.stub_daraja import OneToken, drops, says, says_raw, sends_half
from tests.services.providers.stub_paystack import StubPaystack, raw, recorded

ATTEMPT = UUID("019acf00-0000-7000-8000-000000000004")
PAID, REFUND, ONE = "1004723697", "/refund", "/refund/3018284"
WANTED = Refund(
    provider="paystack",
    attempt_id=ATTEMPT,
    amount=Money(100_00, "NGN"),
    receipt=PAID,
    callback_url="https://pay.example/hooks/ab12",
    timeout_url="https://pay.example/hooks/cd34",
    remarks="Refund K7Q2R0",
)
SETTINGS = PaystackSettings.model_validate({"secret_key": "sk_test_fixture"})
NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
NOTE = f"Refund K7Q2R0 {ATTEMPT}"


class Rig:
    def __init__(self, paystack, stub):
        self.paystack, self.stub = paystack, stub

    async def asks(self, reference=None, receipt=PAID):
        return await self.paystack.ask_refund(receipt, reference, "https://a", "https://b", ATTEMPT)


@pytest.fixture
async def rig():
    stub = StubPaystack()
    async with TestServer(stub.app()) as server, aiohttp.ClientSession() as http:
        url, timeout = str(server.make_url("")), aiohttp.ClientTimeout(total=2, connect=1)
        yield Rig(Paystack(SETTINGS, http, url, OneToken(), lambda: NOW, timeout=timeout), stub)


def made(**changes):
    """As the documentation has it."""
    told = recorded("refund_create")
    return told | {"data": told["data"] | changes}


def listed(*refunds):
    return {"status": True, "message": "Refunds retrieved", "data": list(refunds)}


def one(**changes):
    """Of a list, whose transactions are numbers."""
    told = recorded("refund_retry")["data"] | {"transaction": int(PAID), "id": 3018284, "amount": 10000}
    return told | {"merchant_note": NOTE, "status": "processed"} | changes


def test_it_gives_payments_back_in_parts_too(rig):
    assert isinstance(rig.paystack, Refunds)
    rules = PROVIDERS["paystack"].refunds
    assert rules is not None
    assert (rules.whole, rules.within, rules.otherwise) == (False, None, None)


async def test_the_request_names_the_payment_the_amount_and_in_a_note_ours(rig):
    rig.stub.will(REFUND, says(made()))
    answer = await rig.paystack.refund(WANTED)
    assert rig.stub.asked[REFUND] == [
        {
            "transaction": PAID,
            "amount": 10000,
            "currency": "NGN",
            "customer_note": "Refund K7Q2R0",
            "merchant_note": NOTE,
        }
    ]
    assert isinstance(answer, Accepted)
    assert answer.reference == "3018284"
    assert answer.told is not None
    assert answer.told.word == Pending("pending")
    assert answer.told.references == {"3018284", str(ATTEMPT)}
    assert answer.told.facts["original"] == PAID


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"status": "pending"}, Pending("pending")),
        ({"status": "processing"}, Pending("processing")),
        ({"status": "processed"}, Succeeded("3018284", Money(100_00, "NGN"))),
        ({"status": "processed", "amount": "10000"}, Succeeded("3018284", Money(100_00, "NGN"))),
        (
            {"status": "failed", "reason": "BANK"},
            Failed(Unpaid.RECEIVER, "failed BANK", returned=Money(100_00, "NGN")),
        ),
        ({"status": "processed", "amount": None}, Pending("a refund that is processed", unheard=True)),
        ({"status": "reversed-ish"}, Pending("a refund that is reversed-ish", unheard=True)),
        ({"status": None}, Pending("a refund that is ", unheard=True)),
    ],
)
async def test_a_status_in_our_words(rig, told, word):
    rig.stub.will(ONE, says(made(**told)))
    answer = await rig.asks("3018284")
    assert answer.told.word == word
    assert answer.told.about == "refund_query"


async def test_one_that_wants_the_customers_account_waits_for_the_shop(rig):
    rig.stub.will(ONE, says(made(status="needs-attention")))
    word = (await rig.asks("3018284")).told.word
    assert isinstance(word, Pending)
    assert word.waits


@pytest.mark.parametrize(
    "told",
    [{"amount": 9999}, {"currency": "KES"}, {"id": None}, {"transaction": 7}, {"transaction": {"id": 7}}],
)
async def test_an_answer_about_another_one_is_unknown(rig, told):
    rig.stub.will(REFUND, says(made(**told)))
    assert isinstance(await rig.paystack.refund(WANTED), Unknown)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says({"status": False, "message": "Transaction has been fully reversed"}, 400), Refused),
        (says({"status": False, "message": "Refund amount is too large"}, 400), Refused),
        (says({"status": False, "message": "Insufficient balance to process this"}, 400), Refused),
        (says({"status": False, "message": "Refunds are not enabled for you"}, 400), Misconfigured),
        (says({"status": False, "message": "Invalid key"}, 401), Misconfigured),
        (says({"status": False, "message": "Too many requests"}, 429), NotSent),
        (says({"status": False, "message": "An error occurred"}, 500), Unknown),
        (says({"status": False, "message": "Conflict"}, 409), Unknown),
        (says({"message": "what"}, 400), Unknown),
        (says_raw(b"<html>", 502), Unknown),
        (says_raw(b"[]", 200), Unknown),
        (drops, Unknown),
        (sends_half, Unknown),
    ],
)
async def test_what_is_not_accepted(rig, answer, kind):
    rig.stub.will(REFUND, answer)
    assert isinstance(await rig.paystack.refund(WANTED), kind)
    assert len(rig.stub.asked[REFUND]) == 1


async def test_an_account_that_is_short_is_the_shops_matter(rig):
    rig.stub.will(REFUND, says({"status": False, "message": "Insufficient balance"}, 400))
    answer = await rig.paystack.refund(WANTED)
    assert (answer.because, answer.ours) == (Unpaid.INSUFFICIENT_FUNDS, True)


async def test_without_its_reference_all_of_the_payment_are_told_and_ours_by_its_note(rig):
    others = {"id": 3018285, "merchant_note": None}
    lost = {"id": 3018286, "merchant_note": "by test@me.com", "dispute": {"id": 9}}
    strays = (one(transaction=8), one(id=None), "no object")
    rig.stub.will(REFUND, says(listed(one(), one(**others), one(**lost), *strays)))
    answer = await rig.asks()
    assert (answer.told.about, answer.told.facts["original"]) == ("refunded_query", PAID)
    assert isinstance(answer.told.word, Pending)
    ours, theirs, disputed = answer.told.facts["refunds"]
    assert ours.references == {"3018284", str(ATTEMPT)}
    assert ours.word == Succeeded("3018284", Money(100_00, "NGN"))
    assert (theirs.references, theirs.facts["called"]) == ({"3018285"}, "refund-3018285")
    assert disputed.facts["called"] == "refund-3018286"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says({"status": False, "message": "Refund not found"}, 404), Unknown),
        (says({"status": False, "message": "Invalid key"}, 401), Misconfigured),
        (says({"status": True, "data": {"id": 1}}), Unknown),
        (says({"status": True, "data": None}), Unknown),
        (says_raw(b"<html>", 502), Unknown),
        (drops, Unknown),
    ],
)
@pytest.mark.parametrize("reference", [None, "3018284"])
async def test_a_question_without_an_answer(rig, answer, kind, reference):
    rig.stub.will(REFUND, answer)
    rig.stub.will(ONE, answer)
    assert isinstance(await rig.asks(reference), kind)


async def test_more_than_a_page_of_them_and_what_is_no_id_of_theirs_is_unknown(rig):
    rig.stub.will(REFUND, says(listed(*[one(id=number) for number in range(1, 101)])))
    assert isinstance(await rig.asks(), Unknown)
    assert isinstance(await rig.asks(receipt="../balance"), Unknown)
    assert isinstance(await rig.asks("../balance"), Unknown)


@pytest.mark.parametrize("name", ["processed", "failed", "needs_attention"])
def test_an_event_is_a_reason_to_ask_of_its_payment(rig, name):
    body = recorded(f"refund_event_{name}")
    report = rig.paystack.read("signed", raw(f"refund_event_{name}"))
    assert (report.about, report.facts) == ("taken_back", {"ask": True})
    assert report.references == {body["data"]["transaction_reference"]}
    assert report.word == Pending(body["event"])


@pytest.mark.parametrize("name", ["pending", "processing"])
def test_on_its_way_it_is_no_reason(rig, name):
    assert rig.paystack.read("signed", raw(f"refund_event_{name}")).about == "other"
