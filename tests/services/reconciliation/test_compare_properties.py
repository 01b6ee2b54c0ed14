"""Properties: the breaks follow from what both sides say, and not from how or when it was read."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.providers.listing import Covered, Kind
from services.reconciliation.compare import compare
from services.reconciliation.coverage import Coverage
from services.reconciliation.facts import Type
from tests.services.reconciliation.sides import ALL, NOON, item, kes, line

KINDS = st.sampled_from([Kind.PAID, Kind.SENT, Kind.BACK])
AMOUNTS = st.sampled_from([100, 200])  # few, so that they meet
RECEIPTS = st.sampled_from([None, "R1", "R2", "R3", "R4"])
PARTIES = st.sampled_from([None, "********5678", "********1234"])
AGES = st.sampled_from([timedelta(minutes=5), timedelta(hours=24), timedelta(days=9)])


def _once(items):
    """The database lets a receipt be applied once."""
    first = {(each.kind, each.receipt): each for each in reversed(items) if each.receipt}
    return [each for each in items if not each.receipt or first[each.kind, each.receipt] is each]


ITEMS = st.lists(
    st.builds(
        lambda number, booked, kind, receipt, party: item(
            number,
            booked,
            kind,
            receipt=receipt,
            party=party,
            names=frozenset({f"N{number % 3}"}),
            fee=kes(5) if kind == Kind.SENT else None,
        ),
        st.integers(1, 9),
        st.none() | AMOUNTS,
        KINDS,
        RECEIPTS,
        PARTIES,
    ),
    max_size=6,
    unique_by=lambda each: each.id,
).map(_once)
LINES = st.lists(
    st.builds(
        line,
        RECEIPTS.filter(bool),
        AMOUNTS,
        KINDS | st.sampled_from([Kind.RETURNED, Kind.FEE, Kind.OWN]),
        st.integers(0, 3),
        reference=st.sampled_from([None, "N0", "N1", "N2", "N7"]),
        of=RECEIPTS,
        party=PARTIES,
    ),
    max_size=8,
    unique_by=lambda each: each.key,
)


@given(ITEMS, LINES, AGES, st.randoms(use_true_random=False))
def test_any_order_of_lines_and_items_ends_in_the_same_breaks(items, lines, age, random):
    before = compare(items, lines, ALL, NOON + age)
    random.shuffle(items)
    random.shuffle(lines)
    assert compare(items, lines, ALL, NOON + age) == before


@given(ITEMS, LINES, AGES, st.integers(0, 8), st.integers(1, 47))
def test_a_statement_in_parts_that_overlap_or_are_read_twice_ends_in_the_same_breaks(
    items, lines, age, cut, hours
):
    whole = compare(items, lines, ALL, NOON + age)
    begin, middle, end = (
        NOON - timedelta(days=2),
        NOON + timedelta(hours=hours - 24),
        NOON + timedelta(days=2),
    )
    parts = [
        Covered(kind, *period)
        for kind in Kind
        for period in ((middle, end), (begin, middle), (begin, middle))
    ]
    again = [*lines[cut:], *lines[:cut], *lines[:cut]]
    assert compare(items, again, Coverage(parts), NOON + age) == whole


@given(ITEMS, LINES, AGES)
def test_each_line_and_each_of_ours_is_accounted_for_once(items, lines, age):
    """Sums of theirs and ours differ by what the breaks tell, and by nothing else."""
    breaks = compare(items, lines, ALL, NOON + age)
    assert len({each.subject for each in breaks}) == len(breaks)
    for kind in (Kind.PAID, Kind.SENT, Kind.BACK):
        ours = sum(each.booked.minor for each in items if each.kind == kind and each.booked)
        theirs = sum(each.amount.minor for each in lines if each.kind == kind)
        of_kind = [each for each in breaks if each.kind == kind]
        lacking = sum(each.ours.minor for each in of_kind if each.ours and each.theirs is None)
        beyond = sum(
            each.theirs.minor - (each.ours.minor if each.ours else 0)
            for each in of_kind
            if each.theirs is not None and each.type != Type.FEE_DIFFERS
        )
        undone = theirs - ours - (beyond - lacking)
        assert undone >= 0
        backs = {Kind.PAID: Kind.BACK, Kind.SENT: Kind.RETURNED, Kind.BACK: Kind.BACK}[kind]
        assert undone == 0 or any(each.kind == backs for each in lines)


@given(ITEMS, LINES)
def test_time_only_makes_the_late_missing(items, lines):
    young = compare(items, lines, ALL, NOON + timedelta(minutes=5))
    old = compare(items, lines, ALL, NOON + timedelta(days=9))
    assert [each.subject for each in young] == [each.subject for each in old]
    for before, after in zip(young, old, strict=True):
        assert before.type == after.type or (
            before.type == Type.LATE and after.type in (Type.MISSING_AT_PROVIDER, Type.MISSING_IN_BOOKS)
        )


@given(ITEMS, LINES, AGES)
def test_nothing_of_ours_is_missed_without_coverage(items, lines, age):
    breaks = compare(items, lines, Coverage(()), NOON + age)
    assert all(each.theirs is not None for each in breaks)
