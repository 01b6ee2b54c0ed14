"""The statement of M-Pesa's portal: what is read of it, and what makes it none."""

from datetime import UTC, datetime, timedelta

import pytest

from services.money import Money
from services.providers.listing import Kind, WrongStatement
from services.providers.mpesa_portal import read
from services.providers.mpesa_settings import MpesaSettings
from tests.services.reconciliation.portal import HEADER, came, statement, went

SETTINGS = {"shortcode": "174379", "consumer_key": "key", "consumer_secret": "secret"}
MORNING = datetime(2026, 11, 24, 6, tzinfo=UTC)
EVENING, NEXT_DAY = MORNING + timedelta(hours=12), MORNING + timedelta(days=1)
TWO = timedelta(minutes=2)


def told(content, now=NEXT_DAY, **more):
    return read(content, MpesaSettings.model_validate(SETTINGS | more), now)


def whole(*rows, **more):
    return statement(MORNING, EVENING, *rows, **more)


def faults(content, **more):
    with pytest.raises(WrongStatement) as wrong:
        told(content, **more)
    return wrong.value.faults


def test_lines_are_read_in_nairobis_time_and_name_nobody():
    listed = told(
        whole(
            came("SJK0000001", MORNING + TWO, "1,500.00", "K7Q2X5"),
            came("SJK0000002", MORNING + TWO, "20", "JOHN DOE 0712345678", party="2547****5678 - JOHN"),
            came("SJK0000003", MORNING + TWO, "30", status="Failed"),
            went("SJK0000004", MORNING + TWO, "967.00"),
            went("SJK0000004", MORNING + TWO, "5.00", "Business Payment to Customer Charge"),
            went("SJK0000006", MORNING + TWO, "1500.00", "Pay Utility Reversal", linked="SJK0000001"),
            went("SJK0000007", MORNING + TWO, "40,000", "Organization Settlement to Bank"),
        )
    )
    first, second, sent, fee, back, own = listed.lines
    assert (first.kind, first.amount, first.at) == (Kind.PAID, Money(1500_00, "KES"), MORNING + TWO)
    assert (first.receipt, first.reference, first.party) == ("SJK0000001", "K7Q2X5", "********5678")
    assert (second.reference, second.party) == (None, "********5678")
    assert (sent.kind, sent.amount) == (Kind.SENT, Money(967_00, "KES"))
    assert (fee.kind, fee.of, fee.amount) == (Kind.FEE, "SJK0000004", Money(5_00, "KES"))
    assert (back.kind, back.of) == (Kind.BACK, "SJK0000001")
    assert own.kind == Kind.OWN
    assert "JOHN" not in repr(listed)
    assert "12345678" not in repr(listed)
    assert {each.kind for each in listed.covered} == {
        Kind.PAID,
        Kind.BACK,
        Kind.SENT,
        Kind.RETURNED,
        Kind.FEE,
    }
    assert {(each.since, each.until) for each in listed.covered} == {
        (MORNING, EVENING + timedelta(seconds=1))
    }


@pytest.mark.parametrize("stamp", ["2026-11-24 09:02:00", "24-11-2026 09:02:00", "24/11/2026 09:02:00"])
def test_times_are_read_as_any_portal_writes_them(stamp):
    row = came("SJK0000001", MORNING, "10")
    row[1] = stamp
    (only,) = told(whole(row)).lines
    assert only.at == MORNING + TWO


@pytest.mark.parametrize(
    ("linked", "details"),
    [("SJK0000001", "Charge"), ("", "Charge of SJK0000001"), ("", "Pay Bill Charge")],
)
def test_a_charge_tells_what_it_is_of(linked, details):
    receipt = "SJK0000001" if details == "Pay Bill Charge" else "SJK0000009"
    row = went(receipt, MORNING, "5", "Pay Bill Charge", linked=linked, details=details)
    (fee,) = told(whole(row)).lines
    assert (fee.kind, fee.of) == (Kind.FEE, "SJK0000001")


def test_a_period_that_goes_on_is_covered_up_to_its_last_line():
    rows = [came(f"SJK000000{n}", MORNING + n * TWO, "10") for n in (3, 1)]
    listed = told(whole(*rows), now=MORNING + timedelta(hours=1))
    assert {each.until for each in listed.covered} == {MORNING + 3 * TWO + timedelta(seconds=1)}
    no_period = "\n".join([HEADER, *whole(*rows).decode().splitlines()[-2:]]).encode()
    assert {each.since for each in told(no_period).covered} == {MORNING + TWO}


def test_each_bad_line_is_named_and_nothing_is_read():
    bad = came("SJK0000001", MORNING, "10")
    lines = [
        came("SJK0000001", MORNING, "10"),
        [bad[0], "yesterday", *bad[2:]],
        came("SJK0000002", MORNING, "ten"),
        came("no", MORNING, "10"),
        came("SJK0000003", MORNING, "9" * 18),
        came("SJK0000003", MORNING, "10", status="Unheard"),
    ]
    found = faults(whole(*lines))
    assert [line for line, _ in found] == [7, 8, 9, 10, 11]
    assert "Completion Time" in found[0][1]
    assert "Paid In" in found[1][1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"Date,Amount\n1,2\n", "is no statement of M-Pesa"),
        (whole(), "has no transactions"),
        (whole(came("SJK0000001", MORNING, "10"), shortcode="600999"), "is of 600999"),
        (whole(came("SJK0000001", NEXT_DAY, "10")), "outside the period"),
        (b"Receipt No.,Details\nSJK0000001,x\n", "the header lacks"),
        (b'Receipt No.,"Details\n', "is no CSV"),
        (b"\x00\xff" * 20, "is no"),
    ],
)
def test_what_is_no_statement_of_ours_is_refused(content, said):
    ((_, what),) = faults(content)
    assert said in what


def test_a_shortcode_that_only_pays_out_tells_nothing_of_payments():
    content = whole(went("SJK0000004", MORNING, "967.00"), shortcode="600992")
    kinds = {each.kind for each in told(content, b2c_shortcode="600992").covered}
    assert kinds == {Kind.SENT, Kind.RETURNED, Kind.FEE}
    content = whole(came("SJK0000004", MORNING, "967.00"))
    kinds = {each.kind for each in told(content, b2c_shortcode="600992").covered}
    assert kinds == {Kind.PAID, Kind.BACK, Kind.FEE}
