"""Collecting by Paystack: what goes over the wire, and what each answer to it means."""

import dataclasses
import datetime as dt
import json
from datetime import UTC, datetime
from uuid import UUID

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from services.money import Money
from services.news import Unpaid
from services.providers.abilities import Charge, Charges, OpensPages, Page
from services.providers.base import (
    Accepted,
    Failed,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Succeeded,
    Unknown,
    Unreadable,
)
from services.providers.paystack import Paystack
from services.providers.paystack_settings import PaystackSettings
from tests.services.providers.stub_daraja import OneToken, drops, says, says_raw, sends_half
from tests.services.providers.stub_paystack import StubPaystack, recorded

ATTEMPT = UUID("019acf00-0000-7000-8000-000000000003")
OURS = str(ATTEMPT)
INITIALIZE, CHARGE = "/transaction/initialize", "/transaction/charge_authorization"
FORGET, VERIFY = "/customer/deactivate_authorization", f"/transaction/verify/{OURS}"
PAGE = Page(
    provider="paystack",
    attempt_id=ATTEMPT,
    amount=Money(500_50, "KES"),
    number="K7Q2R0",
    about="Order K7Q2R0",
    ends_at=datetime(2026, 11, 29, 9, 30, tzinfo=UTC),
    return_url="https://pay.example/paid/ab12",
    callback_url="https://pay.example/hooks/cd34",
    ipn_url="https://pay.example/hooks/ef56",
    email="019acf@pay.example",
)
CARD = {"authorization_code": "AUTH_uh8bcl3zbn", "last4": "4081", "bank": "Visa"}
TOLD = CARD | {"expires": "2030-12"}
CHARGED = Charge("paystack", ATTEMPT, PAGE.amount, CARD, PAGE)
NOT_YET = ("abandoned", "ongoing", "pending", "processing", "queued", "reversed")
SETTINGS = PaystackSettings.model_validate({"secret_key": "sk_test_fixture"})


class Rig:
    def __init__(self, paystack, stub):
        self.paystack, self.stub = paystack, stub


@pytest.fixture
async def rig():
    stub = StubPaystack()
    async with TestServer(stub.app()) as server, aiohttp.ClientSession() as http:
        url, timeout = str(server.make_url("")), aiohttp.ClientTimeout(total=30, connect=5)
        clock = lambda: dt.datetime.now(dt.UTC)  # noqa: E731
        yield Rig(Paystack(SETTINGS, http, url, OneToken(), clock, timeout=timeout), stub)


def ours(name, **changes):
    told = recorded(name)
    data = {"reference": OURS, "amount": 500_50, "requested_amount": 500_50, "currency": "KES"}
    return told | {"data": told["data"] | data | changes}


def error(message, status=400, code="unknown"):
    return says({"status": False, "message": message, "code": code}, status)


def test_it_opens_pages_and_charges(rig):
    assert isinstance(rig.paystack, OpensPages)
    assert isinstance(rig.paystack, Charges)


async def test_a_page_is_of_our_attempt_and_this_amount(rig):
    rig.stub.will(INITIALIZE, says(ours("initialize")))
    answer = await rig.paystack.open_page(PAGE)
    assert answer == Accepted(OURS, page="https://checkout.paystack.com/3ni8kdavz62431k")
    assert rig.stub.asked[INITIALIZE] == [
        {
            "email": "019acf@pay.example",
            "amount": 500_50,
            "currency": "KES",
            "reference": OURS,
            "metadata": {"order": "K7Q2R0", "cancel_action": "https://pay.example/paid/ab12"},
            "callback_url": "https://pay.example/paid/ab12",
        }
    ]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (says(recorded("initialize")), Unknown),  # of another reference
        (says({"status": True, "data": {"reference": OURS}}), Unknown),
        (says_raw(b"<html>"), Unknown),
        (sends_half, Unknown),
        (drops, Unknown),
        (error("Internal", 503), Unknown),
        (error("Duplicate Transaction Reference"), Unknown),
        (error("Too many", 429), NotSent),
        (error("Invalid key", 401), Misconfigured),
        (error("Currency not supported by merchant", 403), Misconfigured),
        (error("Invalid Amount Sent"), Refused),
    ],
)
async def test_a_page_that_was_not_opened(rig, answer, expected):
    rig.stub.will(INITIALIZE, answer)
    assert isinstance(await rig.paystack.open_page(PAGE), expected)


async def test_a_currency_that_is_not_taken_is_not_asked_for(rig):
    page = dataclasses.replace(PAGE, amount=Money(500, "UGX"))
    assert isinstance(await rig.paystack.open_page(page), Refused)
    assert rig.stub.asked == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Succeeded("4099260516", Money(500_50, "KES"), TOLD)),
        ({"amount": 510_00}, Succeeded("4099260516", Money(500_50, "KES"), TOLD)),  # with their fees
        ({"amount": 100_00}, Succeeded("4099260516", Money(100_00, "KES"), TOLD)),
        ({"currency": "NGN"}, Succeeded("4099260516", Money(500_50, "NGN"), TOLD)),
        ({"authorization": {}}, Succeeded("4099260516", Money(500_50, "KES"))),
        ({"authorization": None}, Succeeded("4099260516", Money(500_50, "KES"))),
        ({"amount": "many"}, Pending),
        ({"reference": "another"}, Pending),
        ({"status": "failed", "gateway_response": "Declined"}, Failed(Unpaid.DECLINED, "failed Declined")),
        (
            {"status": "failed", "gateway_response": "Insufficient Funds"},
            Failed(Unpaid.INSUFFICIENT_FUNDS, "failed Insufficient Funds"),
        ),
        *[
            ({"status": status}, Pending)
            for status in (
                "abandoned",
                "ongoing",
                "pending",
                "processing",
                "queued",
                "reversed",
                "new",
                None,
                7,
            )
        ],
    ],
)
async def test_what_became_of_it(rig, changes, expected):
    rig.stub.will(VERIFY, says(ours("verify", **changes)))
    word = await rig.paystack.check(OURS)
    assert isinstance(word, expected) if isinstance(expected, type) else word == expected


