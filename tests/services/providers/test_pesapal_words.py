"""What Pesapal says of orders, and what its notifications are read as."""

import json

import pytest
from pydantic import ValidationError

from services.money import Money
from services.news import Unpaid
from services.payments import details
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
from services.providers.pesapal_settings import PesapalSettings
from services.providers.pesapal_words import acknowledged, money_of, notified
from services.providers.refunds import Refund
from tests.services.providers.pesapal_rig import ATTEMPT, REFERENCE, TRACKING, rigged
from tests.services.providers.stub_daraja import drops, says_raw, sends_half
from tests.services.providers.stub_pesapal import REFUND, STATUS, raw, recorded, says

RECEIPT = "SFK1ABC2DE"
GIVEN_BACK = Refund(
    provider="pesapal",
    attempt_id=ATTEMPT,
    amount=Money(1250_50, "KES"),
    receipt=RECEIPT,
    callback_url="https://pay.example/hooks/aa",
    timeout_url="https://pay.example/hooks/bb",
    remarks="Refund L-17",
)


@pytest.fixture
async def rig():
    async with rigged() as rig:
        yield rig


async def checked(rig, body, status=200):
    rig.stub.will(STATUS, says(body, status) if isinstance(body, (dict, str)) else body)
    return await rig.pesapal.check(REFERENCE)


# --- what became of an order


async def test_it_is_asked_by_their_id_and_a_yes_has_all_that_it_takes(rig):
    word = await checked(rig, "status_completed")
    assert rig.stub.asked[STATUS] == [{"orderTrackingId": TRACKING}]
    assert isinstance(word, Succeeded)
    assert (word.receipt, word.amount) == (RECEIPT, Money(1250_50, "KES"))
    assert word.method == {"payment_method": "MpesaKE", "last4": "5678"}
    assert details.read("pesapal", word.method) == word.method


async def test_told_twice_it_is_the_same_word(rig):
    assert await checked(rig, "status_completed") == await checked(rig, "status_completed")


async def test_what_nobody_has_paid_yet_is_pending_and_no_failure(rig):
    for status in (200, 500, 404):
        word = await checked(rig, "status_unpaid", status)
        assert isinstance(word, Pending)
        assert (word.unheard, word.ours) == (False, False)
        assert "pending payment" in word.detail.lower()


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({}, Unpaid.CANCELLED),
        ({"payment_status_code": "insufficient_funds"}, Unpaid.INSUFFICIENT_FUNDS),
        ({"payment_status_code": "", "description": "Transaction declined by bank"}, Unpaid.DECLINED),
        ({"payment_status_code": "limit_exceeded"}, Unpaid.LIMIT),
        ({"payment_status_code": None}, Unpaid.PROVIDER),
        ({"payment_status_code": {"a": 1}}, Unpaid.PROVIDER),
    ],
)
async def test_a_failure_and_why(rig, changes, because):
    word = await checked(rig, recorded("status_failed") | changes)
    assert isinstance(word, Failed)
    assert word.because is because


async def test_one_that_was_given_back_before_it_was_taken_has_failed(rig):
    assert isinstance(await checked(rig, "status_reversed"), Failed)


@pytest.mark.parametrize(
    "changes",
    [
        {"status_code": 7},
        {"status_code": "paid"},
        {"payment_status_description": "Failed"},
        {"payment_status_description": "Fine"},
        {"merchant_reference": "019acf00-0000-7000-8000-00000000beef"},
        {"merchant_reference": None},
        {"amount": "a lot"},
        {"amount": -1250.5},
        {"amount": 1250.505},
        {"amount": True},
        {"amount": None},
        {"currency": "XYZ"},
        {"currency": None},
        {"status": "500"},
        {"error": {"code": "something_else", "message": "No"}},
    ],
)
async def test_a_yes_that_is_not_plain_is_asked_about_again_and_alerted(rig, changes):
    word = await checked(rig, recorded("status_completed") | changes)
    assert isinstance(word, Pending)
    assert word.unheard


@pytest.mark.parametrize(
    ("changes", "amount"),
    [
        ({"amount": 1}, Money(1_00, "KES")),
        ({"amount": "1250.50"}, Money(1250_50, "KES")),
        ({"amount": 1250.5, "currency": "USD"}, Money(1250_50, "USD")),
        ({"amount": 4500.0, "currency": "UGX"}, Money(4500, "UGX")),
    ],
)
async def test_another_amount_or_currency_is_told_as_it_is(rig, changes, amount):
    word = await checked(rig, recorded("status_completed") | changes)
    assert word.amount == amount


async def test_unknown_fields_and_types_are_passed_over(rig):
    more = {"status_code": "1", "status": 200, "payment_account": 5, "confirmation_code": None, "new": [{}]}
    word = await checked(rig, recorded("status_completed") | more)
    assert (word.receipt, word.amount, word.method) == (None, Money(1250_50, "KES"), None)


@pytest.mark.parametrize("status", [400, 429, 500, 503])
async def test_a_yes_with_an_error_of_http_is_not_believed(rig, status):
    assert isinstance(await checked(rig, "status_completed", status), Pending)


@pytest.mark.parametrize(
    "answer", [drops, sends_half, says_raw(b"<html>"), says_raw(b""), says_raw(b'{"status_')]
)
async def test_without_an_answer_nothing_is_known(rig, answer):
    assert isinstance(await checked(rig, answer), Unknown)


async def test_an_answer_that_says_nothing_leaves_it_open(rig):
    word = await checked(rig, says_raw(b"[]"))
    assert isinstance(word, Pending)
    assert not word.ours


