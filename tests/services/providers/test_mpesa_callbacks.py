"""Callbacks: recorded bodies, each code, and whatever else may be posted to an open address."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.money import Money
from services.news import Unpaid
from services.providers.base import Failed, Pending, Report, Succeeded, Unreadable
from services.providers.daraja_callbacks import read
from services.providers.daraja_codes import PAYOUT_FAILURES, PROMPT_FAILURES
from tests.services.providers.stub_daraja import raw, recorded

ABOUT = ["collect", "payout", "payout_timeout", "query", "query_timeout", "paid_query"]
READ_AS = {"paid_query": "collect"}


def told(body):
    return json.dumps(body).encode()


def callback(code, *items, **more):
    """A prompt's callback with these items."""
    ids = {"MerchantRequestID": "29115-34620561-1", "CheckoutRequestID": "ws_CO_191220191020363925"}
    stk = ids | {"ResultCode": code, "ResultDesc": "said"} | more
    if items:
        stk["CallbackMetadata"] = {"Item": list(items)}
    return told({"Body": {"stkCallback": stk}})


def item(name, *value):
    return {"Name": name} | ({"Value": value[0]} if value else {})


def payout(code, parameters=None, **more):
    result = {
        "ResultCode": code,
        "ResultDesc": "said",
        "OriginatorConversationID": "ours",
        "ConversationID": "AG_1",
        "TransactionID": "SG722NMVXQ",
    }
    if parameters is not None:
        items = [{"Key": key, "Value": value} for key, value in parameters.items()]
        result["ResultParameters"] = {"ResultParameter": items}
    return told({"Result": result | more})


# --- what was recorded -------------------------------------------------------------------------------


def test_a_prompt_that_was_paid():
    report = read("collect", raw("prompt_callback_success"))
    assert report == Report(
        "collect",
        frozenset({"29115-34620561-1", "ws_CO_191220191020363925"}),
        Succeeded("NLJ7RT61SV", Money(1_00, "KES")),
        {"reference": "ws_CO_191220191020363925", "completed_at": "20191219102115"},
    )


def test_a_prompt_that_was_cancelled():
    report = read("collect", raw("prompt_callback_cancelled_1032"))
    assert report.word == Failed(Unpaid.CANCELLED, "1032 Request cancelled by user")
    assert report.facts == {"reference": "ws_CO_21072024125243250722943992"}


def test_a_payout_that_was_paid():
    assert read("payout", raw("payout_result_success")) == Report(
        "payout",
        frozenset({"53e3-4aa8-9fe0-8fb5e4092cdd3533373", "AG_20240706_2010364430d9bbdaf872"}),
        Succeeded("SG632NMUAB", Money(10_00, "KES")),
        {
            "reference": "53e3-4aa8-9fe0-8fb5e4092cdd3533373",
            "transaction_id": "SG632NMUAB",
            "completed_at": "06.07.2024 22:48:52",
            "utility_funds": Money(8_959_269_60, "KES"),
        },
    )


def test_a_payout_that_failed_for_our_initiator():
    report = read("payout", raw("payout_result_initiator_invalid_2001"))
    assert report.word == Failed(Unpaid.SHOP, "2001 The initiator information is invalid.", ours=True)
    named = {"reference": "53e3-4aa8-9fe0-8fb5e4092cdd3544366"}
    assert report.facts == named | {"transaction_id": "SG722NMVXQ"}  # and no receipt


def test_a_single_parameter_comes_without_a_list():
    report = read("payout", raw("result_single_parameter"))
    assert isinstance(report.word, Failed)
    assert report.references == {"12337-23509183-5", "AG_20200120_0000657265d5fa9ae5c0"}


