"""Pages, saved cards and refunds by Stripe: what goes over the wire, and what each answer to it means."""

import asyncio
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from services.money import Money
from services.news import Unpaid
from services.providers import stripe_client
from services.providers.abilities import Charge, Charges, OpensPages, Page, ProvesKeys
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
from services.providers.refunds import Refund, Refunds
from services.providers.stripe import Stripe
from services.providers.stripe_settings import StripeSettings
from tests.services.providers.stub_daraja import OneToken, drops, says, says_raw, sends_half
from tests.services.providers.stub_stripe import (
    ATTEMPT,
    CARD,
    INTENT,
    INTENTS,
    REFUNDS,
    SESSIONS,
    StubStripe,
    card,
    error,
    intent,
    refund,
    session,
)

NOW = datetime(2026, 11, 29, 9, 10, tzinfo=UTC)
SETTINGS = StripeSettings.model_validate({"secret_key": "sk_test_fixture", "webhook_secret": "whsec_1"})
SESSION = "cs_test_a1YS1URlnyQCN5fUUduORoQ7Pw41PJqDWkIVQCpJPqkfIhd6tVY8XB1OLY"
PAGE = Page(
    provider="stripe",
    attempt_id=UUID(ATTEMPT),
    amount=Money(950_00, "KES"),
    number="ORD-7",
    about="Unga, 2 kg",
    ends_at=NOW + timedelta(hours=2),
    return_url="https://pay.example/back",
    callback_url="https://pay.example/hooks/cd34",
    ipn_url="https://pay.example/hooks/ipn",
    email="nobody@pay.example",
)
DETAILS = {"payment_method_id": "pm_1Pgc75B7WZ01zgkWlHVgdEGJ", "last4": "4242", "brand": "Visa"}
TOLD = DETAILS | {"fingerprint": "AOB934RVNwzk6xtn"}
CHARGE = Charge("stripe", UUID(ATTEMPT), PAGE.amount, DETAILS, PAGE)
REFUND = Refund("stripe", UUID(ATTEMPT), PAGE.amount, INTENT, "", "", "Refund ORD-7")
WANTS_TO_ASK = error("card_error", "authentication_required", decline_code="authentication_required")


@dataclass
class Rig:
    stripe: Stripe
    stub: StubStripe
    make: Callable[..., Stripe]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(stripe_client, "_AGAIN_SECONDS", 0)


@pytest.fixture
async def rig():
    stub = StubStripe()
    async with TestServer(stub.app()) as server, aiohttp.ClientSession() as http:

        def make(url=None, total=30, settings=SETTINGS):
            timeout = aiohttp.ClientTimeout(total=total, connect=5)
            url = url or str(server.make_url(""))
            return Stripe(settings, http, url, OneToken(), lambda: NOW, timeout=timeout)

        stub.will(CARD, says(card()))
        yield Rig(make(), stub, make)


def test_it_can_what_it_is_asked_for(rig):
    for ability in (OpensPages, Charges, Refunds, ProvesKeys):
        assert isinstance(rig.stripe, ability)


# --- pages


async def test_a_page_is_opened_for_exactly_this_amount_under_our_id(rig):
    rig.stub.will(SESSIONS, says(session()))
    answer = await rig.stripe.open_page(PAGE)
    assert answer == Accepted(SESSION, page=f"https://checkout.stripe.com/pay/c/{SESSION}")
    assert rig.stub.asked[SESSIONS] == [
        {
            "mode": "payment",
            "line_items[0][price_data][currency]": "kes",
            "line_items[0][price_data][unit_amount]": "95000",
            "line_items[0][price_data][product_data][name]": "Unga, 2 kg",
            "line_items[0][quantity]": "1",
            "client_reference_id": ATTEMPT,
            "metadata[attempt]": ATTEMPT,
            "metadata[by]": "page",
            "payment_intent_data[metadata][attempt]": ATTEMPT,
            "payment_intent_data[metadata][by]": "page",
            "payment_intent_data[description]": "ORD-7",
            "payment_intent_data[setup_future_usage]": "off_session",
            "customer_creation": "always",
            "adaptive_pricing[enabled]": "false",
            "expires_at": str(int(PAGE.ends_at.timestamp())),
            "success_url": "https://pay.example/back",
            "cancel_url": "https://pay.example/back",
        }
    ]
    (headers,) = rig.stub.headers[SESSIONS]
    assert headers["Authorization"] == "Bearer sk_test_fixture"
    assert headers["Idempotency-Key"] == ATTEMPT
    assert headers["Stripe-Version"] == "2026-10-28.endive"