async def test_a_question_that_is_refused_for_our_keys_is_ours(rig):
    assert (await checked(rig, "error_token", 401)).ours
    assert (await checked(rig, {}, 403)).ours


@pytest.mark.parametrize("value", ["1e3", "NaN", "", " 5", "0", 0, "1,250.50", [], {}, "9" * 20])
def test_what_is_no_amount(value):
    assert money_of(value, "KES") is None


# --- notifications


BY_GET = (
    f"OrderTrackingId={TRACKING}&OrderMerchantReference={ATTEMPT}&OrderNotificationType=IPNCHANGE".encode()
)


@pytest.mark.parametrize("body", [raw("ipn"), BY_GET, raw("ipn").replace(b"Order", b"order")])
async def test_a_notification_names_both_ids_and_no_outcome(rig, body):
    report = rig.pesapal.read("ipn", body)
    assert (report.about, report.word) == ("collect", Pending("IPNCHANGE"))
    assert report.references == {TRACKING, str(ATTEMPT), REFERENCE}
    assert report.facts == {"reference": REFERENCE, "ask": True}
    assert acknowledged(body) == {
        "orderNotificationType": "IPNCHANGE",
        "orderTrackingId": TRACKING,
        "orderMerchantReference": str(ATTEMPT),
        "status": 200,
    }


def test_whatever_else_it_says_is_not_believed():
    told = {
        **json.loads(raw("ipn")),
        "status_code": 1,
        "payment_status_description": "Completed",
        "amount": 1,
    }
    assert isinstance(notified(json.dumps(told).encode()).word, Pending)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"no json",
        b'{"OrderTrackingId": "b945e4af',
        b'{"OrderTrackingId": "a", "OrderMerchantReference": null}',
        b'{"OrderTrackingId": ["a"], "OrderMerchantReference": {"b": 1}}',
        b"OrderTrackingId=a",
        b"OrderTrackingId=%FF%FE&OrderMerchantReference=b",
        b"\xff\x00",
        b"&".join(b"a%d=1" % number for number in range(50)),
        b"OrderTrackingId=" + b"a" * 5000 + b"&OrderMerchantReference=b",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_notification_is_unreadable_and_still_answered(body):
    with pytest.raises(Unreadable):
        notified(body)
    assert acknowledged(body)["status"] == 200


def test_at_another_address_it_tells_nothing(rig):
    for about in ("collect", "signed", "payout", "refund"):
        with pytest.raises(Unreadable):
            rig.pesapal.read(about, raw("ipn"))


# --- refunds


async def test_a_refund_is_asked_for_by_the_receipt_and_is_not_done_by_that(rig):
    answer = await rig.pesapal.refund(GIVEN_BACK)
    assert rig.stub.asked[REFUND] == [
        {
            "confirmation_code": RECEIPT,
            "amount": "1250.50",
            "username": "Lipachat",
            "remarks": "Refund L-17",
        }
    ]
    assert answer == Accepted(RECEIPT)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says("refund_again"), Unknown),
        (says({"status": "500", "message": "Oops"}), Unknown),
        (says({}), Unknown),
        (says({}, 500), Unknown),
        (drops, Unknown),
        (sends_half, Unknown),
        (says({}, 429), NotSent),
        (says("error_token", 401), Misconfigured),
        (says("error_parameters"), Refused),
    ],
)
async def test_one_that_is_not_received_plainly(rig, answer, kind):
    rig.stub.will(REFUND, answer)
    assert isinstance(await rig.pesapal.refund(GIVEN_BACK), kind)


async def asked_back(rig, body, reference=REFERENCE):
    rig.stub.will(STATUS, says(body) if isinstance(body, (dict, str)) else body)
    return await rig.pesapal.ask_refund(RECEIPT, reference, "", "", ATTEMPT)


async def test_it_is_done_once_the_payment_itself_is_reversed(rig):
    answer = await asked_back(rig, "status_reversed")
    assert (answer.told.about, answer.told.facts) == ("refunded_query", {"original": RECEIPT})
    assert answer.told.word == Succeeded(None, Money(1250_50, "KES"))


@pytest.mark.parametrize(
    "changes",
    [
        {"status_code": 1, "payment_status_description": "Completed"},
        {"status_code": 0, "payment_status_description": "INVALID"},
        {"payment_status_description": "Completed"},
        {"merchant_reference": "another"},
        {"status": "500"},
        {"status_code": 9},
    ],
)
async def test_until_then_it_is_pending(rig, changes):
    answer = await asked_back(rig, recorded("status_reversed") | changes)
    assert isinstance(answer.told.word, Pending)


async def test_a_refund_that_cannot_be_asked_about(rig):
    assert isinstance(await asked_back(rig, drops), Unknown)
    assert isinstance(await asked_back(rig, says("error_token", 401)), Misconfigured)
    assert isinstance(await asked_back(rig, "status_reversed", None), Unknown)


# --- settings


@pytest.mark.parametrize(
    "wrong",
    [{}, {"consumer_key": "a"}, {"consumer_key": "", "consumer_secret": "b"}, {"consumer_key": 1}],
)
def test_settings_that_are_wrong_show_no_value(wrong):
    with pytest.raises(ValidationError) as told:
        PesapalSettings.model_validate(wrong | {"unknown": "the-secret"})
    assert "the-secret" not in str(told.value)


def test_the_secret_is_in_no_repr():
    settings = PesapalSettings.model_validate({"consumer_key": "key-1", "consumer_secret": "the-secret"})
    assert "the-secret" not in repr(settings)
    assert settings.app == "pesapal:key-1"
    assert (settings.missing_to_collect, settings.missing_to_pay_out) == ((), ())
