"""Prompts: what goes over the wire, and what each answer to it means."""

import dataclasses

import pytest

from services.money import Money
from services.news import Unpaid
from services.providers.base import (
    Accepted,
    Failed,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Succeeded,
    Unknown,
)
from services.providers.daraja_codes import PROMPT_FAILURES
from services.providers.mpesa_settings import MpesaSettings
from tests.services.providers.conftest import PASSKEY, PROMPTED, SECRETS, basic
from tests.services.providers.stub_daraja import (
    PROMPT,
    PROMPT_QUERY,
    drops,
    recorded,
    says,
    says_raw,
    sends_half,
)

CHECKOUT = "ws_CO_13012021093521236557"  # of the recorded answers to queries


async def test_a_prompt_to_a_paybill_is_wire_exact(rig):
    rig.stub.will(PROMPT, says("prompt_accept"))
    await rig.mpesa.prompt(PROMPTED)
    documented = recorded("prompt_request")
    assert rig.stub.asked[PROMPT] == [
        documented
        | {
            "BusinessShortCode": "174379",  # the page shows a number here and a string in the query
            "PartyA": "254722111111",
            "CallBackURL": "https://pay.example/hooks/ab12",
            "TransactionDesc": "Payment",
        }
    ]
    assert rig.stub.authorizations == ["Bearer token-1"]
    assert rig.stub.basic == [basic(*SECRETS.values())]


async def test_the_documented_password_is_reproduced(rig):
    rig.stub.will(PROMPT, says("prompt_accept"))
    await rig.mpesa.prompt(PROMPTED)
    asked = rig.stub.asked[PROMPT][0]
    documented = recorded("prompt_request")
    assert (asked["Password"], asked["Timestamp"]) == (documented["Password"], documented["Timestamp"])


async def test_a_prompt_to_a_till_names_the_till_as_receiver(rig):
    till = MpesaSettings.model_validate(
        SECRETS | {"shortcode": "7001001", "till": "5544332", "passkey": PASSKEY}
    )
    rig.stub.will(PROMPT, says("prompt_accept"))
    await rig.make(settings=till).prompt(PROMPTED)
    asked = rig.stub.asked[PROMPT][0]
    assert asked["TransactionType"] == "CustomerBuyGoodsOnline"
    assert (asked["BusinessShortCode"], asked["PartyB"]) == ("7001001", "5544332")


async def test_the_customer_reads_at_most_twelve_characters_of_reference(rig):
    rig.stub.will(PROMPT, says("prompt_accept"))
    await rig.mpesa.prompt(dataclasses.replace(PROMPTED, reference="ORDER-2026-000123"))
    assert rig.stub.asked[PROMPT][0]["AccountReference"] == "ORDER-2026-0"


async def test_an_accepted_prompt_is_known_by_both_ids(rig):
    rig.stub.will(PROMPT, says("prompt_accept"))
    assert await rig.mpesa.prompt(PROMPTED) == Accepted(
        "ws_CO_1007202409152617172396192", "2654-4b64-97ff-b827b542881d3130"
    )


async def test_neither_phone_nor_checkout_id_nor_address_is_in_a_repr(rig):
    rig.stub.will(PROMPT, says("prompt_accept"))
    answer = await rig.mpesa.prompt(PROMPTED)
    shown = repr(answer) + repr(PROMPTED)
    assert not any(secret in shown for secret in ("254722111111", "ws_CO", "hooks"))


@pytest.mark.parametrize("code", [0, "0"])
async def test_acceptance_is_a_zero_of_either_type(rig, code):
    rig.stub.will(PROMPT, says(recorded("prompt_accept") | {"ResponseCode": code}))
    assert isinstance(await rig.mpesa.prompt(PROMPTED), Accepted)


async def test_acceptance_without_an_id_to_ask_by_is_unknown(rig):
    rig.stub.will(PROMPT, says({"ResponseCode": "0"}))
    assert isinstance(await rig.mpesa.prompt(PROMPTED), Unknown)


async def test_another_response_code_is_a_no(rig):
    rig.stub.will(PROMPT, says({"ResponseCode": "1", "ResponseDescription": "Declined"}))
    assert await rig.mpesa.prompt(PROMPTED) == Refused(Unpaid.PROVIDER, "HTTP 200, Declined")


@pytest.mark.parametrize("cents", [0, 50, 1_50, 250_001_00])
async def test_an_amount_that_the_rail_does_not_take_is_kept_off_the_wire(rig, cents):
    answer = await rig.mpesa.prompt(dataclasses.replace(PROMPTED, amount=Money(cents, "KES")))
    assert isinstance(answer, Refused)
    assert answer.because is Unpaid.LIMIT
    assert not rig.stub.asked


async def test_the_most_that_the_rail_takes_is_sent_without_cents(rig):
    rig.stub.will(PROMPT, says("prompt_accept"))
    await rig.mpesa.prompt(dataclasses.replace(PROMPTED, amount=Money(250_000_00, "KES")))
    assert rig.stub.asked[PROMPT][0]["Amount"] == "250000"


@pytest.mark.parametrize("phone", ["254722111111", "+256772123456", "+2547221111111", ""])
async def test_a_phone_that_m_pesa_does_not_reach_is_kept_off_the_wire(rig, phone):
    answer = await rig.mpesa.prompt(dataclasses.replace(PROMPTED, phone=phone))
    assert isinstance(answer, Refused)
    assert answer.because is Unpaid.UNREACHABLE
    assert not rig.stub.asked