@pytest.mark.parametrize(
    ("money", "units"),
    [
        (Money(5, "UGX"), "500"),
        (Money(1_00, "ZAR"), "100"),
        (Money(50, "USD"), "50"),
        (Money(99, "GHS"), "99"),
    ],
)
async def test_the_amount_is_told_as_stripe_counts_the_currency(rig, money, units):
    currency = money.currency.lower()
    rig.stub.will(SESSIONS, says(session(amount_total=int(units), currency=currency)))
    assert isinstance(await rig.stripe.open_page(dataclasses.replace(PAGE, amount=money)), Accepted)
    (asked,) = rig.stub.asked[SESSIONS]
    told = (asked["line_items[0][price_data][unit_amount]"], asked["line_items[0][price_data][currency]"])
    assert told == (units, currency)


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (timedelta(hours=2), "11:10"),
        (timedelta(minutes=5), "10:00"),  # from 09:41 on it is allowed
        (timedelta(minutes=-5), "10:00"),
        (timedelta(minutes=31), "09:41"),
        (timedelta(hours=30), "09:00"),
    ],
)
async def test_a_session_ends_when_the_page_should_or_as_near_as_stripe_allows(rig, ends, told):
    rig.stub.will(SESSIONS, says(session()))
    await rig.stripe.open_page(dataclasses.replace(PAGE, ends_at=NOW + ends))
    (asked,) = rig.stub.asked[SESSIONS]
    at = datetime.fromtimestamp(int(asked["expires_at"]), UTC)
    assert f"{at:%H:%M}" == told
    assert timedelta(minutes=30) < at - NOW < timedelta(hours=24)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_total": 950},
        {"amount_total": None},
        {"currency": "usd"},
        {"client_reference_id": "another"},
        {"url": None},
        {"id": None},
        {"status": "expired"},
    ],
)
async def test_a_page_that_is_not_what_was_asked_for_is_given_to_nobody(rig, changes):
    rig.stub.will(SESSIONS, says(session(**changes)))
    assert isinstance(await rig.stripe.open_page(PAGE), Unknown)


async def test_a_currency_that_is_not_taken_is_kept_off_the_wire(rig):
    euros = Money(500, "EUR")
    assert isinstance(await rig.stripe.open_page(dataclasses.replace(PAGE, amount=euros)), Refused)
    assert isinstance(await rig.stripe.charge(dataclasses.replace(CHARGE, amount=euros)), Refused)
    assert dict(rig.stub.asked) == {}


# --- in doubt


IN_DOUBT = [
    says({"error": {"type": "api_error"}}, 500),
    says({}, 502),
    says(error("invalid_request_error", "idempotency_key_in_use"), 409),
    says_raw(b"<html>503</html>", 503),
    says_raw(b"[]"),
    drops,
    sends_half,
]


@pytest.mark.parametrize("first", IN_DOUBT)
async def test_what_may_have_happened_is_asked_for_again_under_the_same_key(rig, first):
    rig.stub.will(SESSIONS, first, says(session()))
    assert isinstance(await rig.stripe.open_page(PAGE), Accepted)
    assert rig.stub.keys(SESSIONS) == [ATTEMPT, ATTEMPT]
    once, again = rig.stub.asked[SESSIONS]
    assert once == again