@pytest.mark.parametrize(
    ("answer", "because_of_us"),
    [
        (error("Transaction reference not found", 404), False),
        (error("Invalid key", 401), True),
    ],
)
async def test_no_answer_is_no_word(rig, answer, because_of_us):
    rig.stub.will(VERIFY, answer)
    word = await rig.paystack.check(OURS)
    assert isinstance(word, Pending)
    assert word.ours == because_of_us


@pytest.mark.parametrize("answer", [error("oops", 500), drops])
async def test_a_question_that_is_not_answered_is_told_as_such(rig, answer):
    rig.stub.will(VERIFY, answer)
    assert isinstance(await rig.paystack.check(OURS), Unknown)


async def test_a_card_is_charged_for_who_paid_with_it(rig):
    rig.stub.will(CHARGE, says(ours("charge_authorization")))
    answer = await rig.paystack.charge(CHARGED)
    assert isinstance(answer, Accepted)
    assert answer.told is not None
    word = answer.told.word
    assert isinstance(word, Succeeded)
    assert (answer.reference, word.receipt, word.amount) == (OURS, "4099490251", PAGE.amount)
    (asked,) = rig.stub.asked[CHARGE]
    assert (asked["authorization_code"], asked["email"], asked["reference"], asked["amount"]) == (
        "AUTH_uh8bcl3zbn",
        PAGE.email,
        OURS,
        500_50,
    )


async def test_where_the_bank_asks_there_is_a_page(rig):
    rig.stub.will(CHARGE, says(ours("charge_authorization_paused")))
    answer = await rig.paystack.charge(CHARGED)
    assert answer == Accepted(OURS, page="https://checkout.paystack.com/resume/0744ub5o065nwyz")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (says(ours("charge_authorization", status="failed")), Failed),
        (says(ours("charge_authorization", status="pending")), Pending),
        (says(ours("charge_authorization", amount=1, requested_amount=1)), Pending),
        (says(recorded("charge_authorization")), Unknown),
        (error("Duplicate Transaction Reference"), Unknown),
        (error("oops", 500), Unknown),
        (drops, Unknown),
        (error("Invalid key", 401), Misconfigured),
        (error("Email does not match Authorization code. Authorization may be inactive"), Unpaid.CARD),
        (error("Invalid Amount Sent"), Unpaid.PROVIDER),
    ],
)
async def test_a_charge_that_is_not_done(rig, answer, expected):
    rig.stub.will(CHARGE, answer)
    told = await rig.paystack.charge(CHARGED)
    if isinstance(expected, Unpaid):
        assert isinstance(told, Refused)
        assert told.because == expected
    elif isinstance(told, Accepted):
        assert told.told is not None
        assert isinstance(told.told.word, expected)
    else:
        assert isinstance(told, expected)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (says({"status": True, "message": "Authorization has been deactivated"}), type(None)),
        (error("Authorization could not be found", 404), type(None)),
        (error("Invalid key", 401), Misconfigured),
        (error("oops", 500), NotSent),
        (drops, NotSent),
    ],
)
async def test_a_card_is_forgotten(rig, answer, expected):
    rig.stub.will(FORGET, answer)
    assert isinstance(await rig.paystack.forget(CARD), expected)
    assert rig.stub.asked[FORGET] == [{"authorization_code": "AUTH_uh8bcl3zbn"}]


@pytest.mark.parametrize("name", ["charge_success", "charge_success_card", "charge_success_mobile_money"])
def test_a_success_is_told_of_its_reference(rig, name):
    told = recorded(name)
    report = rig.paystack.read("signed", json.dumps(told).encode())
    assert report.about == "collect"
    assert report.references == {told["data"]["reference"]}
    assert isinstance(report.word, Succeeded)
    assert report.word.amount == Money(told["data"]["amount"], told["data"]["currency"])


def test_only_a_card_that_may_be_charged_again_is_a_method(rig):
    told = recorded("charge_success")  # by bank transfer
    word = rig.paystack.read("signed", json.dumps(told).encode()).word
    assert word.method is None


@pytest.mark.parametrize("status", ["failed", "pending", "", None, 1])
def test_an_event_that_contradicts_itself_is_no_yes(rig, status):
    body = json.dumps({"event": "charge.success", "data": ours("verify", status=status)["data"]}).encode()
    word = rig.paystack.read("signed", body).word
    assert isinstance(word, Pending)
    assert word.unheard


@pytest.mark.parametrize("data", [{}, None, [], {"reference": None}, {"reference": {}}])
def test_one_that_names_nothing_is_unreadable(rig, data):
    with pytest.raises(Unreadable):
        rig.paystack.read("signed", json.dumps({"event": "charge.success", "data": data}).encode())
