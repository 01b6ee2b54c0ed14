"""The emulated Daraja: tokens, and prompts on a customer's phone with every outcome."""

import asyncio
from dataclasses import replace

import aiohttp
import pytest


async def outcome(sandbox, wait, merchant, word):
    """Pushes, answers on the phone, and gives (checkout id, the callback)."""
    _, accepted = await merchant.push()
    checkout = accepted["CheckoutRequestID"]
    before = len(sandbox.app.callbacks)
    await sandbox.act(f"prompts/{checkout}", outcome=word)
    await wait(lambda: len(sandbox.app.callbacks) > before)
    return checkout, sandbox.app.callbacks[-1][1]["Body"]["stkCallback"]


async def test_a_token_lives_an_hour_told_as_a_string(merchant_client):
    status, told = await merchant_client.log_in()
    assert status == 200
    assert told == {"access_token": merchant_client.token, "expires_in": "3599"}


async def test_wrong_keys_are_400_with_an_empty_body(merchant_client):
    assert await merchant_client.log_in(secret="wrong") == (400, "")
    status, told = await merchant_client.log_in(grant="password")
    assert (status, told["errorCode"]) == (400, "400.008.02")


async def test_a_new_token_kills_the_last(merchant_client):
    await merchant_client.log_in()
    first = merchant_client.token
    await merchant_client.log_in()
    assert (await merchant_client.push())[0] == 200
    merchant_client.token = first
    status, told = await merchant_client.push()
    assert (status, told["errorCode"]) == (404, "404.001.03")
    assert told["requestId"]


async def test_a_fault_can_invalidate_the_token(sandbox, logged_in):
    await sandbox.arm("stk.request", "token")
    assert (await logged_in.push())[1]["errorCode"] == "404.001.03"
    assert (await logged_in.push())[1]["errorCode"] == "404.001.03"
    await logged_in.log_in()
    assert (await logged_in.push())[0] == 200


async def test_a_paid_prompt_calls_back_with_a_balance_without_value(sandbox, wait, logged_in):
    checkout, callback = await outcome(sandbox, wait, logged_in, "pay")
    items = {item["Name"]: item.get("Value") for item in callback["CallbackMetadata"]["Item"]}
    assert callback["ResultCode"] == 0
    assert callback["CheckoutRequestID"] == checkout
    assert checkout.startswith("ws_CO_")
    assert checkout.endswith("712345678")
    assert items["Amount"] == 500
    assert items["PhoneNumber"] == 254712345678
    assert isinstance(items["TransactionDate"], int)
    assert {"Name": "Balance"} in callback["CallbackMetadata"]["Item"]
    assert sandbox.app.callbacks[-1][0] == "/hooks/abc/collect"
    status, told = await logged_in.query(checkout)
    assert (status, told["ResultCode"]) == (200, "0")
    assert "Amount" not in told


@pytest.mark.parametrize(("word", "code"), [("wrong_pin", 2001), ("no_funds", 1), ("cancel", 1032)])
async def test_what_the_person_does_not_pay_has_its_code_and_no_metadata(
    sandbox, wait, logged_in, word, code
):
    checkout, callback = await outcome(sandbox, wait, logged_in, word)
    assert callback["ResultCode"] == code
    assert "CallbackMetadata" not in callback
    assert (await logged_in.query(checkout))[1]["ResultCode"] == str(code)


async def test_a_prompt_that_is_asking_is_told_in_both_ways(logged_in):
    _, accepted = await logged_in.push()
    first = await logged_in.query(accepted["CheckoutRequestID"])
    second = await logged_in.query(accepted["CheckoutRequestID"])
    assert (first[0], first[1]["errorCode"]) == (500, "500.001.1001")
    assert (second[0], second[1]["ResultCode"]) == (200, "4999")