@pytest.mark.parametrize("first", IN_DOUBT)
async def test_a_charge_that_stays_in_doubt_is_unknown(rig, first):
    rig.stub.will(INTENTS, first)
    assert isinstance(await rig.stripe.charge(CHARGE), Unknown)
    assert rig.stub.keys(INTENTS) == [ATTEMPT, ATTEMPT]


@pytest.mark.parametrize("second", [says({}, 429), says_raw(b"", 429), says(error("x"), 401)])
async def test_what_is_turned_away_the_second_time_says_nothing_of_the_first(rig, second):
    rig.stub.will(INTENTS, drops, second)
    assert isinstance(await rig.stripe.charge(CHARGE), Unknown)


async def test_a_charge_that_was_not_answered_in_time_and_then_was_has_succeeded(rig):
    async def never(_request):
        await asyncio.sleep(5)

    rig.stub.will(INTENTS, never, says(intent(status="succeeded")))
    answer = await rig.make(total=0.2).charge(CHARGE)
    assert isinstance(answer, Accepted)
    assert answer.told is not None
    assert isinstance(answer.told.word, Succeeded)


async def test_where_nobody_listens_nothing_was_sent(rig):
    nowhere = rig.make("http://127.0.0.1:9")
    for answer in (nowhere.open_page(PAGE), nowhere.charge(CHARGE), nowhere.refund(REFUND)):
        assert isinstance(await answer, NotSent)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, error("invalid_request_error", "rate_limit"), NotSent),
        (401, error("invalid_request_error"), Misconfigured),
        (403, error("invalid_request_error"), Misconfigured),
        (400, error("invalid_request_error", "testmode_charges_only"), Misconfigured),
        (400, error("idempotency_error"), Unknown),
        (400, {}, Unknown),
        (302, {}, Unknown),
        (400, error("invalid_request_error", "parameter_invalid_integer", param="amount"), Refused),
    ],
)
async def test_what_an_answer_that_does_not_accept_means(rig, status, body, kind):
    rig.stub.will(SESSIONS, says(body, status))
    rig.stub.will(INTENTS, says(body, status))
    for answer in (await rig.stripe.open_page(PAGE), await rig.stripe.charge(CHARGE)):
        assert isinstance(answer, kind)
        assert "pm_secret" not in answer.detail


@pytest.mark.parametrize(
    ("code", "because", "ours"),
    [
        ("amount_too_small", Unpaid.LIMIT, False),
        ("amount_too_large", Unpaid.LIMIT, False),
        ("balance_insufficient", Unpaid.INSUFFICIENT_FUNDS, True),
        ("charge_already_refunded", Unpaid.PROVIDER, False),
    ],
)
async def test_a_plain_no_and_whose_fault_it_is(rig, code, because, ours):
    rig.stub.will(REFUNDS, says(error("invalid_request_error", code), 400))
    answer = await rig.stripe.refund(REFUND)
    assert (answer.because, answer.ours) == (because, ours)


# --- closing and keys


async def test_a_page_is_closed_by_ending_its_session_and_nothing_else_is(rig):
    path = f"{SESSIONS}/{SESSION}/expire"
    rig.stub.will(path, says(error("invalid_request_error"), 400))
    await rig.stripe.close_page(SESSION)
    assert rig.stub.asked[path] == [{}]
    for other in (INTENT, "", "cs_../../refunds"):
        await rig.stripe.close_page(other)
    assert list(rig.stub.asked) == [path]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says({"object": "list", "data": []}), type(None)),
        (says(error("invalid_request_error"), 401), Misconfigured),
        (says(error("invalid_request_error"), 403), Misconfigured),
        (says({}, 500), NotSent),
        (drops, NotSent),
    ],
)
async def test_keys_are_proven_by_what_pages_need(rig, answer, kind):
    rig.stub.will(SESSIONS, answer)
    assert isinstance(await rig.stripe.prove_keys(), kind)


# --- what became of a page


