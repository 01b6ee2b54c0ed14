"""The emulated Daraja pays tills (B2B), out of the working account."""

import dataclasses

import aiohttp
import pytest


@pytest.fixture
def world(world):
    """This till's account calls its receivers tills."""
    (app,) = world.daraja
    return dataclasses.replace(world, daraja=(dataclasses.replace(app, working=1_000, receiver_type="2"),))


async def result(sandbox, wait, merchant, **changes):
    status, accepted = await merchant.pay_till(**{"RecieverIdentifierType": "2"} | changes)
    assert status == 200, accepted
    await wait(lambda: sandbox.app.callbacks)
    return accepted, sandbox.app.callbacks[-1][1]["Result"]


async def test_a_till_is_paid_and_known_by_the_emulators_own_id(sandbox, wait, logged_in):
    accepted, told = await result(sandbox, wait, logged_in)
    assert (told["ResultCode"], told["ConversationID"]) == ("0", accepted["ConversationID"])
    facts = {item["Key"]: item["Value"] for item in told["ResultParameters"]["ResultParameter"]}
    assert facts["Amount"] == "967.00"
    assert facts["DebitPartyAffectedAccountBalance"] == "Working Account|KES|1000.00|33.00|0.00|0.00"
    (shown,) = (await sandbox.look("payouts"))["payouts"]
    assert (shown["id"], shown["number"]) == (accepted["OriginatorConversationID"], "till 600100")
    await logged_in.ask(OriginalConversationID=accepted["OriginatorConversationID"])
    await wait(lambda: len(sandbox.app.callbacks) == 2)
    asked = sandbox.app.callbacks[-1][1]["Result"]["ResultParameters"]["ResultParameter"]
    assert {"Key": "TransactionStatus", "Value": "Completed"} in asked


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Amount": "9"}, "2"),
        ({"Amount": "1001"}, "1"),
        ({"Initiator": "somebody"}, "2001"),
        ({"RecieverIdentifierType": "4"}, "SFC_IC0003"),
    ],
)
async def test_float_initiator_and_receiver_fail_the_result(sandbox, wait, logged_in, changes, code):
    _, told = await result(sandbox, wait, logged_in, **changes)
    assert told["ResultCode"] == code
    assert "ResultParameters" not in told


async def test_the_working_account_can_be_set(sandbox, wait, logged_in):
    await sandbox.act("float", shortcode="174379", working=966)
    _, told = await result(sandbox, wait, logged_in)
    assert told["ResultCode"] == "1"
    assert (await sandbox.look("state"))["floats"][0]["working"] == 966
    assert (await sandbox.post("/control/float", {"shortcode": "174379"}))[0] == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"CommandID": "BusinessPayment"},
        {"SenderIdentifierType": "1"},
        {"RecieverIdentifierType": "1"},
        {"PartyA": "999999"},
        {"PartyB": "12"},
        {"AccountReference": "x" * 14},
        {"SecurityCredential": "c2hvcnQ="},
        {"ResultURL": "http://127.0.0.1/mpesa"},
    ],
)
async def test_a_malformed_request_is_refused_and_queues_nothing(sandbox, logged_in, changes):
    status, told = await logged_in.pay_till(**changes)
    assert (status, told["errorCode"]) == (400, "400.002.02")
    assert (await sandbox.look("payouts"))["payouts"] == []


async def test_the_same_request_twice_pays_twice(sandbox, wait, logged_in):
    """As at Daraja, which takes no id: the caller alone can keep itself from that."""
    await sandbox.arm("b2b.request", "drop")
    with pytest.raises(aiohttp.ClientError):
        await logged_in.pay_till(RecieverIdentifierType="2", Amount="100")
    await logged_in.pay_till(RecieverIdentifierType="2", Amount="100")
    await wait(lambda: len(sandbox.app.callbacks) == 2)
    assert (await sandbox.look("state"))["floats"][0]["working"] == 800


async def test_one_that_hangs_is_answered_by_hand(sandbox, wait, logged_in):
    await sandbox.arm("b2b.outcome", "hang")
    _, accepted = await logged_in.pay_till(RecieverIdentifierType="2")
    await sandbox.act(f"payouts/{accepted['OriginatorConversationID']}", outcome="succeed")
    await wait(lambda: sandbox.app.callbacks)
    assert sandbox.app.callbacks[0][1]["Result"]["ResultCode"] == "0"
