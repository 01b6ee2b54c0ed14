"""Answers over real HTTP: each way that a request may end, and the token that all of them need."""

import asyncio
import dataclasses
import socket

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from services.news import Unpaid
from services.providers import daraja_calls
from services.providers.base import Accepted, Misconfigured, NotSent, Refused, Unknown
from services.providers.daraja_client import Daraja
from tests.services.providers.conftest import PAID_OUT, PROMPTED
from tests.services.providers.stub_daraja import (
    PAYOUT,
    PROMPT,
    PROMPT_QUERY,
    drops,
    recorded,
    says,
    says_raw,
    sends_half,
)

INVALID_TOKEN = says("error_invalid_access_token", 404)
FAULT = {"fault": {"faultstring": "Invalid API call as no apiproduct match found"}}
NO_PRODUCT = FAULT["fault"] | {
    "detail": {"errorcode": "keymanagement.service.InvalidAPICallAsNoApiProductMatchFound"}
}
DEAD_TOKEN = {
    "fault": {
        "faultstring": "Access Token expired",
        "detail": {"errorcode": "keymanagement.service.access_token_expired"},
    }
}


def error(code, message):
    return {"requestId": "1-2-3", "errorCode": code, "errorMessage": message}


BOTH = {
    # what may have been queued
    "drop": (drops, Unknown),
    "half a body": (sends_half, Unknown),
    "half a json": (says_raw(b'{"ResponseCode": "0", '), Unknown),
    "no object": (says_raw(b'["0"]'), Unknown),
    "empty": (says_raw(b""), Unknown),
    "bad gateway": (says_raw(b"<html>", 502), Unknown),
    "redirect": (says_raw(b"", 302), Unknown),
    "forbidden page": (says_raw(b"<html>", 403), Unknown),
    "no code at all": (says({"ok": True}), Unknown),
    "error with a good status": (says("error_invalid_shortcode", 200), Unknown),
    "accepted with a bad status": (says({"ResponseCode": "0"}, 500), Unknown),
    "system internal": (says("error_payout_system_internal", 500), Unknown),
    "internal server error": (says(error("500.003.1001", "Internal Server Error"), 500), Unknown),
    "busy": (says("error_system_busy", 500), Unknown),
    "request timeout": (says(error("408.000.00", "Timeout"), 408), Unknown),
    "unheard 500.001.1001": (says(error("500.001.1001", "Something else"), 500), Unknown),
    "odd types": (says({"errorCode": {}, "errorMessage": 7, "fault": [], "ResponseCode": []}, 500), Unknown),
    # what the gateway turned away
    "spike": (says("error_spike_arrest", 500), NotSent),
    "quota": (says("error_quota", 500), NotSent),
    "gateway fault": (says("error_gateway_fault", 500), NotSent),
    "429": (says("error_gateway_fault", 429), NotSent),
    "429 empty": (says_raw(b"", 429), NotSent),
    # what our settings are to blame for
    "no merchant": (says(error("500.001.1001", "Merchant does not exist"), 500), Misconfigured),
    "wrong credentials": (says("error_wrong_credentials", 500), Misconfigured),
    "no product": (says({"fault": NO_PRODUCT}, 401), Misconfigured),
    "not allowed": (says(error("403.001.01", "Forbidden"), 403), Misconfigured),
    "no resource": (says(error("404.001.01", "Resource not found"), 404), Misconfigured),
    "no method": (says(error("405.001", "Method Not Allowed"), 405), Misconfigured),
    # what was looked at and refused
    "lock": (says("error_lock_subscriber", 500), Refused),
    "invalid payload": (says(error("400.002.05", "Invalid Request Payload"), 400), Refused),
    "response code": (says({"ResponseCode": "1"}), Refused),
}


