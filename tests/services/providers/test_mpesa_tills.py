"""Payouts to tills (B2B): what goes over the wire, what each answer means, and the results as recorded."""

import dataclasses

import pytest

from services.money import Money
from services.news import Unpaid
from services.providers.base import Accepted, Failed, Misconfigured, Refused, Report, Succeeded, Unknown
from services.providers.daraja_callbacks import read
from services.providers.mpesa_settings import MpesaSettings
from tests.services.providers.conftest import PAID_OUT
from tests.services.providers.stub_daraja import PAYOUT_QUERY, TILL, raw, recorded, says

TO_TILL = dataclasses.replace(PAID_OUT, method_type="till", details={"till_number": "600100"})


async def test_a_payout_to_a_till_is_wire_exact(rig):
    rig.stub.will(TILL, says("till_accept"))
    answer = await rig.mpesa.pay_out(TO_TILL)
    assert answer == Accepted("5118-111210482-1", "AG_20230420_2010759fd5662ef6d054")
    (asked,) = rig.stub.asked[TILL]
    documented = recorded("till_request").keys() - {"Requester"} | {"Occassion"}
    assert asked.keys() == documented
    assert len(asked.pop("SecurityCredential")) == 344
    assert asked == {
        "Initiator": "testapi",
        "CommandID": "BusinessBuyGoods",
        "SenderIdentifierType": "4",
        "RecieverIdentifierType": "4",
        "Amount": "967",
        "PartyA": "174379",
        "PartyB": "600100",
        "AccountReference": "0000000000002",
        "Remarks": "Withdrawal W-7",
        "QueueTimeOutURL": "https://pay.example/hooks/ef56",
        "ResultURL": "https://pay.example/hooks/cd34",
        "Occassion": "Payout",
    }


async def test_it_is_paid_from_its_own_shortcode_to_the_kind_that_the_file_says(rig, settings):
    own = settings.model_copy(update={"b2b_shortcode": "600400", "b2b_receiver_type": "till"})
    mpesa = rig.make(settings=own)
    rig.stub.will(TILL, says("till_accept"))
    rig.stub.will(PAYOUT_QUERY, says("till_accept"))
    await mpesa.pay_out(TO_TILL)
    await mpesa.ask(TO_TILL.attempt_id, "5118-111210482-1", "https://p/1", "https://p/2", "till")
    (asked,), (question,) = rig.stub.asked[TILL], rig.stub.asked[PAYOUT_QUERY]
    assert (asked["PartyA"], asked["RecieverIdentifierType"]) == ("600400", "2")
    assert (question["PartyA"], question["OriginalConversationID"]) == ("600400", "5118-111210482-1")


def test_a_receiver_is_a_shortcode_or_a_till():
    with pytest.raises(ValueError, match="b2b_receiver_type"):
        MpesaSettings(
            shortcode="600100", consumer_key="key", consumer_secret="secret", b2b_receiver_type="paybill"
        )


@pytest.mark.parametrize(
    "change",
    [
        {"details": {"till_number": "**0100"}},
        {"details": {}},
        {"amount": Money(9_00, "KES")},
        {"amount": Money(967_50, "KES")},
    ],
)
async def test_what_is_no_till_or_no_whole_amount_is_kept_off_the_wire(rig, change):
    assert isinstance(await rig.mpesa.pay_out(dataclasses.replace(TO_TILL, **change)), Refused)
    assert not rig.stub.asked


async def test_more_than_a_phone_takes_goes_to_a_till(rig):
    rig.stub.will(TILL, says("till_accept"))
    large = dataclasses.replace(TO_TILL, amount=Money(400_000_00, "KES"))
    assert isinstance(await rig.mpesa.pay_out(large), Accepted)


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (200, {"ResponseCode": "0", "ConversationID": "AG_1"}, Unknown),  # no name to ask by
        (500, {"errorCode": "500.003.1001", "errorMessage": "Internal Server Error"}, Unknown),
        (500, {"errorCode": "500.003.02", "errorMessage": "System is busy."}, Unknown),
        (403, {"errorCode": "403.002.1001", "errorMessage": "Not allowed"}, Misconfigured),
        (400, {"errorCode": "400.002.02", "errorMessage": "Bad Request - Invalid PartyB"}, Refused),
        (
            400,
            {"errorCode": "400.002.02", "errorMessage": "Bad Request - Invalid RecieverIdentifierType"},
            Misconfigured,
        ),
        (400, {"errorCode": "400.002.02", "errorMessage": "Bad Request - Invalid Initiator"}, Misconfigured),
    ],
)
async def test_what_is_not_accepted_is_a_plain_no_only_where_it_says_so(rig, status, body, meaning):
    rig.stub.will(TILL, says(body, status))
    assert isinstance(await rig.mpesa.pay_out(TO_TILL), meaning)


def test_a_result_of_success_as_safaricom_shows_it():
    assert read("payout", raw("till_result_success")) == Report(
        "payout",
        frozenset({"626f6ddf-ab37-4650-b882-b1de92ec9aa4", "12345677dfdf89099B3"}),
        Succeeded("QKA81LK5CY", Money(190_00, "KES")),
        {
            "reference": "626f6ddf-ab37-4650-b882-b1de92ec9aa4",
            "transaction_id": "QKA81LK5CY",
            "completed_at": "20221110110717",
        },
    )


def test_a_wrong_initiator_is_ours_to_mend():
    word = read("payout", raw("till_result_initiator_invalid_2001")).word
    assert word == Failed(Unpaid.SHOP, "2001 The initiator information is invalid.", ours=True)
