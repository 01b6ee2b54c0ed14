"""Payouts by Paystack: what goes over the wire, and what each answer to it means."""

import asyncio
import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from pydantic import ValidationError

from services.money import Money
from services.news import Unpaid
from services.providers.abilities import Payout
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
from tests.services.providers.stub_paystack import (
    BALANCE,
    RECIPIENT,
    TRANSFER,
    StubPaystack,
    raw,
    recorded,
    transfer,
)

ATTEMPT = UUID("019acf00-0000-7000-8000-000000000003")
VERIFY = f"/transfer/verify/{ATTEMPT}"
KCB = {"account_number": "1110099887", "bank_code": "01", "account_name": "Mama Njeri"}
SENT = Payout(
    provider="paystack",
    attempt_id=ATTEMPT,
    amount=Money(950_00, "KES"),
    method_type="bank_transfer",
    details=KCB,
    callback_url="https://pay.example/hooks/cd34",
    timeout_url="https://pay.example/hooks/ef56",
    remarks="Withdrawal W-7",
)
ANY_TIME = datetime(2026, 11, 29, tzinfo=UTC)  # they are not dated
KNOWN = dataclasses.replace(SENT, recipient="RCP_known")
SETTINGS = PaystackSettings.model_validate({"secret_key": "sk_test_fixture"})


@dataclass
class Rig:
    paystack: Paystack
    stub: StubPaystack
    make: Callable[..., Paystack]


@pytest.fixture
async def rig():
    stub = StubPaystack()
    async with TestServer(stub.app()) as server, aiohttp.ClientSession() as http:

        def make(url=None, total=30):
            timeout = aiohttp.ClientTimeout(total=total, connect=5)
            url = url or str(server.make_url(""))
            return Paystack(SETTINGS, http, url, OneToken(), lambda: dt.datetime.now(dt.UTC), timeout=timeout)

        stub.will(RECIPIENT, says(recorded("transferrecipient_bank"), 201))
        yield Rig(make(), stub, make)


async def asked(rig):
    return await rig.paystack.ask(ATTEMPT, "TRF_ours", "", "")


# --- the wire


async def test_a_new_destination_is_made_known_and_paid_by_our_reference_in_cents(rig):
    rig.stub.will(TRANSFER, says(transfer()))
    answer = await rig.paystack.pay_out(SENT)
    assert rig.stub.asked[RECIPIENT] == [
        {
            "type": "kepss",
            "name": "Mama Njeri",
            "account_number": "1110099887",
            "bank_code": "01",
            "currency": "KES",
        }
    ]
    assert rig.stub.asked[TRANSFER] == [
        {
            "source": "balance",
            "amount": 95000,
            "currency": "KES",
            "recipient": "RCP_t0ya41mp35flk40",
            "reference": str(ATTEMPT),
            "reason": "Withdrawal W-7",
        }
    ]
    assert set(rig.stub.authorizations) == {"Bearer sk_test_fixture"}
    assert isinstance(answer, Accepted)
    assert (answer.reference, answer.recipient) == ("TRF_ours", "RCP_t0ya41mp35flk40")
    assert answer.told is not None
    assert answer.told.word == Pending("pending")


async def test_a_known_destination_is_not_made_known_again(rig):
    rig.stub.will(TRANSFER, says(transfer()))
    answer = await rig.paystack.pay_out(KNOWN)
    assert rig.stub.asked[RECIPIENT] == []
    assert rig.stub.asked[TRANSFER][0]["recipient"] == answer.recipient == "RCP_known"


async def test_a_recipient_of_another_account_is_made_anew_and_the_same_transfer_sent(rig):
    rig.stub.will(TRANSFER, says(recorded("error_invalid_recipient"), 400), says(transfer()))
    answer = await rig.paystack.pay_out(KNOWN)
    first, second = rig.stub.asked[TRANSFER]
    assert (first["recipient"], second["recipient"]) == ("RCP_known", "RCP_t0ya41mp35flk40")
    assert first["reference"] == second["reference"] == str(ATTEMPT)
    assert answer.recipient == "RCP_t0ya41mp35flk40"


