"""Settings of Stripe, and what it has signed."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError
from stripe import SignatureVerificationError, WebhookSignature

from services.providers.stripe_events import event_id
from services.providers.stripe_settings import StripeSettings
from tests.services.providers.stub_stripe import event, session

SECRET, OTHER = "whsec_one", "whsec_two"
KEY = "sk_test_fixture"
NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
BODY = event("checkout.session.completed", session())


def settings(secret: str | None = SECRET, key: str = KEY) -> StripeSettings:
    return StripeSettings.model_validate({"secret_key": key, "webhook_secret": secret})


def signature(body: bytes = BODY, secret: str = SECRET, at: datetime = NOW) -> str:
    """Written down here once more: what both sides share could be wrong on both."""
    told = str(int(at.timestamp()))
    return hmac.new(secret.encode(), told.encode() + b"." + body, hashlib.sha256).hexdigest()


def header(*signatures: str, at: datetime = NOW) -> str:
    return ",".join([f"t={int(at.timestamp())}", *(f"v1={each}" for each in signatures)])


def test_what_stripe_has_signed_is_let_in():
    assert settings().signed(BODY, header(signature()), NOW)
    assert settings().signed(BODY, header("0" * 64, signature()), NOW)
    assert settings().signed(BODY, header(signature()) + ",v0=0123", NOW)


def test_it_is_let_in_by_either_secret_while_one_replaces_the_other():
    both = settings(f"{SECRET}, {OTHER}")
    assert both.signed(BODY, header(signature()), NOW)
    assert both.signed(BODY, header(signature(secret=OTHER)), NOW)
    assert not settings().signed(BODY, header(signature(secret=OTHER)), NOW)


def test_stripes_own_client_signs_what_is_let_in_and_believes_what_is_signed_here():
    theirs = WebhookSignature.generate_signature_header(BODY.decode(), SECRET, int(NOW.timestamp()))
    assert settings().signed(BODY, theirs, NOW)
    assert WebhookSignature.verify_header(BODY, header(signature()), SECRET)


@pytest.mark.parametrize(
    ("minutes", "right"), [(0, True), (5, True), (5.1, False), (60, False), (60 * 24, False), (-1, True)]
)
def test_one_of_long_ago_is_a_replay(minutes, right):
    at = NOW - timedelta(minutes=minutes)
    assert settings().signed(BODY, header(signature(at=at), at=at), NOW) is right


FORGED = [
    "",
    "t=",
    header(),
    header(signature(BODY + b" ")),
    header(signature(secret=OTHER)),
    header(signature()[:-1]),
    header(signature().upper()),
    f"v1={signature()}",
    f"t={int(NOW.timestamp()) + 1},v1={signature()}",
    f"t=x,v1={signature()}",
    f"t=-1,v1={signature()}",
    f"t={'9' * 400},v1={signature()}",
    f"t={int(NOW.timestamp())},v0={signature()}",
    f"t={int(NOW.timestamp())};v1={signature()}",
    "==,=,",
    "t=1=2,v1=1",
]


@pytest.mark.parametrize("wrong", FORGED)
def test_what_is_forged_or_malformed_is_not_signed_and_stripes_own_client_agrees(wrong):
    assert not settings().signed(BODY, wrong, NOW)
    with pytest.raises(SignatureVerificationError):
        WebhookSignature.verify_header(BODY, wrong, SECRET, tolerance=0)


def test_signs_beyond_ascii_are_no_signature():
    assert not settings().signed(BODY, header("é" * 64), NOW)


def test_without_the_endpoints_secret_nothing_is_signed_and_nobody_can_pay():
    assert not settings(None).signed(BODY, header(signature()), NOW)
    assert settings(None).missing_to_collect == ("webhook_secret",)
    assert settings().missing_to_collect == ()


@pytest.mark.parametrize(
    ("key", "live"),
    [("sk_test_1", False), ("sk_live_1", True), ("rk_live_1", True), ("rk_test_live_1", False)],
)
def test_the_key_says_whether_it_moves_real_money(key, live):
    assert settings(key=key).live is live


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"secret_key": ""},
        {"secret_key": "pk_test_1"},
        {"secret_key": "whsec_1"},
        {"secret_key": "sk_test_\r\nX-More: 1"},
        {"secret_key": "sk_live_1 "},
        {"secret_key": KEY, "public_key": "sk_test_1"},
        {"secret_key": KEY, "public_key": "rk_test_1"},
        {"secret_key": KEY, "public_key": "whsec_1"},
        {"secret_key": KEY, "webhook_secret": ""},
        {"secret_key": KEY, "webhook_secret": " , "},
        {"secret_key": KEY, "webhook_secret": "sk_test_1"},
        {"secret_key": KEY, "webhook_secret": "whsec_1,pk_test_1"},
        {"secret_key": KEY, "webhook_secret": "whsec_1;whsec_2 "},
        {"secret_key": KEY, "other": "x"},
    ],
)
def test_settings_that_cannot_work_are_refused_and_no_key_shown(wrong):
    with pytest.raises(ValidationError) as refused:
        StripeSettings.model_validate(wrong)
    shown = str(refused.value)
    for example in ("sk_live_0123", "rk_test_0123", "pk_live_0123", "pk_test_0123", "whsec_0123"):
        shown = shown.replace(example, "")
    assert not any(prefix in shown for prefix in ("sk_", "rk_", "pk_", "whsec_"))


def test_keys_stay_out_of_reprs():
    assert "fixture" not in repr(settings())
    assert "whsec" not in repr(settings())


def test_an_event_is_known_by_its_id_whatever_else_changes_in_it():
    again = event("checkout.session.completed", session(), pending_webhooks=1)
    assert again != BODY
    assert event_id(again) == event_id(BODY) == "evt_1Pgc76B7WZ01zgkWwyRHS12y"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id": 1.5}', b'{"id": ["evt_1"]}', b'{"id": "\xff"}'])
def test_one_without_an_id_has_none(body):
    assert event_id(body) is None
