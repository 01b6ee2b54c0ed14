"""Prompts by Paystack: what goes over the wire, and what each answer to it means."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from services.money import Money
from services.news import Unpaid
from services.providers.abilities import Prompt, Prompts
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
from tests.services.providers.stub_daraja import OneToken, drops, says, says_raw
from tests.services.providers.stub_paystack import StubPaystack, recorded

ATTEMPT = UUID("019acf00-0000-7000-8000-000000000005")
OURS, CHARGE, VERIFY = str(ATTEMPT), "/charge", "/transaction/verify/019acf00-0000-7000-8000-000000000005"
PROMPT = Prompt(
    provider="paystack",
    attempt_id=ATTEMPT,
    amount=Money(500_00, "KES"),
    phone="+254712345678",
    reference="K7Q2R0",
    callback_url="https://pay.example/hooks/cd34",
    email="019acf@pay.example",
)
SETTINGS = PaystackSettings.model_validate({"secret_key": "sk_test_fixture"})
NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)


class Rig:
    def __init__(self, paystack, stub):
        self.paystack, self.stub = paystack, stub


@pytest.fixture
async def rig():
    stub = StubPaystack()
    async with TestServer(stub.app()) as server, aiohttp.ClientSession() as http:
        url, timeout = str(server.make_url("")), aiohttp.ClientTimeout(total=2, connect=1)
        yield Rig(Paystack(SETTINGS, http, url, OneToken(), lambda: NOW, timeout=timeout), stub)


def ours(name, **changes):
    told = recorded(name)
    return told | {"data": told["data"] | {"reference": OURS} | changes}


async def test_the_request_has_the_phone_the_amount_and_our_reference(rig):
    assert isinstance(rig.paystack, Prompts)
    rig.stub.will(CHARGE, says(ours("charge_pay_offline")))
    answer = await rig.paystack.prompt(PROMPT)
    assert rig.stub.asked[CHARGE] == [
        {
            "email": "019acf@pay.example",
            "amount": 50000,
            "currency": "KES",
            "reference": OURS,
            "mobile_money": {"phone": "+254712345678", "provider": "mpesa"},
            "metadata": {"order": "K7Q2R0"},
        }
    ]
    assert isinstance(answer, Accepted)
    assert answer.reference == OURS
    assert answer.told is not None
    assert answer.told.word == Pending("pay_offline")


PAID = {"amount": 50000, "currency": "KES", "requested_amount": 50000}


@pytest.mark.parametrize(
    ("told", "word"),
    [
        (ours("charge_pending"), Pending("pending")),
        (ours("charge_mobile_money", **PAID), Succeeded("59333", Money(500_00, "KES"))),
        (
            ours("charge_mobile_money", **PAID | {"amount": None}),
            Pending("success with an unreadable amount", unheard=True),
        ),
        (
            ours("charge_mobile_money", **PAID | {"amount": 400, "requested_amount": 400}),
            Pending("a success with another amount", unheard=True),
        ),
        (ours("charge_pending", status="send_otp"), Pending("a status that is not known", unheard=True)),
    ],
)
async def test_what_is_accepted(rig, told, word):
    rig.stub.will(CHARGE, says(told))
    answer = await rig.paystack.prompt(PROMPT)
    assert isinstance(answer, Accepted)
    assert answer.told is not None
    assert answer.told.word == word


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says(recorded("charge_refused"), 400), Refused),
        (says({"status": False, "message": "Duplicate Transaction Reference"}, 400), Unknown),
        (says({"status": False, "message": "Mobile money is not enabled"}, 400), Misconfigured),
        (says({"status": False, "message": "Invalid key"}, 401), Misconfigured),
        (says({"status": False, "message": "Slow down"}, 429), NotSent),
        (says({"status": False, "message": "Oops"}, 500), Unknown),
        (says(ours("charge_pay_offline", reference="another")), Unknown),
        (says_raw(b"<html>", 502), Unknown),
        (drops, Unknown),
    ],
)
async def test_what_is_not_accepted_rings_no_second_time(rig, answer, kind):
    rig.stub.will(CHARGE, answer)
    assert isinstance(await rig.paystack.prompt(PROMPT), kind)
    assert len(rig.stub.asked[CHARGE]) == 1


async def test_another_currency_rings_nowhere(rig):
    assert isinstance(await rig.paystack.prompt(replace(PROMPT, amount=Money(5_00, "USD"))), Refused)
    assert rig.stub.asked[CHARGE] == []


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ("Request cancelled by user", Unpaid.CANCELLED),
        ("Insufficient Funds", Unpaid.INSUFFICIENT_FUNDS),
        ("The initiator information is invalid", Unpaid.WRONG_PIN),
        ("DS timeout user cannot be reached", Unpaid.UNREACHABLE),
        ("Transaction has expired", Unpaid.EXPIRED),
        ("Something else", Unpaid.PROVIDER),
    ],
)
async def test_why_a_phone_did_not_pay_is_told_in_words_of_phones(rig, said, because):
    changes = {"status": "failed", "channel": "mobile_money", "gateway_response": said}
    rig.stub.will(VERIFY, says(ours("verify", **changes)))
    word = await rig.paystack.check(OURS)
    assert isinstance(word, Failed)
    assert word.because == because


async def test_a_phone_that_has_paid_is_no_card_to_be_saved(rig):
    body = recorded("charge_success_mobile_money")
    word = rig.paystack.read("signed", json.dumps(body).encode()).word
    assert isinstance(word, Succeeded)
    assert word.method is None