@pytest.mark.parametrize(("answer", "meaning"), BOTH.values(), ids=BOTH.keys())
async def test_an_answer_means_the_same_to_prompts_and_payouts(rig, answer, meaning):
    rig.stub.will(PROMPT, answer)
    rig.stub.will(PAYOUT, answer)
    assert isinstance(await rig.mpesa.prompt(PROMPTED), meaning)
    assert isinstance(await rig.mpesa.pay_out(PAID_OUT), meaning)
    assert len(rig.stub.asked[PROMPT]) == len(rig.stub.asked[PAYOUT]) == 1  # never sent again by itself


@pytest.mark.parametrize(
    ("field", "meaning"),
    [
        ("BusinessShortCode", Misconfigured),
        ("CallBackURL", Misconfigured),
        ("PartyB", Misconfigured),
        ("PhoneNumber", Refused),
        ("Amount", Refused),
    ],
)
async def test_a_wrong_setting_is_ours_and_a_wrong_phone_is_not(rig, field, meaning):
    rig.stub.will(PROMPT, says(error("400.002.02", f"Bad Request - Invalid {field}"), 400))
    assert isinstance(await rig.mpesa.prompt(PROMPTED), meaning)


@pytest.mark.parametrize("name", ["error_invalid_callbackurl", "error_invalid_shortcode"])
async def test_the_recorded_refusals_are_ours(rig, name):
    rig.stub.will(PROMPT, says(name, 400))
    answer = await rig.mpesa.prompt(PROMPTED)
    assert isinstance(answer, Misconfigured)
    assert recorded(name)["errorMessage"] in answer.detail


async def test_a_locked_subscriber_is_busy(rig):
    rig.stub.will(PROMPT, says("error_lock_subscriber", 500))
    answer = await rig.mpesa.prompt(PROMPTED)
    assert isinstance(answer, Refused)
    assert answer.because is Unpaid.BUSY


async def test_a_phone_in_their_words_is_not_in_the_detail(rig):
    rig.stub.will(PROMPT, says(error("400.002.02", "Bad Request - Invalid PhoneNumber 254722111111\n"), 400))
    answer = await rig.mpesa.prompt(PROMPTED)
    assert isinstance(answer, Refused)
    assert answer.because is Unpaid.UNREACHABLE
    assert answer.detail == "HTTP 400, 400.002.02 Bad Request - Invalid PhoneNumber ************"


async def test_no_answer_in_time_is_unknown(rig):
    async def waits(request):
        await asyncio.sleep(0.5)
        return web.json_response(recorded("prompt_accept"))

    for path in (PROMPT, PAYOUT, PROMPT_QUERY):
        rig.stub.will(path, waits)
    hasty = rig.make(total=0.1)
    assert isinstance(await hasty.prompt(PROMPTED), Unknown)
    assert isinstance(await hasty.pay_out(PAID_OUT), Unknown)
    assert isinstance(await hasty.check("ws"), Unknown)


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_a_refused_connection_sent_nothing(rig):
    rig.tokens.token = "known"
    nowhere = rig.make(url=f"http://127.0.0.1:{closed_port()}")
    assert isinstance(await nowhere.prompt(PROMPTED), NotSent)
    assert isinstance(await nowhere.pay_out(PAID_OUT), NotSent)
    assert isinstance(await nowhere.check("ws"), NotSent)


async def test_a_refused_connection_for_the_token_sent_nothing(rig):
    nowhere = rig.make(url=f"http://127.0.0.1:{closed_port()}")
    assert isinstance(await nowhere.prompt(PROMPTED), NotSent)


# --- the token ---------------------------------------------------------------------------------------


async def test_one_token_serves_many_requests(rig):
    rig.stub.will(PROMPT, says("prompt_accept"))
    rig.stub.will(PAYOUT, says("payout_accept"))
    await rig.mpesa.prompt(PROMPTED)
    await rig.mpesa.pay_out(PAID_OUT)
    assert rig.stub.tokens_given == 1
    assert rig.tokens.seconds == 3599