def test_a_query_that_found_the_payout_completed():
    assert read("query", raw("status_result_completed")) == Report(
        "query",
        frozenset({"AG_20180223_0000493344ae97d86f75", "3213-416199-2"}),
        Succeeded("MBN31H462N", Money(300_00, "KES")),
        {
            "payout_references": frozenset({"3211-416020-3", "AG_20180223_000041b09c22e613d6c9"}),
            "completed_at": "20180223054112",
            "charge": Money(22_40, "KES"),
        },
    )


def test_references_stay_out_of_the_repr():
    assert "ws_CO" not in repr(read("collect", raw("prompt_callback_success")))


# --- prompts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "because"), PROMPT_FAILURES.items())
def test_each_code_of_a_prompt_as_number_and_as_string(code, because):
    for given_code in {code, int(code) if code.isdecimal() else code}:
        word = read("collect", callback(given_code)).word
        assert word == Failed(because, f"{code} said", ours=because is Unpaid.SHOP)


@pytest.mark.parametrize("code", ["4999", 77, "00", 0.0, -1, "R000002"])
def test_another_code_of_a_prompt_is_pending(code):
    word = read("collect", callback(code, item("Amount", 1), item("MpesaReceiptNumber", "R"))).word
    assert isinstance(word, Pending)
    assert word.unheard is (code != "4999")


@pytest.mark.parametrize(
    ("amount", "minor"),
    [
        (1, 1_00),
        (1.0, 1_00),
        ("1.00", 1_00),
        ("1.000", 1_00),
        (250000, 250_000_00),
        (0.1, 10),
        (1234.56, 1_234_56),
    ],
)
def test_an_amount_is_read_exactly(amount, minor):
    body = callback("0", item("Amount", amount), item("MpesaReceiptNumber", "NLJ7RT61SV"), item("Balance"))
    assert read("collect", body).word == Succeeded("NLJ7RT61SV", Money(minor, "KES"))


@pytest.mark.parametrize("amount", [None, "", "abc", -5, 0, 1.005, True, [], {}, "1,000", 10**30, 1e300])
def test_a_yes_whose_amount_cannot_be_read_credits_nothing(amount):
    word = read("collect", callback(0, item("Amount", amount), item("MpesaReceiptNumber", "R"))).word
    assert isinstance(word, Pending)
    assert word.unheard


def test_a_yes_without_items_credits_nothing():
    assert isinstance(read("collect", callback(0)).word, Pending)


def test_a_single_item_comes_without_a_list():
    body = callback(0, CallbackMetadata={"Item": item("Amount", 5)})
    assert read("collect", body).word == Succeeded(None, Money(5_00, "KES"))


@pytest.mark.parametrize("receipt", [None, "", "\0", "\ud800", "R" * 500, [], {"a": 1}])
def test_a_receipt_that_cannot_be_stored_is_none(receipt):
    body = callback(0, item("Amount", 5), item("MpesaReceiptNumber", receipt))
    assert read("collect", body).word == Succeeded(None, Money(5_00, "KES"))


def test_a_description_is_fit_for_logs():
    body = callback(1037, ResultDesc="254722111111 cannot\nbe reached \ud800\0" + "x" * 900)
    word = read("collect", body).word
    assert isinstance(word, Failed)
    assert word.detail.startswith("1037 ************ cannot be reached ?")
    assert word.detail.isprintable()
    assert len(word.detail) < 250


# --- payouts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "because"), PAYOUT_FAILURES.items())
def test_each_code_of_a_payout_as_number_and_as_string(code, because):
    for given_code in {code, int(code) if code.isdecimal() else code}:
        report = read("payout", payout(given_code))
        ours = because in {Unpaid.SHOP, Unpaid.INSUFFICIENT_FUNDS}
        assert report.word == Failed(because, f"{code} said", ours=ours)
        assert report.references == {"ours", "AG_1"}


@pytest.mark.parametrize("code", ["1", "21", "2001", "2006", "2028", "8006", "TP40153"])
def test_what_our_configuration_causes_is_ours(code):
    word = read("payout", payout(code)).word
    assert isinstance(word, Failed)
    assert word.ours