async def test_without_a_passkey_nothing_is_sent(rig):
    bare = MpesaSettings.model_validate(SECRETS | {"shortcode": "174379"})
    answer = await rig.make(settings=bare).prompt(PROMPTED)
    assert answer == Misconfigured("missing in the settings: passkey")
    assert await rig.make(settings=bare).check("ws") == Pending("missing in the settings: passkey", ours=True)


# --- the query ---------------------------------------------------------------------------------------


async def test_a_query_is_wire_exact(rig):
    rig.stub.will(PROMPT_QUERY, says("prompt_query_success"))
    await rig.mpesa.check(CHECKOUT)
    assert rig.stub.asked[PROMPT_QUERY] == [
        {
            "BusinessShortCode": "174379",
            "Password": recorded("prompt_request")["Password"],
            "Timestamp": "20210628092408",
            "CheckoutRequestID": CHECKOUT,
        }
    ]
    assert rig.stub.asked[PROMPT_QUERY][0].keys() == recorded("prompt_query_request").keys()


async def test_a_query_that_says_paid_knows_no_receipt(rig):
    rig.stub.will(PROMPT_QUERY, says("prompt_query_success"))
    assert await rig.mpesa.check(CHECKOUT) == Succeeded()


async def test_a_query_tells_of_a_cancelled_prompt(rig):
    rig.stub.will(PROMPT_QUERY, says("prompt_query_cancelled_1032"))
    assert await rig.mpesa.check(CHECKOUT) == Failed(Unpaid.CANCELLED, "1032 Request cancelled by user")


@pytest.mark.parametrize(("code", "because"), PROMPT_FAILURES.items())
@pytest.mark.parametrize("as_type", [str, int])
async def test_each_code_of_the_table_is_a_failure_by_query(rig, code, because, as_type):
    told = as_type(code) if code.isdecimal() else code
    rig.stub.will(PROMPT_QUERY, says(recorded("prompt_query_cancelled_1032") | {"ResultCode": told}))
    word = await rig.mpesa.check(CHECKOUT)
    assert isinstance(word, Failed)
    assert (word.because, word.ours) == (because, because is Unpaid.SHOP)


async def test_both_ways_to_say_not_yet_are_pending_and_heard(rig):
    in_progress = {"errorCode": "500.001.1001", "errorMessage": "The transaction is being processed"}
    rig.stub.will(
        PROMPT_QUERY,
        says(in_progress, 500),
        says(recorded("prompt_query_success") | {"ResultCode": "4999"}),
    )
    for _ in range(2):
        word = await rig.mpesa.check(CHECKOUT)
        assert isinstance(word, Pending)
        assert not word.unheard


@pytest.mark.parametrize("code", ["77", 12345, "SFC_NEW", "00", "0.0", "-1"])
async def test_a_code_that_nobody_knows_is_pending_and_alerted(rig, code):
    rig.stub.will(PROMPT_QUERY, says(recorded("prompt_query_success") | {"ResultCode": code}))
    word = await rig.mpesa.check(CHECKOUT)
    assert isinstance(word, Pending)
    assert word.unheard


@pytest.mark.parametrize("code", [None, True, [], {}, ""])
async def test_an_answer_without_a_result_code_is_pending(rig, code):
    rig.stub.will(PROMPT_QUERY, says(recorded("prompt_query_success") | {"ResultCode": code}))
    assert isinstance(await rig.mpesa.check(CHECKOUT), Pending)


async def test_an_answer_about_another_prompt_is_no_word_on_this_one(rig):
    rig.stub.will(PROMPT_QUERY, says("prompt_query_success"))
    word = await rig.mpesa.check("ws_CO_another")
    assert isinstance(word, Pending)
    assert word.unheard


@pytest.mark.parametrize(
    "answer",
    [
        says("error_spike_arrest", 500),
        says("error_gateway_fault", 429),
        says("error_quota", 500),
        says("error_system_busy", 500),
    ],
)
async def test_a_query_that_is_turned_away_is_pending(rig, answer):
    rig.stub.will(PROMPT_QUERY, answer)
    word = await rig.mpesa.check(CHECKOUT)
    assert isinstance(word, Pending)
    assert not word.unheard
    assert not word.ours


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (says_raw(b"", 429), NotSent),
        (says_raw(b"<html>", 503), Unknown),
        (drops, Unknown),
        (sends_half, Unknown),
    ],
)
async def test_a_query_that_is_not_answered_is_told_as_such(rig, answer, said):
    rig.stub.will(PROMPT_QUERY, answer)
    assert isinstance(await rig.mpesa.check(CHECKOUT), said)


async def test_a_query_refused_for_our_settings_is_pending_and_alerted(rig):
    rig.stub.will(PROMPT_QUERY, says("error_wrong_credentials", 500))
    word = await rig.mpesa.check(CHECKOUT)
    assert isinstance(word, Pending)
    assert word.ours


async def test_a_query_refused_for_a_reason_nobody_knows_is_alerted(rig):
    rig.stub.will(PROMPT_QUERY, says({"errorCode": "400.002.77", "errorMessage": "Hm"}, 400))
    word = await rig.mpesa.check(CHECKOUT)
    assert isinstance(word, Pending)
    assert word.unheard
