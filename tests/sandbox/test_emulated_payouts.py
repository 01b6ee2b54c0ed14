"""The emulated Daraja pays out (B2C v3) and tells what became of it."""

import aiohttp
import pytest


async def result(sandbox, wait, merchant, **changes):
    status, accepted = await merchant.pay(**changes)
    assert status == 200, accepted
    await wait(lambda: sandbox.app.callbacks)
    return accepted, sandbox.app.callbacks[-1][1]["Result"]


def parameters(told):
    return {item["Key"]: item["Value"] for item in told["ResultParameters"]["ResultParameter"]}


async def test_a_payout_is_queued_then_settled_and_the_phone_gets_a_text(sandbox, wait, logged_in):
    accepted, told = await result(sandbox, wait, logged_in)
    assert accepted["OriginatorConversationID"] == "attempt-1"
    assert accepted["ResponseCode"] == "0"
    assert (told["ResultCode"], told["OriginatorConversationID"]) == (0, "attempt-1")
    assert told["ConversationID"] == accepted["ConversationID"]
    facts = parameters(told)
    assert facts["TransactionAmount"] == 967
    assert facts["ReceiverPartyPublicName"] == "254722000003 - WANJIKU"
    assert facts["B2CUtilityAccountAvailableFunds"] == 10_000 - 967
    assert isinstance(told["ReferenceData"]["ReferenceItem"], dict)
    state = await sandbox.look("state")
    assert state["sms"][0]["phone"] == "wanjiku"
    assert "Ksh967.00" in state["sms"][0]["text"]


async def test_the_same_originator_id_is_refused_as_a_duplicate(logged_in):
    await logged_in.pay()
    status, told = await logged_in.pay()
    assert (status, told["errorCode"]) == (500, "500.002.1001")
    assert told["errorMessage"] == "Duplicate OriginatorConversationID."


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Amount": "9"}, 2),
        ({"Amount": "250001"}, 3),
        ({"Amount": "10001"}, 1),
        ({"InitiatorName": "somebody"}, 2001),
    ],
)
async def test_limits_float_and_initiator_fail_the_result_not_the_request(
    sandbox, wait, logged_in, changes, code
):
    _, told = await result(sandbox, wait, logged_in, **changes)
    assert told["ResultCode"] == code
    assert "ResultParameters" not in told
    assert told["TransactionID"]


async def test_a_password_that_is_not_the_initiators_is_2001(sandbox, wait, logged_in):
    credential = logged_in.credential("another password")
    _, told = await result(sandbox, wait, logged_in, SecurityCredential=credential)
    assert told["ResultCode"] == 2001


@pytest.mark.parametrize(
    "changes",
    [
        {"SecurityCredential": "c2hvcnQ="},
        {"SecurityCredential": "!" * 344},
        {"CommandID": "Gift"},
        {"Amount": "10.50"},
        {"PartyA": "999999"},
        {"PartyB": "+254722000003"},
        {"Remarks": "x"},
        {"ResultURL": "http://127.0.0.1/mpesa"},
        {"QueueTimeOutURL": "nowhere"},
        {"OriginatorConversationID": ""},
    ],
)
async def test_a_malformed_request_is_refused_and_queues_nothing(sandbox, logged_in, changes):
    status, told = await logged_in.pay(**changes)
    assert (status, told["errorCode"]) == (400, "400.002.02")
    assert (await sandbox.look("payouts"))["payouts"] == []


async def test_the_float_can_be_emptied(sandbox, wait, logged_in):
    await sandbox.act("float", shortcode="174379", utility=966)
    _, told = await result(sandbox, wait, logged_in)
    assert told["ResultCode"] == 1
    assert (await sandbox.look("state"))["floats"][0]["utility"] == 966


async def test_a_payout_can_fail(sandbox, wait, logged_in):
    await sandbox.arm("b2c.outcome", "fail")
    _, told = await result(sandbox, wait, logged_in)
    assert told["ResultCode"] == 2040