METHOD = TOLD | {"expires": "2030-08"}
PAID = Succeeded(INTENT, PAGE.amount)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"status": "complete", "payment_status": "paid"}, PAID),
        ({"status": "open"}, Pending("open unpaid")),
        ({"status": "complete"}, Pending("complete unpaid")),
        ({"status": "expired"}, Failed(Unpaid.EXPIRED, "expired")),
        ({"status": "complete", "payment_status": "no_payment_required"}, None),
        ({"status": "open", "payment_status": "paid"}, None),
        ({"status": "expired", "payment_status": "paid"}, None),
        ({"status": "finished", "payment_status": "paid"}, None),
        ({"status": "complete", "payment_status": "paid", "amount_total": "x"}, None),
        ({"status": "complete", "payment_status": "paid", "amount_total": 0}, None),
        ({"status": "complete", "payment_status": "paid", "amount_total": 9.5}, None),
        ({"status": "complete", "payment_status": "paid", "currency": "xts"}, None),
        ({"status": "complete", "payment_status": "paid", "payment_intent": None}, None),
        ({"status": None, "payment_status": []}, None),
    ],
)
async def test_the_word_of_each_state_of_a_page(rig, changes, word):
    rig.stub.will(f"{SESSIONS}/{SESSION}", says(session(**{"payment_intent": INTENT} | changes)))
    told = await rig.stripe.check(SESSION)
    if word is None:
        assert isinstance(told, Pending)
        assert told.unheard
    else:
        assert told == word


@pytest.mark.parametrize(
    ("paid_with", "method"),
    [
        (card(), METHOD),
        (card(card={"last4": "4242", "brand": "visa", "exp_month": 13, "exp_year": 2030}), DETAILS),
        (card(customer=None), None),  # it belongs to nobody, and cannot be charged again
        (card(type="link", card=None), None),
        (card(card={"brand": "visa", "last4": "42"}), None),
        (card(card={"last4": "4242"}), None),
        ("pm_1Pgc75B7WZ01zgkWlHVgdEGJ", None),
        (None, None),
    ],
)
async def test_a_paid_page_tells_the_card_that_may_be_charged_again(rig, paid_with, method):
    paid = intent(status="succeeded", payment_method=paid_with)
    told = session(status="complete", payment_status="paid", payment_intent=paid)
    rig.stub.will(f"{SESSIONS}/{SESSION}", says(told))
    assert await rig.stripe.check(SESSION) == dataclasses.replace(PAID, method=method)
    assert rig.stub.asked[f"{SESSIONS}/{SESSION}"] == [{"expand[0]": "payment_intent.payment_method"}]


async def test_a_bank_that_says_no_after_the_page_was_completed_ends_it(rig):
    declined = error("card_error", "card_declined", decline_code="insufficient_funds")["error"]
    failed = intent(status="requires_payment_method", last_payment_error=declined)
    rig.stub.will(f"{SESSIONS}/{SESSION}", says(session(status="complete", payment_intent=failed)))
    word = await rig.stripe.check(SESSION)
    assert word == Failed(Unpaid.INSUFFICIENT_FUNDS, "card_declined insufficient_funds")
    rig.stub.will(f"{SESSIONS}/{SESSION}", says(session(status="open", payment_intent=failed)))
    assert isinstance(await rig.stripe.check(SESSION), Pending)  # another card may be tried on it


@pytest.mark.parametrize(
    ("answer", "ours"),
    [
        (says(error("invalid_request_error", "resource_missing"), 404), False),
        (says(error("invalid_request_error"), 401), True),
        (says(session(id="cs_test_other", status="complete", payment_status="paid")), False),
    ],
)
async def test_a_question_without_an_answer_says_nothing(rig, answer, ours):
    rig.stub.will(f"{SESSIONS}/{SESSION}", answer)
    word = await rig.stripe.check(SESSION)
    assert isinstance(word, Pending)
    assert word.ours is ours


@pytest.mark.parametrize("answer", [says({}, 500), drops])
async def test_a_question_that_is_not_answered_is_told_as_such(rig, answer):
    rig.stub.will(f"{SESSIONS}/{SESSION}", answer)
    assert isinstance(await rig.stripe.check(SESSION), Unknown)


