"""The emulated Daraja gives payments back, once and as a whole, and a status query tells of it."""

import pytest


@pytest.fixture
async def receipt(sandbox, wait, logged_in):
    await sandbox.arm("stk.outcome", "pay")
    await logged_in.push()
    await wait(lambda: sandbox.app.callbacks)
    items = sandbox.app.callbacks[-1][1]["Body"]["stkCallback"]["CallbackMetadata"]["Item"]
    return next(item["Value"] for item in items if item["Name"] == "MpesaReceiptNumber")


async def told(sandbox, wait, call):
    before = len(sandbox.app.callbacks)
    status, accepted = await call
    assert status == 200, accepted
    await wait(lambda: len(sandbox.app.callbacks) > before)
    return sandbox.app.callbacks[-1][1]["Result"]


def parameters(result):
    return {item["Key"]: item["Value"] for item in result["ResultParameters"]["ResultParameter"]}


async def test_a_payment_is_given_back_once_and_a_query_of_it_says_so(sandbox, wait, logged_in, receipt):
    result = await told(sandbox, wait, logged_in.reverse(receipt))
    assert (result["ResultCode"], parameters(result)["OriginalTransactionID"]) == (0, receipt)
    asked = {"OriginalConversationID": "", "TransactionID": receipt}
    original = await told(sandbox, wait, logged_in.ask(**asked))
    assert parameters(original)["TransactionStatus"] == "Reversed"
    its_own = await told(
        sandbox, wait, logged_in.ask(OriginalConversationID=result["OriginatorConversationID"])
    )
    assert parameters(its_own)["TransactionStatus"] == "Completed"
    again = await told(sandbox, wait, logged_in.reverse(receipt))
    assert again["ResultCode"] == "R000001"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"Amount": "200"}, "R000002"), ({"TransactionID": "NOPE"}, "R000002"), ({"Initiator": "x"}, 2001)],
    ids=["a part", "an unknown one", "a stranger"],
)
async def test_what_cannot_be_given_back_fails_the_result(sandbox, wait, logged_in, receipt, changes, code):
    result = await told(sandbox, wait, logged_in.reverse(receipt, **changes))
    assert result["ResultCode"] == code


@pytest.mark.parametrize("field", ["ReceiverParty", "RecieverIdentifierType", "CommandID", "ResultURL"])
async def test_a_wrong_field_is_refused_at_once(logged_in, field):
    status, answer = await logged_in.reverse("UKO1", **{field: "9"})
    assert (status, answer["errorMessage"]) == (400, f"Bad Request - Invalid {field}")