@pytest.mark.parametrize("code", ["77", 17, "1032", "E1"])
def test_a_payout_with_a_code_nobody_knows_is_pending(code):
    word = read("payout", payout(code)).word
    assert isinstance(word, Pending)
    assert word.unheard


def test_a_payout_without_parameters_is_paid_by_its_code():
    assert read("payout", payout(0)).word == Succeeded("SG722NMVXQ", None)


def test_a_payout_with_an_unreadable_amount_is_looked_into():
    word = read("payout", payout(0, {"TransactionAmount": "ten"})).word
    assert isinstance(word, Pending)
    assert word.unheard


def test_a_status_result_at_a_payouts_address_is_read_by_its_status():
    word = read("payout", payout(0, {"TransactionStatus": "Failed", "Amount": 10})).word
    assert isinstance(word, Failed)


@pytest.mark.parametrize("about", ["payout_timeout", "query_timeout"])
def test_a_timeout_decides_nothing_whatever_its_code(about):
    for code in ("0", 1, "2001"):
        report = read(about, payout(code))
        assert isinstance(report.word, Pending)
        assert report.references == {"ours", "AG_1"}


@pytest.mark.parametrize("body", [b"{}", b'{"Result": 7}', b'{"requestId": "1"}'])
def test_a_timeout_of_another_shape_is_still_one(body):
    assert read("payout_timeout", body).references == frozenset()


# --- queries -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["Cancelled", "Declined", "EXPIRED", "Failed", "rejected", "Reversed"])
def test_a_status_that_says_no(status):
    word = read("query", payout(0, {"TransactionStatus": status})).word
    assert word == Failed(Unpaid.PROVIDER, f"status {status.lower()}")


def test_a_status_that_says_that_it_came_back_says_how_much():
    word = read("query", payout(0, {"TransactionStatus": "Reversed", "Amount": 967})).word
    assert word == Failed(Unpaid.PROVIDER, "status reversed", returned=Money(967_00, "KES"))


@pytest.mark.parametrize(
    ("status", "unheard"),
    [("Initiated", False), ("Authorized", False), ("Odd", True), ("", True), (None, True)],
)
def test_a_status_that_decides_nothing(status, unheard):
    word = read("query", payout(0, {"TransactionStatus": status, "Amount": 1})).word
    assert isinstance(word, Pending)
    assert word.unheard is unheard


def test_a_query_without_a_status_decides_nothing():
    """A payout's own result, say."""
    word = read("query", payout(0, {"TransactionAmount": 10, "TransactionReceipt": "R"})).word
    assert isinstance(word, Pending)


@pytest.mark.parametrize(("code", "ours"), [("R000002", False), (1, False), (2001, True), ("21", True)])
def test_a_query_that_failed_says_nothing_of_the_payout(code, ours):
    word = read("query", payout(code, {"TransactionStatus": "Completed", "Amount": 10})).word
    assert isinstance(word, Pending)
    assert word.ours is ours


def test_a_status_that_says_yes_of_an_unreadable_amount_is_looked_into():
    word = read("query", payout(0, {"TransactionStatus": "Completed", "Amount": "x"})).word
    assert isinstance(word, Pending)
    assert word.unheard


# --- anything ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("about", ABOUT)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff",
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b'{"Result": {"ResultCode"',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e99999999999999999999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=range(13),
)
def test_what_is_no_json_object_is_unreadable(about, body):
    with pytest.raises(Unreadable):
        read(about, body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"Body": None},
        {"Body": {"stkCallback": []}},
        {"Body": {"stkCallback": {"ResultCode": 0}}},
        {"Body": {"stkCallback": {"CheckoutRequestID": "ws"}}},
        {"Body": {"stkCallback": {"CheckoutRequestID": "ws", "ResultCode": True}}},
        {"Result": {"ResultCode": 0}},
        {"Result": {"ConversationID": "AG_1"}},
        {"Result": {"ConversationID": "AG_1", "ResultCode": None}},
        {"Result": {"ConversationID": ["AG_1"], "ResultCode": 0}},
    ],
)
@pytest.mark.parametrize("about", ["collect", "payout", "query"])
def test_half_a_callback_is_unreadable(about, body):
    with pytest.raises(Unreadable):
        read(about, told(body))