@pytest.mark.parametrize(
    "changes", [{"method_type": "till"}, {"method_type": "mpesa"}, {"amount": Money(950_00, "NGN")}]
)
async def test_what_transfers_do_not_reach_is_kept_off_the_wire(rig, changes):
    answer = await rig.paystack.pay_out(dataclasses.replace(SENT, **changes))
    assert isinstance(answer, Refused)
    assert dict(rig.stub.asked) == {}


# --- a recipient that is not made: nothing was sent


@pytest.mark.parametrize("answer", [says({}, 500), says_raw(b"<html>"), drops, sends_half, says({}, 429)])
async def test_without_an_answer_about_the_recipient_nothing_was_sent(rig, answer):
    rig.stub.will(RECIPIENT, answer)
    assert isinstance(await rig.paystack.pay_out(SENT), NotSent)
    assert rig.stub.asked[TRANSFER] == []


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"status": False, "message": "Account number is invalid"}, Refused),
        (422, {"status": False, "message": "Cannot resolve account"}, Refused),
        (401, {"status": False, "message": "Invalid key"}, Misconfigured),
        (400, recorded("error_currency"), Misconfigured),
        (200, {"status": True, "data": {"recipient_code": None}}, NotSent),
    ],
)
async def test_what_a_refused_recipient_means(rig, status, body, kind):
    rig.stub.will(RECIPIENT, says(body, status))
    answer = await rig.paystack.pay_out(SENT)
    assert isinstance(answer, kind)
    assert rig.stub.asked[TRANSFER] == []
    if kind is Refused:
        assert answer.because is Unpaid.RECEIVER


# --- a transfer that is not accepted


async def test_where_nobody_listens_nothing_was_sent(rig):
    assert isinstance(await rig.make("http://127.0.0.1:9").pay_out(KNOWN), NotSent)


@pytest.mark.parametrize(
    "answer",
    [
        says({"status": False, "message": "Oops"}, 500),
        says({"status": False, "message": "Bad gateway"}, 502),
        says({}, 408),
        says({}, 409),
        says_raw(b"<html>503</html>", 503),
        says_raw(b"[]"),
        says({"status": False, "message": "queued?"}, 200),
        says({"message": "no status"}, 400),
        says(recorded("error_duplicate_reference"), 404),
        says({"status": False, "message": "Reference already exists on a transfer"}, 400),
        says(transfer(reference="another", transfer_code="TRF_other")),
        drops,
        sends_half,
    ],
)
async def test_what_may_have_been_sent_is_unknown(rig, answer):
    rig.stub.will(TRANSFER, answer)
    assert isinstance(await rig.paystack.pay_out(KNOWN), Unknown)
    assert len(rig.stub.asked[TRANSFER]) == 1


async def test_a_transfer_that_is_not_answered_in_time_is_unknown(rig):
    async def never(_request):
        await asyncio.sleep(5)

    rig.stub.will(TRANSFER, never)
    assert isinstance(await rig.make(total=0.1).pay_out(KNOWN), Unknown)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (401, "Invalid key", Misconfigured),
        (403, "Your IP address is not allowed to make this call", Misconfigured),
        (400, "You cannot initiate third party payouts as a starter business", Misconfigured),
        (400, "Transfers are not enabled for your account", Misconfigured),
        (429, "Too many requests", NotSent),
        (429, "", NotSent),
    ],
)
async def test_a_no_for_our_settings_or_for_now(rig, status, message, kind):
    rig.stub.will(TRANSFER, says({"status": False, "message": message}, status))
    assert isinstance(await rig.paystack.pay_out(KNOWN), kind)


@pytest.mark.parametrize(
    ("message", "because", "ours"),
    [
        ("Your balance is not enough to fulfil this request", Unpaid.INSUFFICIENT_FUNDS, True),
        ("Insufficient funds", Unpaid.INSUFFICIENT_FUNDS, True),
        ("Amount is above the maximum transfer amount", Unpaid.LIMIT, False),
        ("Amount must be at least the minimum", Unpaid.LIMIT, False),
        ("Something that nobody has heard of", Unpaid.PROVIDER, False),
    ],
)
async def test_a_plain_no_and_whose_fault_it_is(rig, message, because, ours):
    rig.stub.will(TRANSFER, says({"status": False, "message": message}, 400))
    answer = await rig.paystack.pay_out(KNOWN)
    assert (answer.because, answer.ours) == (because, ours)