async def test_what_is_no_reference_is_not_asked_about(rig):
    for reference in ("", "cs_/../refunds", "pi_1?expand", "é"):
        assert isinstance(await rig.stripe.check(reference), Pending)
    assert dict(rig.stub.asked) == {}


# --- a saved card


async def test_a_saved_card_is_charged_for_its_customer_under_our_id(rig):
    rig.stub.will(INTENTS, says(intent(status="succeeded")))
    answer = await rig.stripe.charge(CHARGE)
    assert rig.stub.asked[INTENTS] == [
        {
            "amount": "95000",
            "currency": "kes",
            "customer": "cus_1",
            "payment_method": DETAILS["payment_method_id"],
            "off_session": "true",
            "confirm": "true",
            "description": "ORD-7",
            "metadata[attempt]": ATTEMPT,
            "metadata[by]": "card",
            "expand[0]": "payment_method",
        }
    ]
    assert rig.stub.keys(INTENTS) == [ATTEMPT]
    assert answer.reference == INTENT
    assert answer.page is None
    assert answer.told.about == "collect"
    assert answer.told.references == {INTENT, ATTEMPT}
    assert answer.told.facts == {"reference": INTENT}
    assert answer.told.word == dataclasses.replace(PAID, method=METHOD)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"status": "processing"}, Pending("processing")),
        ({"status": "requires_confirmation"}, Pending("requires_confirmation")),
        ({"status": "canceled", "cancellation_reason": "fraudulent"}, Failed(Unpaid.CANCELLED, "fraudulent")),
        ({"status": "requires_capture"}, None),
        ({"status": "done"}, None),
        ({"status": "succeeded", "amount_received": 940_00}, None),
        ({"status": "succeeded", "amount_received": None}, None),
    ],
)
async def test_the_word_of_each_state_of_a_charge(rig, changes, word):
    rig.stub.will(INTENTS, says(intent(**changes)))
    told = (await rig.stripe.charge(CHARGE)).told.word
    if word is None:
        assert isinstance(told, Pending)
        assert told.unheard
    else:
        assert told == word


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 100},
        {"currency": "usd"},
        {"metadata": {}},
        {"metadata": {"attempt": "another", "by": "card"}},
        {"metadata": {"attempt": ATTEMPT, "by": "page"}},
        {"id": None},
    ],
)
async def test_an_answer_about_another_payment_proves_nothing(rig, changes):
    rig.stub.will(INTENTS, says(intent(status="succeeded", **changes)))
    assert isinstance(await rig.stripe.charge(CHARGE), Unknown)


@pytest.mark.parametrize(
    ("code", "decline_code", "because"),
    [
        ("card_declined", "insufficient_funds", Unpaid.INSUFFICIENT_FUNDS),
        ("card_declined", "generic_decline", Unpaid.DECLINED),
        ("card_declined", "stolen_card", Unpaid.DECLINED),
        ("card_declined", "never heard of", Unpaid.DECLINED),
        ("card_declined", "card_velocity_exceeded", Unpaid.LIMIT),
        ("expired_card", "expired_card", Unpaid.CARD),
        ("expired_card", None, Unpaid.CARD),
        ("processing_error", "processing_error", Unpaid.PROVIDER),
        (None, None, Unpaid.DECLINED),
    ],
)
async def test_why_a_bank_declines(rig, code, decline_code, because):
    more = {"decline_code": decline_code} if decline_code else {}
    rig.stub.will(INTENTS, says(error("card_error", code, **more), 402))
    answer = await rig.stripe.charge(CHARGE)
    assert isinstance(answer, Refused)
    assert (answer.because, answer.ours) == (because, False)


async def test_a_decline_of_a_payment_that_has_moved_is_not_believed(rig):
    rig.stub.will(INTENTS, says(error("card_error", payment_intent={"status": "succeeded"}), 402))
    assert isinstance(await rig.stripe.charge(CHARGE), Unknown)