@pytest.mark.parametrize(
    "refusal",
    [
        INVALID_TOKEN,
        says(error("401.002.01", "Error Occurred - Invalid Access Token - abc"), 401),
        says(error("400.003.01", "Invalid Access Token"), 400),
        says(DEAD_TOKEN, 401),
    ],
)
async def test_a_token_killed_midway_is_replaced_once_and_the_request_repeated_once(rig, refusal):
    rig.stub.will(PAYOUT, says("payout_accept"), refusal, says("payout_accept"))
    assert isinstance(await rig.mpesa.pay_out(PAID_OUT), Accepted)
    again = dataclasses.replace(PAID_OUT, remarks="second")
    assert isinstance(await rig.mpesa.pay_out(again), Accepted)
    assert rig.stub.authorizations == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]
    assert rig.tokens.dropped == ["token-1"]
    first, second = rig.stub.asked[PAYOUT][1:]
    assert first["OriginatorConversationID"] == second["OriginatorConversationID"]


async def test_a_fresh_token_that_is_refused_too_ends_it(rig):
    rig.stub.will(PROMPT, INVALID_TOKEN)
    assert isinstance(await rig.mpesa.prompt(PROMPTED), NotSent)
    assert rig.stub.authorizations == ["Bearer token-1", "Bearer token-2"]
    assert rig.stub.tokens_given == 2


async def test_a_drop_after_the_repeated_request_is_unknown(rig):
    rig.stub.will(PAYOUT, INVALID_TOKEN, drops)
    assert isinstance(await rig.mpesa.pay_out(PAID_OUT), Unknown)
    assert len(rig.stub.asked[PAYOUT]) == 2


@pytest.mark.parametrize(
    "answer",
    [
        says_raw(b"", 400),
        says(error("400.008.01", "Invalid Authentication passed"), 400),
        says_raw(b"", 401),
    ],
)
async def test_wrong_keys_are_misconfigured(rig, answer):
    rig.stub.will("token", answer)
    answer = await rig.mpesa.prompt(PROMPTED)
    assert isinstance(answer, Misconfigured)
    assert "consumer_key" in answer.detail
    assert "the-consumer" not in answer.detail
    assert not rig.stub.asked


@pytest.mark.parametrize(
    "answer",
    [
        says_raw(b"", 500),
        says_raw(b"", 429),
        says_raw(b"<html>", 403),
        says({"access_token": "", "expires_in": "3599"}),
        says({"access_token": "x", "expires_in": None}),
        says_raw(b"not json"),
        drops,
    ],
)
async def test_without_a_token_nothing_is_sent(rig, answer):
    rig.stub.will("token", answer)
    assert isinstance(await rig.mpesa.prompt(PROMPTED), NotSent)
    assert not rig.stub.asked


class NoTokens:
    """Those of a database that is away, or of a queue of others who ask in vain."""

    def __init__(self, get):
        self._get = get

    async def get(self, fetch):
        await self._get()

    async def drop(self, token):
        await self._get()

    def beside(self, name):
        return self


async def breaks():
    raise ConnectionResetError


async def hangs():
    await asyncio.Event().wait()


@pytest.mark.parametrize("get", [breaks, hangs])
async def test_a_token_that_cannot_be_had_sends_nothing_and_is_waited_for_briefly(get):
    keys = (SecretStr("key"), SecretStr("secret"))
    async with aiohttp.ClientSession() as http:
        daraja = Daraja(keys, http, "http://127.0.0.1:9", NoTokens(get), token_wait=0.05)
        assert isinstance(await daraja.post(daraja_calls.PAYOUT, {}), NotSent)
        assert isinstance(await daraja.prove_keys(), NotSent)


async def test_a_tokens_life_is_a_number_or_a_string(rig):
    rig.stub.will("token", says({"access_token": "a", "expires_in": 3599}))
    rig.stub.will(PROMPT, says("prompt_accept"))
    await rig.mpesa.prompt(PROMPTED)
    assert (rig.tokens.token, rig.tokens.seconds) == ("a", 3599)
    rig.tokens.token = None
    rig.stub.will("token", says("oauth_token"))
    await rig.mpesa.prompt(PROMPTED)
    assert (rig.tokens.token, rig.tokens.seconds) == (recorded("oauth_token")["access_token"], 3599)