async def test_a_recipient_that_is_refused_even_when_new_is_the_receivers_fault(rig):
    rig.stub.will(TRANSFER, says(recorded("error_invalid_recipient"), 400))
    answer = await rig.paystack.pay_out(SENT)
    assert answer.because is Unpaid.RECEIVER


# --- statuses


STATUSES = [
    ("success", Succeeded("TRF_ours", Money(950_00, "KES"))),
    ("SUCCESS", Succeeded("TRF_ours", Money(950_00, "KES"))),
    ("failed", Failed(Unpaid.PROVIDER, "failed")),
    ("blocked", Failed(Unpaid.PROVIDER, "blocked")),
    ("rejected", Failed(Unpaid.PROVIDER, "rejected")),
    ("reversed", Failed(Unpaid.RECEIVER, "reversed", returned=Money(950_00, "KES"))),
    ("abandoned", Failed(Unpaid.SHOP, "abandoned", ours=True)),
    ("pending", Pending("pending")),
    ("received", Pending("received")),
    ("processing", Pending("processing")),
    ("queued", Pending("queued")),
    ("", Pending("a status that is not known", unheard=True)),
    ("paid", Pending("a status that is not known", unheard=True)),
    ("0", Pending("a status that is not known", unheard=True)),
]


@pytest.mark.parametrize(("status", "word"), STATUSES)
async def test_the_word_of_each_status(rig, status, word):
    rig.stub.will(TRANSFER, says(transfer(status)))
    rig.stub.will(VERIFY, says(transfer(status)))
    assert (await rig.paystack.pay_out(KNOWN)).told.word == word
    assert (await asked(rig)).told.word == word


async def test_one_that_asks_for_a_code_waits_for_our_settings(rig):
    body = recorded("transfer_initiate_otp")
    rig.stub.will(TRANSFER, says(body | {"data": body["data"] | {"reference": str(ATTEMPT)}}))
    word = (await rig.paystack.pay_out(KNOWN)).told.word
    assert isinstance(word, Pending)
    assert word.ours


@pytest.mark.parametrize(
    ("amount", "currency", "word"),
    [
        ("95000", "KES", Succeeded("TRF_ours", Money(950_00, "KES"))),
        (95000, "NGN", Succeeded("TRF_ours", Money(950_00, "NGN"))),
        (95000, "XTS", None),
        (95000, None, None),
        (950.5, "KES", None),
        (True, "KES", None),
        (-95000, "KES", None),
        (0, "KES", None),
        ("٩٥", "KES", None),
        ("9" * 40, "KES", None),
        (None, "KES", None),
        ({}, "KES", None),
    ],
)
async def test_an_amount_is_read_exactly_or_looked_into(rig, amount, currency, word):
    rig.stub.will(VERIFY, says(transfer("success", amount=amount, currency=currency)))
    unreadable = Pending("success with an unreadable amount", unheard=True)
    assert (await asked(rig)).told.word == (word or unreadable)


async def test_a_success_without_an_amount_has_none(rig):
    body = transfer("success")
    del body["data"]["amount"]
    rig.stub.will(VERIFY, says(body))
    assert (await asked(rig)).told.word == Succeeded("TRF_ours")


# --- asking


async def test_asking_names_the_transfer_by_ours_and_by_theirs(rig):
    rig.stub.will(VERIFY, says(transfer("success")))
    answer = await asked(rig)
    assert answer.told.about == "query"
    assert answer.told.facts["payout_references"] == {str(ATTEMPT), "TRF_ours"}


