"""Payouts: what goes over the wire, and what each answer to it means."""

import base64
import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr

from services.money import Money
from services.news import Unpaid
from services.providers.base import Accepted, Misconfigured, Refused, Unknown
from services.providers.mpesa_settings import MpesaSettings
from tests.services.providers.conftest import INITIATOR_PASSWORD, PAID_OUT, SECRETS
from tests.services.providers.stub_daraja import PAYOUT, PAYOUT_QUERY, recorded, says


async def test_a_payout_is_wire_exact(rig):
    rig.stub.will(PAYOUT, says("payout_accept"))
    await rig.mpesa.pay_out(PAID_OUT)
    (asked,) = rig.stub.asked[PAYOUT]
    assert asked.keys() == recorded("payout_request").keys()
    assert len(asked.pop("SecurityCredential")) == 344
    assert asked == {
        "OriginatorConversationID": "019acf00-0000-7000-8000-000000000002",
        "InitiatorName": "testapi",
        "CommandID": "BusinessPayment",
        "Amount": "967",
        "PartyA": "600992",
        "PartyB": "254112345678",
        "Remarks": "Withdrawal W-7",
        "QueueTimeOutURL": "https://pay.example/hooks/ef56",
        "ResultURL": "https://pay.example/hooks/cd34",
        "Occassion": "Payout",
    }


async def test_the_credential_is_the_password_under_their_key(rig, private_key):
    rig.stub.will(PAYOUT, says("payout_accept"))
    await rig.mpesa.pay_out(PAID_OUT)
    credential = base64.b64decode(rig.stub.asked[PAYOUT][0]["SecurityCredential"])
    assert private_key.decrypt(credential, PKCS1v15()).decode() == INITIATOR_PASSWORD


async def test_a_ready_made_credential_is_sent_as_it_is(rig):
    ready = SECRETS | {"shortcode": "600100", "initiator_name": "api", "security_credential": "READY=="}
    rig.stub.will(PAYOUT, says("payout_accept"))
    await rig.make(settings=MpesaSettings.model_validate(ready)).pay_out(PAID_OUT)
    asked = rig.stub.asked[PAYOUT][0]
    assert (asked["SecurityCredential"], asked["PartyA"]) == ("READY==", "600100")


async def test_an_accepted_payout_is_known_by_both_conversations(rig):
    rig.stub.will(PAYOUT, says("payout_accept"))
    assert await rig.mpesa.pay_out(PAID_OUT) == Accepted(
        "600997_Test_32et3241ed8yu", "AG_20240706_20106e9209f64bebd05b"
    )


async def test_an_acceptance_without_ids_is_known_by_ours(rig):
    rig.stub.will(PAYOUT, says({"ResponseCode": "0"}))
    assert await rig.mpesa.pay_out(PAID_OUT) == Accepted(str(PAID_OUT.attempt_id))


async def test_a_duplicate_id_means_that_the_first_one_exists(rig):
    rig.stub.will(PAYOUT, says("error_payout_duplicate_ocid", 500))
    assert isinstance(await rig.mpesa.pay_out(PAID_OUT), Unknown)


async def test_a_payout_that_v3_may_not_make_says_what_to_ask_for(rig):
    rig.stub.will(PAYOUT, says("error_payout_v3_not_authorised", 403))
    answer = await rig.mpesa.pay_out(PAID_OUT)
    assert isinstance(answer, Misconfigured)
    assert "enable B2C v3" in answer.detail


@pytest.mark.parametrize("cents", [9_00, 250_001_00, 967_50])
async def test_a_net_that_the_rail_does_not_take_is_kept_off_the_wire(rig, cents):
    answer = await rig.mpesa.pay_out(dataclasses.replace(PAID_OUT, amount=Money(cents, "KES")))
    assert isinstance(answer, Refused)
    assert answer.because is Unpaid.LIMIT
    assert not rig.stub.asked


@pytest.mark.parametrize(
    "change",
    [
        {"method_type": "bank_transfer"},
        {"method_type": "till"},
        {"details": {"phone_number": "********5678"}},
        {"details": {}},
    ],
)
async def test_a_destination_that_is_no_full_phone_is_kept_off_the_wire(rig, change):
    answer = await rig.mpesa.pay_out(dataclasses.replace(PAID_OUT, **change))
    assert isinstance(answer, Refused)
    assert not rig.stub.asked


async def test_remarks_keep_to_what_daraja_takes(rig):
    rig.stub.will(PAYOUT, says("payout_accept"))
    for remarks in ("", "x" * 300, "asante 🙏"):
        await rig.mpesa.pay_out(dataclasses.replace(PAID_OUT, remarks=remarks))
    sent = [asked["Remarks"] for asked in rig.stub.asked[PAYOUT]]
    assert sent == ["Payout", "x" * 100, "asante ?"]


