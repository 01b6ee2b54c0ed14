"""What Stripe tells by itself: in any order, more than once, and of much that is not ours."""

import json
from typing import Any

import pytest

from services.money import Money
from services.news import Unpaid
from services.providers.base import Failed, Pending, Succeeded, Unreadable
from services.providers.stripe import Stripe
from services.providers.stripe_settings import StripeSettings
from services.providers.stripe_words import LIMITS, money_of, units
from tests.services.providers.stub_stripe import (
    ATTEMPT,
    INTENT,
    error,
    event,
    intent,
    recorded,
    refund,
    session,
)

SESSION = session()["id"]
AMOUNT = Money(950_00, "KES")
PAID = {"status": "complete", "payment_status": "paid", "payment_intent": INTENT}
DECLINED = error("card_error", "card_declined", decline_code="insufficient_funds")["error"]
DISPUTE = recorded("dispute") | {"payment_intent": INTENT, "currency": "kes", "amount": 950_00}
CHARGE = DISPUTE["charge"]


def stripe(key="sk_test_fixture"):
    settings = StripeSettings.model_validate({"secret_key": key})
    unused: Any = None
    return Stripe(settings, unused, "", unused, unused)


def read(kind, told, **changes):
    return stripe().read("signed", event(kind, told, **changes))


# --- pages


@pytest.mark.parametrize(
    ("kind", "changes", "word"),
    [
        ("completed", PAID | {"payment_status": "unpaid"}, Pending("complete unpaid")),
        (
            "async_payment_failed",
            PAID | {"payment_status": "unpaid"},
            Failed(Unpaid.DECLINED, "async_payment_failed"),
        ),
        ("expired", {"status": "expired"}, Failed(Unpaid.EXPIRED, "expired")),
    ],
)
def test_a_page_is_told_of_by_its_session(kind, changes, word):
    report = read(f"checkout.session.{kind}", session(**changes))
    assert (report.about, report.word) == ("collect", word)
    assert report.references == {SESSION, ATTEMPT}
    assert report.facts == {"reference": SESSION}


@pytest.mark.parametrize("changes", [{}, {"amount_total": 1_00}, {"currency": "usd"}])
@pytest.mark.parametrize("kind", ["completed", "async_payment_succeeded"])
def test_one_that_is_paid_is_asked_about_whatever_its_event_says(kind, changes):
    """An answer has the amount too, and the card."""
    report = read(f"checkout.session.{kind}", session(**PAID | changes))
    assert (report.about, report.word) == ("collect", Pending("paid"))
    assert report.references == {SESSION, ATTEMPT}
    assert report.facts == {"reference": SESSION, "ask": True}


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("completed", PAID | {"payment_status": "no_payment_required"}),
        ("completed", PAID | {"payment_status": "later"}),
        ("completed", {"status": "expired"}),
        ("completed", PAID | {"amount_total": None}),
        ("completed", PAID | {"amount_total": "950.00"}),
        ("completed", PAID | {"payment_intent": None}),
        ("async_payment_failed", PAID),
        ("expired", PAID),
        ("expired", {"status": "open"}),
    ],
)
def test_a_state_that_is_not_known_or_contradicts_its_event_moves_nothing(kind, changes):
    word = read(f"checkout.session.{kind}", session(**changes)).word
    assert isinstance(word, Pending)
    assert word.unheard


# --- saved cards


@pytest.mark.parametrize(
    ("kind", "changes", "word"),
    [
        ("succeeded", {"status": "succeeded"}, Succeeded(INTENT, AMOUNT)),
        ("payment_failed", {"last_payment_error": DECLINED}, None),
        ("succeeded", {"status": "processing"}, Pending("processing")),
        ("payment_failed", {"status": "succeeded"}, Succeeded(INTENT, AMOUNT)),
    ],
)
def test_a_charge_of_a_saved_card_is_told_of_by_itself(kind, changes, word):
    report = read(f"payment_intent.{kind}", intent(**{"payment_method": "pm_1"} | changes))
    assert report.about == "collect"
    assert report.references == {INTENT, ATTEMPT}
    assert report.facts == {"reference": INTENT}
    assert report.word == (word or Failed(Unpaid.INSUFFICIENT_FUNDS, "card_declined insufficient_funds"))


def test_a_bank_that_wants_to_ask_is_no_failure_since_a_page_takes_its_place():
    asks = error("card_error", "authentication_required")["error"]
    report = read("payment_intent.payment_failed", intent(last_payment_error=asks))
    assert isinstance(report.word, Pending)
    assert report.facts == {}  # nobody asks by it


@pytest.mark.parametrize("kind", ["payment_intent.succeeded", "payment_intent.payment_failed"])
def test_a_card_that_is_declined_on_a_page_does_not_end_it(kind):
    of_page = intent(metadata={"attempt": ATTEMPT, "by": "page"}, last_payment_error=DECLINED)
    assert read(kind, of_page).about == "other"


# --- given back and disputed


@pytest.mark.parametrize(
    ("kind", "changes", "word"),
    [
        ("refund.created", {}, Succeeded(refund()["id"], AMOUNT)),
        ("refund.updated", {"status": "pending"}, Pending("pending")),
        ("charge.refund.updated", {}, Succeeded(refund()["id"], AMOUNT)),
        ("refund.failed", {"status": "failed"}, Failed(Unpaid.RECEIVER, "failed", returned=AMOUNT)),
    ],
)
def test_a_refund_of_ours_is_told(kind, changes, word):
    report = read(kind, refund(**changes))
    assert (report.about, report.word) == ("refund", word)
    assert report.references == {refund()["id"], ATTEMPT}
    assert report.facts["original"] == INTENT