async def test_the_recorded_answer_to_a_question_is_read(rig):
    body = recorded("transfer_verify")
    rig.stub.will(VERIFY, says(body | {"data": body["data"] | {"reference": str(ATTEMPT)}}))
    assert (await asked(rig)).told.word == Succeeded("TRF_8opchtrhtjlfz90n", Money(1000_00, "NGN"))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says(recorded("error_transfer_not_found"), 404), Unknown),
        (says({"status": False, "message": "Invalid key"}, 401), Misconfigured),
        (says({}, 500), Unknown),
        (says({}, 429), Unknown),
        (says_raw(b"", 429), NotSent),
        (drops, Unknown),
        (says(transfer("success", reference="another", transfer_code="TRF_other")), Unknown),
    ],
)
async def test_a_question_without_an_answer_says_nothing_of_the_transfer(rig, answer, kind):
    rig.stub.will(VERIFY, answer)
    assert isinstance(await asked(rig), kind)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says(recorded("balance")), type(None)),
        (says({"status": False, "message": "Invalid key"}, 401), Misconfigured),
        (says({}, 500), NotSent),
        (drops, NotSent),
    ],
)
async def test_keys_are_proven_by_the_balance(rig, answer, kind):
    rig.stub.will(BALANCE, answer)
    assert isinstance(await rig.paystack.prove_keys(), kind)


# --- events


@pytest.mark.parametrize(
    ("name", "word", "references"),
    [
        (
            "transfer_success",
            Succeeded("TRF_v5tip3zx8nna9o78", Money(1000_00, "NGN")),
            {"acv_9ee55786-2323-4760-98e2-6380c9cb3f68", "TRF_v5tip3zx8nna9o78"},
        ),
        ("transfer_failed", Failed(Unpaid.PROVIDER, "failed"), {"1976435206", "TRF_chs98y5rykjb47w"}),
        (
            "transfer_reversed",
            Failed(Unpaid.RECEIVER, "reversed", returned=Money(100_00, "NGN")),
            {"jvrjckwenm", "TRF_js075pj9u07f34l"},
        ),
    ],
)
def test_recorded_events_of_transfers_are_read(rig, name, word, references):
    report = rig.paystack.read("signed", raw(name))
    assert (report.about, report.word, report.references) == ("payout", word, references)


def test_other_events_are_of_no_payout(rig):
    assert rig.paystack.read("signed", raw("bank_transfer_rejected")).about == "other"


def test_an_event_that_contradicts_its_transfer_is_not_believed(rig):
    body = recorded("transfer_success")
    body["data"]["status"] = "failed"
    word = rig.paystack.read("signed", json.dumps(body).encode()).word
    assert isinstance(word, Pending)
    assert word.unheard


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"event": 1}',
        b'{"event": "transfer.success"}',
        b'{"event":"transfer.success","da',
    ],
)
def test_what_is_no_event_is_unreadable(rig, body):
    with pytest.raises(Unreadable):
        rig.paystack.read("signed", body)


def test_at_an_address_of_one_payout_nothing_is_read(rig):
    with pytest.raises(Unreadable):
        rig.paystack.read("payout", raw("transfer_success"))


# --- settings

SIGNATURE = (
    "8a8237f8134aab287b634f02dbcc9b21e0c269c31a5aba65f4992092a4dd0ee2"
    "7cd8abdb807e5de4d7d97963288f6201cfc36d1c0779d156cf9e368da72ece47"
)


def test_the_signature_is_of_the_bytes_as_they_came():
    body = raw("transfer_success")
    assert SETTINGS.signed(body, SIGNATURE, ANY_TIME)
    assert not SETTINGS.signed(json.dumps(json.loads(body)).encode(), SIGNATURE, ANY_TIME)


@pytest.mark.parametrize(
    "wrong", ["", "0" * 128, SIGNATURE.upper(), SIGNATURE[:-1], f"{SIGNATURE}\n", "é" * 128]
)
def test_a_wrong_signature_is_none(wrong):
    assert not SETTINGS.signed(raw("transfer_success"), wrong, ANY_TIME)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"secret_key": ""},
        {"secret_key": "pk_test_1"},
        {"secret_key": "sk_test_\r\nX-More: 1"},
        {"secret_key": "sk_live_1 "},
        {"secret_key": "sk_test_1", "public_key": "sk_test_1"},
        {"secret_key": "sk_test_1", "other": "x"},
    ],
)
def test_settings_that_cannot_work_are_refused_and_no_key_shown(wrong):
    with pytest.raises(ValidationError) as refused:
        PaystackSettings.model_validate(wrong)
    assert "sk_" not in str(refused.value).replace("sk_live_0123 or sk_test_0123", "")


def test_a_key_stays_out_of_reprs():
    assert "fixture" not in repr(SETTINGS)