async def test_without_an_initiator_nothing_is_sent(rig):
    bare = MpesaSettings.model_validate(SECRETS | {"shortcode": "174379"})
    missing = Misconfigured("missing in the settings: initiator_name, initiator_password, certificate")
    assert await rig.make(settings=bare).pay_out(PAID_OUT) == missing
    assert await rig.make(settings=bare).ask(PAID_OUT.attempt_id, None, "u", "v") == missing


async def test_with_a_wrong_certificate_nothing_is_sent(rig, settings):
    """A key too short for the password, and what is no key at all."""
    short = generate_private_key(public_exponent=65537, key_size=1024).public_key()
    pem = short.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for certificate, password in ((pem, "é" * 100), ("no key", "right")):
        wrong = settings.model_copy(
            update={"certificate": certificate, "initiator_password": SecretStr(password)}
        )
        to_till = dataclasses.replace(PAID_OUT, method_type="till", details={"till_number": "600100"})
        for paid_out in (PAID_OUT, to_till):
            answer = await rig.make(settings=wrong).pay_out(paid_out)
            assert isinstance(answer, Misconfigured)
            assert "certificate is wrong" in answer.detail
    assert not rig.stub.asked


# --- asking what became of it ------------------------------------------------------------------------


async def test_a_status_query_is_wire_exact(rig):
    rig.stub.will(PAYOUT_QUERY, says("payout_accept"))
    await rig.mpesa.ask(
        PAID_OUT.attempt_id, "7071-4170", "https://p.example/hooks/1", "https://p.example/hooks/2"
    )
    (asked,) = rig.stub.asked[PAYOUT_QUERY]
    assert len(asked.pop("SecurityCredential")) == 344
    assert asked == {
        "Initiator": "testapi",
        "CommandID": "TransactionStatusQuery",
        "OriginalConversationID": "7071-4170",
        "PartyA": "600992",
        "IdentifierType": "4",
        "ResultURL": "https://p.example/hooks/1",
        "QueueTimeOutURL": "https://p.example/hooks/2",
        "Remarks": "Status",
        "Occasion": "Status",
    }
    documented = recorded("status_request").keys() - {"TransactionID"}  # either that or the conversation
    assert asked.keys() | {"SecurityCredential"} == documented


async def test_a_payout_whose_answer_was_lost_is_asked_for_by_our_id(rig):
    rig.stub.will(PAYOUT_QUERY, says("payout_accept"))
    await rig.mpesa.ask(PAID_OUT.attempt_id, None, "https://p.example/1", "https://p.example/2")
    assert rig.stub.asked[PAYOUT_QUERY][0]["OriginalConversationID"] == str(PAID_OUT.attempt_id)


async def test_a_query_is_known_by_its_conversation(rig):
    rig.stub.will(PAYOUT_QUERY, says("payout_accept"))
    answer = await rig.mpesa.ask(PAID_OUT.attempt_id, None, "https://p.example/1", "https://p.example/2")
    assert answer == Accepted("AG_20240706_20106e9209f64bebd05b", "600997_Test_32et3241ed8yu")


async def test_a_query_without_a_conversation_is_unknown(rig):
    rig.stub.will(PAYOUT_QUERY, says({"ResponseCode": "0"}))
    assert isinstance(await rig.mpesa.ask(PAID_OUT.attempt_id, None, "u", "v"), Unknown)


async def test_a_query_with_a_wrong_initiator_is_misconfigured(rig):
    rig.stub.will(
        PAYOUT_QUERY,
        says({"errorCode": "400.002.02", "errorMessage": "Bad Request - Invalid Initiator"}, 400),
    )
    assert isinstance(await rig.mpesa.ask(PAID_OUT.attempt_id, None, "u", "v"), Misconfigured)


async def test_a_refused_payout_blames_the_destination_only_for_its_own_fields(rig):
    wrong = {"errorCode": "400.002.02", "errorMessage": "Bad Request - Invalid PartyB"}
    rig.stub.will(
        PAYOUT, says(wrong, 400), says(wrong | {"errorMessage": "Bad Request - Invalid PartyA"}, 400)
    )
    refused = await rig.mpesa.pay_out(PAID_OUT)
    assert isinstance(refused, Refused)
    assert refused.because is Unpaid.RECEIVER
    assert isinstance(await rig.mpesa.pay_out(PAID_OUT), Misconfigured)