@pytest.mark.parametrize(
    ("changes", "about", "word"),
    [
        ({}, "taken_back", Succeeded(refund()["id"], AMOUNT)),
        ({"amount": 100}, "taken_back", Succeeded(refund()["id"], Money(100, "KES"))),
        ({"status": "pending"}, "other", None),
        ({"status": "failed"}, "taken_back", None),
        ({"status": "undone"}, "taken_back", None),
        ({"amount": "x"}, "taken_back", None),
    ],
)
def test_a_refund_that_was_made_at_stripe_is_taken_back_by_its_payment(changes, about, word):
    report = read("refund.created", refund(metadata={}, **changes))
    assert report.about == about
    if word is None:
        assert isinstance(report.word, Pending)
    else:
        assert report.word == word
    if about == "taken_back":
        assert report.references == {INTENT, refund()["charge"]}
        assert word is not None or report.word.unheard


@pytest.mark.parametrize(
    ("kind", "changes", "about", "word"),
    [
        ("created", {}, "disputed", Succeeded(DISPUTE["id"], AMOUNT)),
        ("closed", {"status": "lost"}, "taken_back", Succeeded(DISPUTE["id"], AMOUNT)),
        ("closed", {"status": "won"}, "other", Pending("charge.dispute.closed")),
        ("closed", {"status": "warning_closed"}, "other", Pending("charge.dispute.closed")),
        ("updated", {"status": "lost"}, "other", Pending("charge.dispute.updated")),
        ("created", {"amount": None}, "disputed", Pending("a dispute that says too little", unheard=True)),
        ("closed", {"status": "lost", "id": None}, "taken_back", None),
    ],
)
def test_a_dispute_takes_money_only_once_it_is_lost(kind, changes, about, word):
    report = read(f"charge.dispute.{kind}", DISPUTE | changes)
    assert report.about == about
    assert report.word == (word or Pending("a dispute that says too little", unheard=True))
    if about != "other":
        assert report.references == {INTENT, CHARGE}


# --- what is not ours


@pytest.mark.parametrize(
    "kind",
    [
        "plan.created",
        "charge.succeeded",
        "charge.refunded",  # its refunds are told one by one
        "payment_intent.created",
        "payment_intent.processing",
        "checkout.session.never_heard_of",
        "refund",
        "",
    ],
)
def test_other_events_are_about_nothing_of_ours(kind):
    report = read(kind, session(**PAID))
    assert (report.about, report.references) == ("other", frozenset())


@pytest.mark.parametrize(
    "told",
    [
        session(**PAID) | {"metadata": {}},
        session(**PAID) | {"metadata": None},
        session(**PAID) | {"metadata": {"attempt": ATTEMPT}},
        session(**PAID) | {"id": 1.5},
        {},
    ],
)
def test_a_session_that_somebody_else_has_made_is_not_ours(told):
    assert read("checkout.session.completed", told).about == "other"


@pytest.mark.parametrize(
    ("key", "livemode"), [("sk_live_1", False), ("sk_test_1", True), ("sk_live_1", None)]
)
def test_a_payment_of_the_other_side_test_or_live_credits_nobody(key, livemode):
    body = event("checkout.session.completed", session(**PAID), livemode=livemode)
    assert stripe(key).read("signed", body).about == "other"


def test_a_live_payment_is_read_by_the_live_key():
    body = event("checkout.session.completed", session(**PAID), livemode=True)
    assert stripe("rk_live_1").read("signed", body).about == "collect"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"object": "event"}',
        b'{"object": "event", "type": 1}',
        b'{"object": "v2.core.event", "type": "x"}',
        event("checkout.session.completed", session())[:-9],
        b"\xff" * 9,
    ],
)
def test_what_is_no_event_is_unreadable(body):
    with pytest.raises(Unreadable):
        stripe().read("signed", body)


def test_at_an_address_of_one_attempt_nothing_is_read():
    with pytest.raises(Unreadable):
        stripe().read("collect", event("checkout.session.completed", session()))


@pytest.mark.parametrize("wrong", [None, [], "x", 1, {"object": []}, {"object": {"metadata": 7, "id": []}}])
@pytest.mark.parametrize(
    "kind",
    ["checkout.session.completed", "payment_intent.succeeded", "refund.created", "charge.dispute.closed"],
)
def test_whatever_an_event_is_about_it_is_read_without_a_bug(kind, wrong):
    body = json.loads(event(kind, {})) | {"data": wrong}
    stripe().read("signed", json.dumps(body).encode())


# --- amounts


@pytest.mark.parametrize(
    ("value", "currency", "money"),
    [
        (95000, "kes", Money(950_00, "KES")),
        ("95000", "KES", Money(950_00, "KES")),
        (500, "ugx", Money(5, "UGX")),
        (501, "ugx", None),  # it has no cents
        (1, "usd", Money(1, "USD")),
        (0, "kes", None),
        (-5, "kes", None),
        (True, "kes", None),
        (9.5, "kes", None),
        (1, "xts", None),
        (1, None, None),
        ("9" * 40, "kes", None),
        ("٩", "kes", None),
    ],
)
def test_an_amount_is_read_exactly_or_not_at_all(value, currency, money):
    assert money_of(value, currency) == money


@pytest.mark.parametrize("currency", ["KES", "UGX", "TZS", "NGN", "GHS", "ZAR", "USD"])
def test_what_is_taken_at_once_is_at_most_eight_digits_of_theirs(currency):
    limits = LIMITS[currency]
    assert limits.maximum is not None
    assert units(limits.maximum) <= 99_999_999 < units(limits.maximum + Money(1, currency))
    assert units(limits.minimum) == {"USD": 50}.get(currency, 100)