def asked_about(status, **more):
    parameters = {"TransactionStatus": status, "ReceiptNo": "UKH0000001", "Amount": "500.00"}
    return read("paid_query", payout("0", {**parameters, **more}))


def test_a_payment_that_was_made_is_known_by_its_receipt_and_amount():
    yes = Succeeded("UKH0000001", Money(500_00, "KES"))
    assert asked_about("Completed") == Report("collect", frozenset({"UKH0000001"}), yes)


@pytest.mark.parametrize(
    ("status", "more", "word"),
    [
        ("Declined", {}, Failed),
        ("Reversed", {}, Failed),
        ("Authorized", {}, Pending),
        ("Completed", {"Amount": "much"}, Pending),
        ("", {}, Pending),
    ],
)
def test_a_payment_that_was_not_made_or_not_yet(status, more, word):
    assert isinstance(asked_about(status, **more).word, word)


@pytest.mark.parametrize(("code", "ours"), [("2001", True), ("R000002", False)])
def test_a_question_about_a_payment_that_failed_says_nothing_of_it(code, ours):
    report = read("paid_query", payout(code))
    assert isinstance(report.word, Pending)
    assert report.word.ours is ours


def test_nothing_is_read_about_something_else():
    with pytest.raises(Unreadable):
        read("dispute", told(recorded("payout_result_success")))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
CODES = st.sampled_from([0, "0", 1, "1032", 2001, "4999", 0.0, True, None, "SFC_IC0003"])
KEYS = st.sampled_from(
    [
        "Amount",
        "TransactionAmount",
        "MpesaReceiptNumber",
        "TransactionStatus",
        "ReceiptNo",
        "DebitPartyCharges",
    ]
)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=5), SCALARS, max_size=3)
ITEMS = st.fixed_dictionaries({}, optional={"Name": KEYS | VALUES, "Key": KEYS | VALUES, "Value": VALUES})
MANY = st.lists(ITEMS | VALUES, max_size=4) | ITEMS | VALUES
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "ResultCode": CODES | VALUES,
        "ResultDesc": VALUES,
        "CheckoutRequestID": VALUES,
        "OriginatorConversationID": VALUES,
        "ConversationID": st.just("AG_1") | VALUES,
        "TransactionID": VALUES,
        "CallbackMetadata": st.fixed_dictionaries({"Item": MANY}) | VALUES,
        "ResultParameters": st.fixed_dictionaries({"ResultParameter": MANY}) | VALUES,
    },
)
BODIES = st.one_of(
    FIELDS.map(lambda fields: {"Body": {"stkCallback": fields}}),
    FIELDS.map(lambda fields: {"Result": fields}),
)


@given(st.sampled_from(ABOUT), st.binary(max_size=200) | BODIES.map(told))
def test_whatever_is_posted_is_a_report_or_unreadable(about, body):
    try:
        report = read(about, body)
    except Unreadable:
        return
    assert report.about == READ_AS.get(about, about)
    assert all(reference.isascii() for reference in report.references)
    if isinstance(report.word, Succeeded) and report.about == "collect":
        assert report.word.amount is not None


@given(st.sampled_from(ABOUT), st.data())
def test_a_recorded_body_cut_anywhere_is_unreadable(about, data):
    body = raw(data.draw(st.sampled_from(["prompt_callback_success", "payout_result_success"]))).strip()
    with pytest.raises(Unreadable):
        read(about, body[: data.draw(st.integers(0, len(body) - 1))])
