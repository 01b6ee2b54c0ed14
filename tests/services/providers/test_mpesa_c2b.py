"""C2B: what is registered, and what the unsigned calls say of payments that nobody asked for."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.money import Money
from services.providers.base import (
    Accepted,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Report,
    Succeeded,
    Unknown,
    Unreadable,
)
from services.providers.daraja_c2b import heard
from services.providers.listing import Kind, Line
from services.providers.mpesa_settings import MpesaSettings
from tests.services.providers.conftest import PASSKEY, SECRETS
from tests.services.providers.stub_daraja import drops, raw, recorded, says, says_raw

REGISTER = "/mpesa/c2b/v2/registerurl"
TOLD_AT, ASKED_AT = "https://pay.example/hooks/ab12", "https://pay.example/hooks/cd34"
SETTINGS = MpesaSettings.model_validate(SECRETS | {"shortcode": "600966", "passkey": PASSKEY})
TILL = MpesaSettings.model_validate(SECRETS | {"shortcode": "7001001", "till": "600966"})
CONFIRMATION = recorded("c2b_confirmation")


def told(settings=SETTINGS, **changes):
    return heard("ipn", json.dumps(CONFIRMATION | changes).encode(), settings)


def line(**changes):
    return told(**changes).facts["line"]


# --- what is registered


@pytest.mark.parametrize(("settings", "shortcode"), [(SETTINGS, "600966"), (TILL, "600966")])
async def test_both_addresses_are_registered_for_what_customers_pay_to(rig, settings, shortcode):
    answer = {"OriginatorCoversationID": "1-2-3", "ResponseCode": "0", "ResponseDescription": "Success"}
    rig.stub.will(REGISTER, says_raw(json.dumps(answer).encode(), 200))
    assert await rig.make(settings=settings).register(TOLD_AT, ASKED_AT) == Accepted("1-2-3")
    assert rig.stub.asked[REGISTER] == [
        {
            "ShortCode": shortcode,
            "ResponseType": "Completed",
            "ConfirmationURL": TOLD_AT,
            "ValidationURL": ASKED_AT,
        }
    ]


def refuses(status, code, message):
    return says_raw(json.dumps({"errorCode": code, "errorMessage": message}).encode(), status)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refuses(500, "500.003.1001", "URLs are already registered"), Refused),
        (refuses(500, "500.003.1001", "Duplicate notification info"), Refused),
        (refuses(400, "400.003.02", "Invalid ConfirmationURL"), Misconfigured),
        (says("error_invalid_shortcode", 400), Misconfigured),
        (says("error_spike_arrest", 429), NotSent),
        (says("error_system_busy", 500), Unknown),
        (drops, Unknown),
    ],
)
async def test_what_is_not_taken_says_why(rig, answer, kind):
    rig.stub.will(REGISTER, answer)
    assert isinstance(await rig.mpesa.register(TOLD_AT, ASKED_AT), kind)


# --- what is told


def test_the_documented_confirmation():
    receipt, amount = "RKL51ZDR4F", Money(5_00, "KES")
    at = datetime(2023, 11, 21, 9, 13, 25, tzinfo=UTC)
    expected = Line("RKL51ZDR4F:paid:500", Kind.PAID, amount, at, receipt=receipt, party="*********126")
    report = heard("ipn", raw("c2b_confirmation"), SETTINGS)
    assert report == Report("by_hand", frozenset({receipt}), Succeeded(receipt, amount), {"line": expected})


@pytest.mark.parametrize(
    ("typed", "reference"),
    [("k7q2x0", "K7Q2X0"), (" K7Q2X0 ", "K7Q2X0"), ("Sample Transaction", None), ("", None), (None, None)],
)
def test_only_what_looks_like_an_orders_number_is_kept(typed, reference):
    assert line(BillRefNumber=typed).reference == reference


@pytest.mark.parametrize(
    ("number", "party"),
    [
        ("2547 ***** 126", "*********126"),
        ("254712345678", "********5678"),
        (254712345678, "********5678"),
        ("9f2c0c5e" * 8, None),
        ("", None),
    ],
)
def test_of_the_payer_the_last_digits_are_kept(number, party):
    assert line(MSISDN=number).party == party


@pytest.mark.parametrize(
    "changes",
    [
        {"TransID": ""},
        {"TransID": None},
        {"TransAmount": "0"},
        {"TransAmount": "-5"},
        {"TransAmount": "5.005"},
        {"TransAmount": True},
        {"BusinessShortCode": "600967"},
        {"BusinessShortCode": None},
        {"TransTime": "yesterday"},
        {"TransTime": ""},
    ],
)
def test_half_a_confirmation_or_that_of_another_is_unreadable(changes):
    with pytest.raises(Unreadable):
        told(**changes)


def test_one_to_the_till_or_to_its_store_number_is_the_tills():
    assert told(TILL)
    assert told(TILL, BusinessShortCode="7001001")


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b"\xff"])
def test_what_is_no_confirmation_is_unreadable(body):
    with pytest.raises(Unreadable):
        heard("ipn", body, SETTINGS)


@given(
    st.dictionaries(
        st.sampled_from(sorted(CONFIRMATION)), st.none() | st.text() | st.integers() | st.floats()
    )
)
def test_whatever_is_posted_is_a_report_or_unreadable(changes):
    try:
        report = told(**changes)
    except Unreadable:
        return
    assert report.facts["line"].amount.minor > 0


def test_the_question_whether_to_take_a_payment_is_no_payment():
    assert heard("asked", raw("c2b_confirmation"), SETTINGS) == Report("other", frozenset(), Pending())


def test_what_comes_to_other_addresses_is_read_by_others():
    assert heard("collect", raw("c2b_confirmation"), SETTINGS) is None