async def test_one_phone_has_one_prompt_at_a_time(sandbox, wait, logged_in):
    _, accepted = await logged_in.push()
    status, told = await logged_in.push()
    assert (status, told["errorCode"]) == (500, "500.001.1001")
    assert told["errorMessage"].startswith("Unable to lock subscriber")
    assert (await logged_in.push(PhoneNumber="254733222111"))[0] == 200
    await sandbox.act(f"prompts/{accepted['CheckoutRequestID']}", outcome="cancel")
    assert (await logged_in.push())[0] == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Password": "wrong"}, "500.001.1001"),
        ({"BusinessShortCode": "111111"}, "500.001.1001"),
        ({"Timestamp": "20261324120000"}, "400.002.02"),
        ({"Timestamp": "2026-11-24"}, "400.002.02"),
        ({"TransactionType": "Pay"}, "400.002.02"),
        ({"PartyB": "999999"}, "400.002.02"),
        ({"Amount": "0"}, "400.002.02"),
        ({"Amount": "250001"}, "400.002.02"),
        ({"Amount": "10.5"}, "400.002.02"),
        ({"Amount": 10.0}, "400.002.02"),
        ({"Amount": True}, "400.002.02"),
        ({"Amount": "-5"}, "400.002.02"),
        ({"PhoneNumber": "+254712345678"}, "400.002.02"),
        ({"PhoneNumber": "254812345678"}, "400.002.02"),
        ({"PartyA": "0712345678"}, "400.002.02"),
        ({"AccountReference": "x" * 13}, "400.002.02"),
        ({"AccountReference": ""}, "400.002.02"),
        ({"TransactionDesc": "x" * 14}, "400.002.02"),
        ({"TransactionDesc": ""}, "400.002.02"),
        ({"CallBackURL": "ftp://127.0.0.1/x"}, "400.002.02"),
        ({"CallBackURL": "http://127.0.0.1/mpesa/x"}, "400.002.02"),
        ({"CallBackURL": "http://127.0.0.1/x?QUERY=1"}, "400.002.02"),
        ({"CallBackURL": None}, "400.002.02"),
    ],
)
async def test_what_daraja_would_refuse_is_refused_and_rings_no_phone(sandbox, logged_in, changes, code):
    status, told = await logged_in.push(**changes)
    assert (status, told["errorCode"]) == (int(code[:3]), code), told
    assert (await sandbox.look("prompts"))["prompts"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"Amount": 250_000, "BusinessShortCode": 174379, "PartyB": 174379},
        {"PhoneNumber": "254112345678", "PartyA": "254112345678"},
        {"AccountReference": "x" * 12, "TransactionDesc": "x" * 13},
    ],
)
async def test_what_is_at_the_limit_is_taken(logged_in, changes):
    status, told = await logged_in.push(**changes)
    assert (status, told["ResponseCode"]) == (200, "0")


async def test_a_prompt_is_seen_on_the_phone_that_holds_the_number(sandbox, logged_in):
    await logged_in.push(PhoneNumber="254733222111")
    await logged_in.push(PhoneNumber="254700000000")
    prompts = (await sandbox.look("prompts"))["prompts"]
    assert [prompt["phone"] for prompt in prompts] == ["juma", None]
    assert prompts[0]["merchant"] == "MAMA NJERI DUKA"
    assert (prompts[0]["amount"], prompts[0]["reference"]) == (500, "ORDER-12")


async def test_an_answered_prompt_cannot_be_answered_again(sandbox, wait, logged_in):
    checkout, _ = await outcome(sandbox, wait, logged_in, "cancel")
    status, _ = await sandbox.post(f"/control/prompts/{checkout}", {"outcome": "pay"})
    assert status == 409