async def test_a_lost_result_is_found_by_the_status_query(sandbox, wait, logged_in):
    await sandbox.arm("b2c.callback", "lost")
    await logged_in.pay()
    await wait_until_done(sandbox)
    status, accepted = await logged_in.ask()
    assert (status, accepted["ResponseCode"]) == (200, "0")
    await wait(lambda: sandbox.app.callbacks)
    path, body = sandbox.app.callbacks[0]
    assert path == "/hooks/abc/asked"
    assert body["Result"]["ConversationID"] == accepted["ConversationID"]
    facts = parameters(body["Result"])
    assert (facts["TransactionStatus"], facts["Amount"]) == ("Completed", "967")


async def test_a_queue_timeout_tells_the_other_address_while_the_money_goes(sandbox, wait, logged_in):
    await sandbox.arm("b2c.outcome", "queue_timeout")
    await logged_in.pay()
    await wait_until_done(sandbox)
    assert [path for path, _ in sandbox.app.callbacks] == ["/hooks/abc/timeout"]
    assert sandbox.app.callbacks[0][1]["Result"]["OriginatorConversationID"] == "attempt-1"
    payouts = (await sandbox.look("payouts"))["payouts"]
    assert payouts[0]["code"] == "0"


async def test_after_a_queue_timeout_the_result_may_still_follow(sandbox, wait, logged_in):
    await sandbox.arm("b2c.outcome", "queue_timeout_then_result")
    await logged_in.pay()
    await wait(lambda: len(sandbox.app.callbacks) == 2)
    assert [path for path, _ in sandbox.app.callbacks] == ["/hooks/abc/timeout", "/hooks/abc/result"]


async def test_a_payout_that_hangs_is_initiated_until_it_is_answered(sandbox, wait, logged_in):
    await sandbox.arm("b2c.outcome", "hang")
    await logged_in.pay()
    await logged_in.ask()
    await wait(lambda: sandbox.app.callbacks)
    assert parameters(sandbox.app.callbacks[0][1]["Result"])["TransactionStatus"] == "Initiated"
    await sandbox.act("payouts/attempt-1", outcome="succeed")
    await wait(lambda: len(sandbox.app.callbacks) == 2)
    assert sandbox.app.callbacks[1][1]["Result"]["ResultCode"] == 0
    assert (await sandbox.post("/control/payouts/attempt-1", {"outcome": "fail"}))[0] == 409


async def test_an_accepted_payout_can_be_answered_with_500_or_not_at_all(sandbox, wait, logged_in):
    await sandbox.arm("b2c.request", "500_after")
    assert (await logged_in.pay("attempt-1"))[0] == 500
    await sandbox.arm("b2c.request", "drop")
    with pytest.raises(aiohttp.ClientError):
        await logged_in.pay("attempt-2")
    await wait(lambda: len(sandbox.app.callbacks) == 2)
    assert (await logged_in.pay("attempt-2"))[1]["errorCode"] == "500.002.1001"


async def test_a_result_can_come_before_the_answer_or_twice(sandbox, wait, logged_in):
    await sandbox.arm("b2c.request", "callback_first")
    await logged_in.pay("attempt-1")
    assert len(sandbox.app.callbacks) == 1
    await sandbox.arm("b2c.callback", "twice")
    await logged_in.pay("attempt-2")
    await wait(lambda: len(sandbox.app.callbacks) == 3)
    assert sandbox.app.callbacks[1] == sandbox.app.callbacks[2]


async def test_a_query_for_what_was_never_queued_fails_the_query(sandbox, wait, logged_in):
    await logged_in.ask(OriginalConversationID="never")
    await wait(lambda: sandbox.app.callbacks)
    assert sandbox.app.callbacks[0][1]["Result"]["ResultCode"] != 0


async def wait_until_done(sandbox):
    while (await sandbox.look("payouts"))["payouts"][0]["state"] != "done":
        pass
