"""Reversals: what goes over the wire, and what each answer and callback means."""

import json
from uuid import uuid4

import pytest

from services.money import Money
from services.news import Unpaid
from services.providers.base import Accepted, Failed, Misconfigured, NotSent, Pending, Succeeded, Unknown
from services.providers.daraja_callbacks import read
from services.providers.mpesa_settings import MpesaSettings
from services.providers.refunds import Refund
from tests.services.providers.conftest import PAID_OUT, SECRETS
from tests.services.providers.stub_daraja import PAYOUT_QUERY, drops, says

REVERSAL = "/mpesa/reversal/v1/request"
ACK = {"OriginatorConversationID": "71840-27539181-07", "ConversationID": "AG_2018", "ResponseCode": "0"}
GIVEN_BACK = Refund(
    provider="mpesa",
    attempt_id=PAID_OUT.attempt_id,
    amount=Money(500_00, "KES"),
    receipt="OEI2AK4Q16",
    callback_url="https://pay.example/hooks/cd34",
    timeout_url="https://pay.example/hooks/ef56",
    remarks="Refund K7Q2X0",
)
DONE = {
    "DebitAccountBalance": "Working Account|KES|51661.00|51661.00|0.00|0.00",
    "Amount": 500,
    "OriginalTransactionID": "OEI2AK4Q16",
    "Charge": 0,
}


def result(code, parameters=None):
    told = {
        "ResultType": 0,
        "ResultCode": code,
        "ResultDesc": "said",
        "OriginatorConversationID": "71840-27539181-07",
        "ConversationID": "AG_2018",
        "TransactionID": "MJ561H6X5O",
    }
    if parameters:
        items = [{"Key": key, "Value": value} for key, value in parameters.items()]
        told["ResultParameters"] = {"ResultParameter": items}
    return json.dumps({"Result": told}).encode()


async def test_a_reversal_is_wire_exact(rig):
    rig.stub.will(REVERSAL, says(ACK))
    assert await rig.mpesa.refund(GIVEN_BACK) == Accepted("71840-27539181-07", "AG_2018")
    (asked,) = rig.stub.asked[REVERSAL]
    assert len(asked.pop("SecurityCredential")) == 344
    assert asked == {
        "Initiator": "testapi",
        "CommandID": "TransactionReversal",
        "TransactionID": "OEI2AK4Q16",
        "Amount": "500",
        "ReceiverParty": "174379",
        "RecieverIdentifierType": "11",
        "ResultURL": "https://pay.example/hooks/cd34",
        "QueueTimeOutURL": "https://pay.example/hooks/ef56",
        "Remarks": "Refund K7Q2X0",
        "Occasion": "Refund",
    }


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (drops, Unknown),
        (says({"errorCode": "500.003.1001", "errorMessage": "Internal Server Error"}, 500), Unknown),
        (says({"ResponseCode": "0"}), Unknown),
        (
            says({"errorCode": "400.002.02", "errorMessage": "Bad Request - Invalid Initiator"}, 400),
            Misconfigured,
        ),
        (says({"fault": {"faultstring": "Spike arrest violation"}}, 429), NotSent),
    ],
    ids=["dropped", "their error", "no ids", "initiator", "spike"],
)
async def test_only_a_plain_no_is_a_no(rig, answer, kind):
    rig.stub.will(REVERSAL, answer)
    assert isinstance(await rig.mpesa.refund(GIVEN_BACK), kind)
    assert len(rig.stub.asked[REVERSAL]) == 1


async def test_without_an_initiator_nothing_is_sent(rig):
    lacking = rig.make(
        settings=MpesaSettings.model_validate(SECRETS | {"shortcode": "174379", "passkey": "p"})
    )
    assert isinstance(await lacking.refund(GIVEN_BACK), Misconfigured)
    assert not rig.stub.asked[REVERSAL]


@pytest.mark.parametrize(
    ("reference", "subject"),
    [("71840-1", {"OriginalConversationID": "71840-1"}), (None, {"TransactionID": "OEI2AK4Q16"})],
    ids=["by its own id", "by the payment's receipt"],
)
async def test_it_is_asked_for_by_what_is_known(rig, reference, subject):
    rig.stub.will(PAYOUT_QUERY, says(ACK))
    urls = ("https://a.example/1", "https://a.example/2")
    answer = await rig.mpesa.ask_refund("OEI2AK4Q16", reference, *urls, uuid4())
    assert answer == Accepted("AG_2018", "71840-27539181-07")
    (asked,) = rig.stub.asked[PAYOUT_QUERY]
    known = {"OriginalConversationID", "TransactionID"} & asked.keys()
    assert {name: asked[name] for name in known} == subject


@pytest.mark.parametrize(
    ("code", "parameters", "word"),
    [
        (0, DONE, Succeeded("MJ561H6X5O", Money(500_00, "KES"))),
        ("R000001", None, Pending("R000001 said")),
        ("R000002", None, Failed(Unpaid.PROVIDER, "R000002 said")),
        (1, None, Failed(Unpaid.INSUFFICIENT_FUNDS, "1 said", ours=True)),
        (21, None, Failed(Unpaid.SHOP, "21 said", ours=True)),
        ("E99", None, Pending("E99 said", unheard=True)),
        (0, {"TransactionStatus": "Declined"}, Failed(Unpaid.PROVIDER, "status declined")),
    ],
    ids=["done", "before", "unknown payment", "short", "role", "unheard", "a query astray"],
)
def test_the_result_of_a_reversal(code, parameters, word):
    report = read("refund", result(code, parameters))
    assert (report.about, report.word) == ("refund", word)
    assert report.references == {"71840-27539181-07", "AG_2018"}
    assert report.facts.get("original") == (parameters or {}).get("OriginalTransactionID")


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("Reversed", Succeeded()),
        ("Completed", Pending("the payment is completed")),
        ("Strange", Pending("the payment is strange", unheard=True)),
    ],
    ids=str,
)
def test_a_payment_tells_whether_it_was_given_back(status, word):
    report = read("refunded_query", result(0, {"TransactionStatus": status, "ReceiptNo": "OEI2AK4Q16"}))
    assert (report.word, report.facts["original"]) == (word, "OEI2AK4Q16")


def test_a_query_that_fails_says_nothing_of_the_payment():
    assert read("refunded_query", result("2001")).word == Pending("query: 2001 said", ours=True)
    assert read("refund_query", result(0, {"TransactionStatus": "Completed"})).about == "refund_query"
