"""Compare: what each way of not fitting together is called."""

from datetime import timedelta

import pytest

from services.money import Money
from services.providers.listing import Covered, Kind
from services.reconciliation.compare import compare
from services.reconciliation.coverage import Coverage
from services.reconciliation.facts import Type
from tests.services.reconciliation.sides import ALL, DAYS_LATER, NOON, NOTHING, found, item, kes, line


def test_what_fits_is_no_break():
    items = [item(1, receipt="R1"), item(2), item(3, 900, Kind.SENT, receipt="R3")]
    lines = [line("R1"), line("R2", reference="N2"), line("R3", 900, Kind.SENT)]
    assert compare(items, lines, ALL, DAYS_LATER) == []


@pytest.mark.parametrize(
    ("age", "type_"),
    [(timedelta(hours=23), Type.LATE), (timedelta(hours=24), Type.MISSING_AT_PROVIDER)],
)
def test_ours_without_a_line_is_late_for_a_day_and_missing_then(age, type_):
    one = item(1, receipt="R1")
    (only,) = compare([one], [], ALL, one.until + age)
    assert (only.type, only.ours, only.theirs, only.at) == (type_, kes(500), None, one.until)


@pytest.mark.parametrize(
    ("age", "type_"), [(timedelta(hours=23), Type.LATE), (timedelta(hours=24), Type.MISSING_IN_BOOKS)]
)
def test_a_line_of_what_was_never_booked_is_late_for_a_day_and_missing_then(age, type_):
    told = line("R1", reference="N1")
    (only,) = compare([item(1, None)], [told], ALL, told.at + age)
    assert (only.type, only.ours, only.theirs, only.at) == (type_, None, kes(500), told.at)


def test_a_break_keeps_its_name_when_it_is_late_no_more():
    subjects = {compare([item(1)], [], ALL, at)[0].subject for at in (NOON, DAYS_LATER)}
    assert len(subjects) == 1


def test_nothing_is_missed_where_the_statement_does_not_tell_of_all_that_time():
    one = item(1)
    for covered in (
        NOTHING,
        Coverage([Covered(Kind.SENT, NOON - timedelta(days=1), NOON + timedelta(days=1))]),
        Coverage([Covered(Kind.PAID, NOON - timedelta(days=1), NOON + timedelta(minutes=1))]),
        Coverage([Covered(Kind.PAID, NOON + timedelta(minutes=1), NOON + timedelta(days=1))]),
    ):
        assert compare([one], [], covered, DAYS_LATER) == []
    halves = Coverage(
        Covered(Kind.PAID, NOON + timedelta(minutes=n), NOON + timedelta(minutes=n + 1)) for n in (1, 0)
    )
    assert found(compare([one], [], halves, DAYS_LATER)) == {("missing_at_provider", None, "N1")}


def test_a_line_that_names_nothing_of_ours_is_unknown_at_once():
    told = line("R9", reference="JOHN", party="********5678")
    assert found(compare([item(1, receipt="R1")], [told, line("R1")], ALL, NOON)) == {
        ("unknown_reference", "R9", "JOHN")
    }


def test_a_second_line_for_the_same_is_a_duplicate():
    items = [item(1, receipt="R1"), item(2)]
    lines = [
        line("R1"),
        line("R5", reference="N1"),
        line("R2", reference="N2"),
        line("R3", reference="N2", minutes=3),
    ]
    assert found(compare(items, lines, ALL, NOON)) == {("duplicate", "R5", "N1"), ("duplicate", "R3", "N2")}


def test_of_two_lines_with_one_receipt_the_one_that_fits_is_ours():
    lines = [line("R1", 700, minutes=0), line("R1", 500, minutes=1)]
    (only,) = compare([item(1, receipt="R1")], lines, ALL, NOON)
    assert (only.type, only.theirs) == (Type.DUPLICATE, kes(700))


def test_amounts_and_currencies_that_differ_are_told_with_both_sums():
    items = [item(1, receipt="R1"), item(2, receipt="R2")]
    dollars = line("R2").__class__("R2:usd", Kind.PAID, Money(500_00, "USD"), NOON, receipt="R2")
    first, second = compare(items, [line("R1", 50), dollars], ALL, NOON)
    assert (first.type, first.ours, first.theirs) == (Type.AMOUNT_DIFFERS, kes(500), kes(50))
    assert (second.type, second.theirs) == (Type.CURRENCY_DIFFERS, Money(500_00, "USD"))