@pytest.mark.parametrize(
    "asks",
    [WANTS_TO_ASK, error("card_error", "card_declined", decline_code="authentication_required")],
)
async def test_a_bank_that_wants_to_ask_its_customer_gets_a_page_for_the_same_attempt(rig, asks):
    rig.stub.will(INTENTS, says(asks, 402))
    rig.stub.will(SESSIONS, says(session()))
    answer = await rig.stripe.charge(CHARGE)
    assert answer == Accepted(SESSION, page=f"https://checkout.stripe.com/pay/c/{SESSION}")
    (charge_key,), (page_key,) = rig.stub.keys(INTENTS), rig.stub.keys(SESSIONS)
    assert charge_key == ATTEMPT
    assert page_key.startswith(f"{ATTEMPT}-page-")


@pytest.mark.parametrize("lost", [drops, says({}, 500), says(session(url=None))])
async def test_where_that_page_is_lost_nothing_was_charged(rig, lost):
    rig.stub.will(INTENTS, says(WANTS_TO_ASK, 402))
    rig.stub.will(SESSIONS, lost)
    assert isinstance(await rig.stripe.charge(CHARGE), NotSent)


async def test_a_charge_that_waits_for_the_customer_is_ended_before_a_page_is_opened(rig):
    rig.stub.will(INTENTS, says(intent(status="requires_action")))
    rig.stub.will(f"{INTENTS}/{INTENT}/cancel", says(intent(status="canceled")))
    rig.stub.will(SESSIONS, says(session()))
    assert (await rig.stripe.charge(CHARGE)).page is not None


@pytest.mark.parametrize("cancel", [drops, says(intent(status="succeeded")), says(error("x"), 400)])
async def test_one_that_cannot_be_ended_gets_no_page_beside_it(rig, cancel):
    rig.stub.will(INTENTS, says(intent(status="requires_action")))
    rig.stub.will(f"{INTENTS}/{INTENT}/cancel", cancel)
    answer = await rig.stripe.charge(CHARGE)
    assert (answer.reference, answer.page, answer.told.word) == (INTENT, None, Pending("requires_action"))
    assert rig.stub.asked[SESSIONS] == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says(card(customer=None)), Refused),
        (says(error("invalid_request_error", "resource_missing", param="payment_method"), 404), Refused),
        (says(error("invalid_request_error"), 401), Misconfigured),
        (says({}, 500), NotSent),
        (says({}, 429), NotSent),
        (drops, NotSent),
    ],
)
async def test_without_the_cards_customer_nothing_is_charged(rig, answer, kind):
    rig.stub.will(CARD, answer)
    told = await rig.stripe.charge(CHARGE)
    assert isinstance(told, kind)
    assert rig.stub.asked[INTENTS] == []
    if kind is Refused:
        assert told.because is Unpaid.CARD


async def test_what_is_no_payment_method_is_kept_off_the_wire(rig):
    for name in ("", "pm_1/../2", "pm_1?x=1"):
        details = DETAILS | {"payment_method_id": name}
        assert isinstance(await rig.stripe.charge(dataclasses.replace(CHARGE, details=details)), Refused)
        assert await rig.stripe.forget(details) is None
    assert dict(rig.stub.asked) == {}


@pytest.mark.parametrize(
    ("answer", "then", "kind"),
    [
        (says(card(customer=None)), None, type(None)),
        (says(error("invalid_request_error", "resource_missing"), 404), None, type(None)),
        (says(error("invalid_request_error"), 400), says(card(customer=None)), type(None)),
        (says(error("invalid_request_error"), 400), says(card()), NotSent),
        (says(error("invalid_request_error"), 401), None, Misconfigured),
        (says({}, 500), says(card()), NotSent),
        (drops, None, NotSent),
    ],
)
async def test_a_card_is_forgotten_there_too(rig, answer, then, kind):
    rig.stub.will(f"{CARD}/detach", answer)
    if then is not None:
        rig.stub.will(CARD, then)
    assert isinstance(await rig.stripe.forget(DETAILS), kind)


