"""What an account at M-Pesa holds, as its result tells it."""

import json

import pytest

from services.money import Money
from services.providers.base import Pending, Succeeded
from services.providers.daraja_callbacks import read

# As Safaricom's page has it, with a part of Working reserved.
TOLD = (
    "Working Account|KES|346568.83|6186.83|340382.00|0.00&Float Account|KES|0.00|0.00|0.00|0.00"
    "&Utility Account|KES|228037.00|228037.00|0.00|0.00&Charges Paid Account|KES|-1540.00|-1540.00|0.00|0.00"
)


def result(balance=TOLD, code="0"):
    items = [{"Key": "AccountBalance", "Value": balance}, {"Key": "BOCompletedTime", "Value": 20200109125710}]
    told = {
        "ResultType": "0",
        "ResultCode": code,
        "ResultDesc": "The service request is processed successfully",
        "OriginatorConversationID": "16917-22577599-3",
        "ConversationID": "AG_20200206_00005e091a8ec6b9eac5",
        "ResultParameters": {"ResultParameter": items if code == "0" else []},
    }
    return read("float", json.dumps({"Result": told}).encode())


def test_what_is_free_counts_for_the_way_that_leaves_from_it():
    report = result()
    assert (report.about, report.word) == ("float", Succeeded())
    assert report.facts["floats"] == {"till": Money(6_186_83, "KES"), "mpesa": Money(228_037_00, "KES")}


@pytest.mark.parametrize(
    ("balance", "floats"),
    [
        ("Utility Account|KES|0.00|0.00|0.00|0.00", {"mpesa": Money(0, "KES")}),
        ("Utility Account|KES|-5.00|-5.5|0|0&Working Account|USD|1|1|0|0", {"mpesa": Money(-5_50, "KES")}),
        ("utility account |KES|7|7", {"mpesa": Money(7_00, "KES")}),
    ],
)
def test_nothing_and_less_than_nothing_are_known_too(balance, floats):
    assert result(balance).facts["floats"] == floats


@pytest.mark.parametrize(
    "balance",
    [
        "",
        "Utility Account",
        "Utility Account|KES|5",
        "Utility Account|KES|5|NaN|0|0",
        "&&|||",
        5,
        None,
        ["x"],
    ],
)
def test_what_cannot_be_read_is_not_known(balance):
    report = result(balance)
    assert isinstance(report.word, Pending)
    assert report.facts["floats"] == {}


def test_a_question_that_failed_tells_nothing():
    report = result(code="2001")
    assert isinstance(report.word, Pending)
    assert "floats" not in report.facts