def test_an_order_paid_twice_has_two_lines():
    """The second was booked too, apart; the first attempt of all came to nothing."""
    names = {"names": frozenset({"N1"}), "label": "N1"}
    items = [item(1, None, **names), item(2, receipt="R2", **names), item(3, receipt="R3", **names)]
    lines = [line(f"R{n}", reference="N1") for n in (2, 3)]
    assert compare(items, lines, ALL, DAYS_LATER) == []
    late = line("R4", reference="N1")
    assert found(compare(items, [*lines, late], ALL, DAYS_LATER)) == {("missing_in_books", "R4", "N1")}


# --- what is known by its looks


def test_a_payment_to_a_till_without_a_receipt_is_known_by_amount_time_and_number():
    one = item(1, names=frozenset(), party="********5678")
    told = line("R1", party="********5678")
    assert compare([one], [told], ALL, DAYS_LATER) == []
    for other in (
        line("R1", party="********5679"),
        line("R1", 501, party="********5678"),
        line("R1", minutes=600, party="********5678"),
    ):
        assert {each.type for each in compare([one], [other], ALL, DAYS_LATER)} == {
            Type.MISSING_AT_PROVIDER,
            Type.UNKNOWN_REFERENCE,
        }


# --- what is taken back


def test_what_was_taken_back_in_full_and_is_in_no_books_is_nothing():
    """A transfer that the bank returned; a payment of a stranger that M-Pesa reversed."""
    lines = [
        line("R1", 900, Kind.SENT, reference="N1"),
        line("R1b", 900, Kind.RETURNED, reference="N1", of="R1"),
        line("R2", 50),
        line("R3", 50, Kind.BACK, of="R2"),
    ]
    assert compare([item(1, None, Kind.SENT, asked=900)], lines, ALL, DAYS_LATER) == []
    assert len(compare([item(1, None, Kind.SENT, asked=900)], lines[::2], ALL, DAYS_LATER)) == 2


def test_what_came_back_of_something_booked_is_missing_in_the_books():
    items = [item(1, receipt="R1"), item(2, 900, Kind.SENT, receipt="R2")]
    lines = [
        line("R1"),
        line("R3", 500, Kind.BACK, of="R1"),
        line("R2", 900, Kind.SENT),
        line("R2b", 900, Kind.RETURNED, of="R2"),
    ]
    assert found(compare(items, lines, ALL, DAYS_LATER)) == {
        ("missing_in_books", "R3", "N1"),
        ("missing_in_books", "R2b", "N2"),
    }
    booked = item(3, 500, Kind.BACK, names=frozenset({"R1"}))
    assert found(compare([*items, booked], lines[:3], ALL, DAYS_LATER)) == set()


# --- fees


def test_fees_are_compared_where_both_sides_know_them():
    sent, paid = item(1, 900, Kind.SENT, receipt="R1", fee=kes(5)), item(2, receipt="R2")
    lines = [line("R1", 900, Kind.SENT), line("R2"), line("R1", 5, Kind.FEE, of="R1")]
    assert compare([sent, paid], lines, ALL, NOON) == []
    dearer = [*lines[:2], line("R1", 7, Kind.FEE, of="R1")]
    (only,) = compare([sent, paid], dearer, ALL, NOON)
    assert (only.type, only.ours, only.theirs) == (Type.FEE_DIFFERS, kes(5), kes(7))
    (none,) = compare([sent, paid], lines[:2], ALL, NOON)
    assert (none.type, none.theirs) == (Type.FEE_DIFFERS, kes(0))
    unsaid = item(1, 900, Kind.SENT, receipt="R1")  # nobody has told what it should be
    assert compare([unsaid, paid], dearer, ALL, NOON) == []


def test_where_no_statement_tells_of_fees_none_is_missed():
    covered = Coverage([Covered(Kind.SENT, NOON - timedelta(days=1), NOON + timedelta(days=1))])
    sent, told = item(1, 900, Kind.SENT, receipt="R1", fee=kes(5)), line("R1", 900, Kind.SENT)
    assert compare([sent], [told], covered, NOON) == []
    (only,) = compare([sent], [line("R1", 900, Kind.SENT, fee=kes(9))], covered, NOON)
    assert only.type == Type.FEE_DIFFERS


def test_a_fee_for_nothing_that_is_told_is_a_line_that_names_nothing():
    assert found(compare([], [line("R1", 5, Kind.FEE, of="R0")], ALL, NOON)) == {
        ("unknown_reference", "R1", "")
    }


def test_what_goes_between_own_accounts_is_nobodys():
    assert compare([], [line("R1", 40_000, Kind.OWN)], ALL, DAYS_LATER) == []
