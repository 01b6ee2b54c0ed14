"""The sealed exchange of a form, against a phone's half that is made of other parts."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from bot.whatsapp.forms import BadFormsKey, FormsKey, Malformed, WrongKey, new_key
from tests.bot.phone_form import PhoneForm

PEM = new_key()
KEY = FormsKey(PEM)
PING = {"version": "3.0", "action": "ping"}


def test_what_a_phone_seals_is_opened_and_the_phone_opens_the_answer():
    phone = PhoneForm(KEY.public_pem)
    exchange = KEY.open(phone.body(PING))
    assert exchange.asked == PING
    assert phone.read(exchange.answer({"data": {"status": "active"}})) == {"data": {"status": "active"}}


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=60), max_size=6))
def test_any_object_goes_there_and_back(told):
    phone = PhoneForm(KEY.public_pem)
    exchange = KEY.open(phone.body(told))
    assert exchange.asked == told
    assert phone.read(exchange.answer(told)) == told


def test_a_key_on_one_line_is_the_same_key():
    assert FormsKey(PEM.replace("\n", "\\n")).public_pem == KEY.public_pem


def test_nothing_of_it_shows():
    assert "ping" not in repr(KEY.open(PhoneForm(KEY.public_pem).body(PING)))


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "no pem",
        KEY.public_pem,
        rsa.generate_private_key(public_exponent=65537, key_size=1024)
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode(),
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode(),
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
        .decode(),
    ],
    ids=["empty", "no pem", "public", "short", "elliptic", "with a passphrase"],
)
def test_another_key_is_refused(pem):
    with pytest.raises(BadFormsKey):
        FormsKey(pem)


def test_only_a_key_that_does_not_open_is_the_wrong_key():
    with pytest.raises(WrongKey):
        KEY.open(PhoneForm(FormsKey(new_key()).public_pem).body(PING))
    with pytest.raises(WrongKey):
        KEY.open(PhoneForm(KEY.public_pem).body(PING, encrypted_aes_key=base64.b64encode(b"short").decode()))


@pytest.mark.parametrize(
    "changes",
    [
        {"encrypted_flow_data": None},
        {"encrypted_flow_data": "ÄÖÜ"},
        {"encrypted_flow_data": "A" * 7},
        {"encrypted_flow_data": base64.b64encode(bytes(40)).decode()},
        {"encrypted_flow_data": base64.b64encode(bytes(3)).decode()},
        {"initial_vector": ""},
        {"initial_vector": base64.b64encode(bytes(12)).decode()},
        {"initial_vector": base64.b64encode(bytes(16)).decode()},
        {"initial_vector": 7},
        {"encrypted_aes_key": []},
        {"encrypted_aes_key": "not base64"},
    ],
    ids=str,
)
def test_the_rest_that_is_wrong_is_malformed(changes):
    with pytest.raises(Malformed):
        KEY.open(PhoneForm(KEY.public_pem).body(PING, **changes))


@pytest.mark.parametrize("asked", [b"", b"[]", b'"x"', b"\xff", b"{", b"[" * 60_000, b"NaN"], ids=repr)
def test_what_is_sealed_must_be_an_object(asked):
    with pytest.raises(Malformed):
        KEY.open(PhoneForm(KEY.public_pem).body(asked))


@pytest.mark.parametrize("length", [15, 24, 32])
def test_the_phones_key_has_128_bits(length):
    phone = PhoneForm(KEY.public_pem)
    with pytest.raises(Malformed):
        KEY.open(phone.body(PING, encrypted_aes_key=phone.sealed(bytes(length))))


@given(st.binary(max_size=400))
def test_any_bytes_are_malformed(body):
    with pytest.raises(Malformed):
        KEY.open(body)


@given(
    st.dictionaries(
        st.sampled_from(["encrypted_flow_data", "encrypted_aes_key", "initial_vector", "other"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=50)
        | st.binary(max_size=300).map(lambda raw: base64.b64encode(raw).decode())
        | st.lists(st.text(max_size=3), max_size=3),
    )
)
def test_any_envelope_is_answered(envelope):
    with pytest.raises((Malformed, WrongKey)):
        KEY.open(json.dumps(envelope).encode())