@pytest.mark.parametrize("name", ["lost", "twice"])
async def test_a_callback_can_be_lost_or_doubled_while_the_query_knows(sandbox, wait, logged_in, name):
    await sandbox.arm("stk.callback", name)
    _, accepted = await logged_in.push()
    await sandbox.act(f"prompts/{accepted['CheckoutRequestID']}", outcome="pay")
    if name == "twice":
        await wait(lambda: len(sandbox.app.callbacks) == 2)
        assert sandbox.app.callbacks[0] == sandbox.app.callbacks[1]
    else:
        await asyncio.sleep(0.05)
        assert sandbox.app.callbacks == []
    assert (await logged_in.query(accepted["CheckoutRequestID"]))[1]["ResultCode"] == "0"


async def test_a_callback_can_be_late(sandbox, wait, logged_in):
    await sandbox.arm("stk.callback", "late", seconds=0.1)
    _, accepted = await logged_in.push()
    await sandbox.act(f"prompts/{accepted['CheckoutRequestID']}", outcome="pay")
    await asyncio.sleep(0.03)
    assert sandbox.app.callbacks == []
    await wait(lambda: len(sandbox.app.callbacks) == 1)


async def test_a_callback_can_come_before_the_answer(sandbox, logged_in):
    await sandbox.arm("stk.request", "callback_first")
    status, accepted = await logged_in.push()
    assert status == 200
    told = sandbox.app.callbacks[0][1]["Body"]["stkCallback"]
    assert told["CheckoutRequestID"] == accepted["CheckoutRequestID"]
    assert told["ResultCode"] == 0


async def test_an_accepted_prompt_can_be_answered_with_500_or_not_at_all(sandbox, logged_in):
    await sandbox.arm("stk.request", "500_after")
    assert (await logged_in.push())[0] == 500
    await sandbox.arm("stk.request", "drop")
    with pytest.raises(aiohttp.ClientError):
        await logged_in.push(PhoneNumber="254733222111")
    assert len((await sandbox.look("prompts"))["prompts"]) == 2


@pytest.mark.parametrize(
    ("fault", "status", "code"), [("500", 500, "500.003.1001"), ("busy", 500, "500.003.02")]
)
async def test_a_refused_prompt_rings_no_phone(sandbox, logged_in, fault, status, code):
    await sandbox.arm("stk.request", fault)
    got, told = await logged_in.push()
    assert (got, told["errorCode"]) == (status, code)
    assert (await sandbox.look("prompts"))["prompts"] == []


async def test_the_spike_arrest_has_the_gateways_own_shape(sandbox, logged_in):
    await sandbox.arm("stk.request", "spike")
    _, told = await logged_in.push()
    assert told["fault"]["detail"]["errorcode"] == "policies.ratelimit.SpikeArrestViolation"


async def test_prompts_can_answer_themselves(sandbox, wait, logged_in):
    await sandbox.arm("stk.outcome", "no_funds")
    await logged_in.push()
    await wait(lambda: sandbox.app.callbacks)
    assert sandbox.app.callbacks[0][1]["Body"]["stkCallback"]["ResultCode"] == 1


class TestAnImpatientPhone:
    @pytest.fixture
    def world(self, world):
        return replace(world, prompt_timeout=0.1)

    async def test_an_ignored_prompt_ends_with_1037(self, sandbox, wait, logged_in):
        checkout, callback = await outcome(sandbox, wait, logged_in, "ignore")
        assert callback["ResultCode"] == 1037
        assert (await logged_in.query(checkout))[1]["ResultCode"] == "1037"

    async def test_a_prompt_that_was_not_reached_can_still_be_paid(self, sandbox, wait, logged_in):
        checkout, _ = await outcome(sandbox, wait, logged_in, "ignore")
        await sandbox.act(f"prompts/{checkout}", outcome="pay")
        await wait(lambda: len(sandbox.app.callbacks) == 2)
        callback = sandbox.app.callbacks[1][1]["Body"]["stkCallback"]
        assert (callback["CheckoutRequestID"], callback["ResultCode"]) == (checkout, 0)
        assert (await logged_in.query(checkout))[1]["ResultCode"] == "0"