# --- refunds


async def test_a_refund_is_asked_for_under_our_id_and_told_at_once(rig):
    rig.stub.will(REFUNDS, says(refund()))
    answer = await rig.stripe.refund(REFUND)
    assert rig.stub.asked[REFUNDS] == [
        {
            "payment_intent": INTENT,
            "amount": "95000",
            "reason": "requested_by_customer",
            "metadata[attempt]": ATTEMPT,
            "metadata[by]": "refund",
            "metadata[for]": "Refund ORD-7",
        }
    ]
    assert rig.stub.keys(REFUNDS) == [ATTEMPT]
    name = "re_1Pgc72B7WZ01zgkWqPvrRrPE"
    assert answer.reference == name
    assert (answer.told.about, answer.told.references) == ("refund_query", {name, ATTEMPT})
    assert answer.told.facts == {"payout_references": {name, ATTEMPT}, "original": INTENT}
    assert answer.told.word == Succeeded(name, PAGE.amount)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"status": "pending"}, Pending("pending")),
        ({"status": "requires_action"}, Pending("requires_action")),
        (
            {"status": "failed", "failure_reason": "expired_or_canceled_card"},
            Failed(Unpaid.RECEIVER, "failed expired_or_canceled_card", returned=PAGE.amount),
        ),
        ({"status": "canceled"}, Failed(Unpaid.RECEIVER, "canceled", returned=PAGE.amount)),
        ({"status": "gone"}, Pending("a refund that is gone", unheard=True)),
    ],
)
async def test_the_word_of_each_state_of_a_refund(rig, changes, word):
    rig.stub.will(REFUNDS, says(refund(**changes)))
    assert (await rig.stripe.refund(REFUND)).told.word == word


@pytest.mark.parametrize(
    "changes", [{"amount": 1}, {"currency": "usd"}, {"metadata": {}}, {"metadata": {"attempt": "another"}}]
)
async def test_an_answer_about_another_refund_proves_nothing(rig, changes):
    rig.stub.will(REFUNDS, says(refund(**changes)))
    assert isinstance(await rig.stripe.refund(REFUND), Unknown)


async def test_a_refund_is_asked_about_by_its_reference(rig):
    name = "re_1Pgc72B7WZ01zgkWqPvrRrPE"
    rig.stub.will(f"{REFUNDS}/{name}", says(refund(status="pending")))
    answer = await rig.stripe.ask_refund(INTENT, name, "", "", UUID(ATTEMPT))
    assert (answer.reference, answer.told.word) == (name, Pending("pending"))


async def test_one_whose_answer_was_lost_is_looked_for_among_those_of_its_payment(rig):
    others = [refund(id="re_1", metadata={}), refund(id="re_2", metadata={"attempt": "x", "by": "refund"})]
    rig.stub.will(REFUNDS, says({"object": "list", "data": [*others, refund()]}))
    answer = await rig.stripe.ask_refund(INTENT, None, "", "", UUID(ATTEMPT))
    assert answer.reference == "re_1Pgc72B7WZ01zgkWqPvrRrPE"
    assert rig.stub.asked[REFUNDS] == [{"payment_intent": INTENT, "limit": "100"}]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says({"object": "list", "data": []}), Unknown),
        (says({"object": "list", "data": [refund(metadata={}), "x", None]}), Unknown),
        (says({"data": {}}), Unknown),
        (says(error("invalid_request_error", "resource_missing"), 404), Unknown),
        (says(error("invalid_request_error"), 401), Misconfigured),
        (says({}, 500), Unknown),
        (drops, Unknown),
    ],
)
async def test_a_refund_that_is_not_found_may_still_be_on_its_way(rig, answer, kind):
    rig.stub.will(REFUNDS, answer)
    assert isinstance(await rig.stripe.ask_refund(INTENT, None, "", "", UUID(ATTEMPT)), kind)
