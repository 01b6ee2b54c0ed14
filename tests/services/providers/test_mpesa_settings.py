"""Settings: what the tenant's file may say, and what an ability still lacks."""

from decimal import Decimal

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError

from services.money import Money
from services.providers import PROVIDERS, Provider, mpesa_portal
from services.providers.daraja_codes import LIMITS
from services.providers.mpesa import Mpesa
from services.providers.mpesa_settings import MpesaSettings, public_key
from services.providers.refunds import RefundRules
from tests.services.providers.conftest import PASSKEY, SECRETS

LEAST = SECRETS | {"shortcode": "174379"}


def load(**more):
    return MpesaSettings.model_validate(LEAST | more)


def test_the_line_of_the_provider_is_there():
    line = Provider(
        MpesaSettings,
        Mpesa,
        "KES",
        {"KES": LIMITS["collect"]},
        pays_out=frozenset({"mpesa", "till"}),
        refunds=RefundRules(whole=True, otherwise="mpesa"),
        statements=mpesa_portal.read,
    )
    assert PROVIDERS["mpesa"] == line


def test_what_an_ability_lacks_is_named():
    bare = load()
    assert not bare.can_collect
    assert not bare.can_pay_out
    assert bare.missing_to_collect == ("passkey",)
    assert bare.missing_to_pay_out == ("initiator_name", "initiator_password", "certificate")


def test_each_ability_works_without_the_other(certificate):
    assert load(passkey=PASSKEY).can_collect
    assert load(initiator_name="a", initiator_password="b", certificate=certificate).can_pay_out
    assert load(initiator_name="a", security_credential="c").can_pay_out


def test_an_expired_certificate_and_a_bare_key_carry_the_same_key(certificate, private_key):
    bare = private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert public_key(certificate) == public_key(bare) == private_key.public_key()
    assert load(certificate=bare).certificate == bare


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"shortcode": "12"}, "shortcode"),
        ({"shortcode": "17437x"}, "shortcode"),
        ({"shortcode": 174379}, "valid string"),
        ({"till": ""}, "till"),
        ({"passkey": ""}, "passkey"),
        ({"consumer_secret": ""}, "consumer_secret"),
        ({"pass_key": "x"}, "Extra inputs are not permitted"),
        ({"certificate": "-----BEGIN CERTIFICATE-----\nrubbish"}, "not a PEM certificate or PEM public key"),
        ({"certificate": "rubbish"}, "not a PEM certificate or PEM public key"),
        ({"confirm_above": "-1"}, "not an amount like 5000"),
        ({"confirm_above": -1}, "not an amount like 5000"),
        ({"confirm_above": True}, "not an amount like 5000"),
        ({"confirm_above": "1.234"}, "more places than KES"),
        ({"confirm_above": "five"}, "not an amount like 5000"),
        ({"security_credential": "x", "initiator_password": "y"}, "give either security_credential"),
        ({"initiator_password": "y" * 200}, "initiator_password"),
    ],
)
def test_what_is_wrong_is_named_and_not_shown(wrong, said):
    with pytest.raises(ValidationError) as refused:
        load(**wrong)
    assert said in str(refused.value)
    assert "the-consumer-secret" not in str(refused.value)


def test_a_key_of_another_kind_is_refused():
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(ValidationError, match="not RSA"):
        load(certificate=pem)


def test_no_secret_is_in_the_repr(settings):
    shown = repr(settings) + str(settings)
    secrets = [*SECRETS.values(), PASSKEY, settings.initiator_password.get_secret_value()]
    assert not any(secret in shown for secret in secrets)


@pytest.mark.parametrize(
    ("written", "minor"), [("0", 0), ("0.00", 0), ("5000", 5000_00), (5000, 5000_00), (Decimal("0.50"), 50)]
)
def test_what_is_above_it_is_confirmed(written, minor):
    assert load(confirm_above=written).confirm_above_amount == Money(minor, "KES")
    assert load().confirm_above_amount is None


def test_a_payout_leaves_from_its_own_shortcode_where_there_is_one():
    assert load().paying_shortcode == "174379"
    assert load(b2c_shortcode="600992").paying_shortcode == "600992"


def test_the_rails_limits_are_whole_shillings():
    assert str(LIMITS["payout"].minimum) == "10.00"
    assert str(LIMITS["collect"].maximum) == "250000.00"
    assert all(limits.whole for limits in LIMITS.values())
