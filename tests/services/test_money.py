import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.money import PLACES, CurrencyMismatch, Money, NotAnAmount


@given(st.integers(min_value=1, max_value=10**12 - 1), st.sampled_from(sorted(PLACES)))
def test_what_is_written_is_read_back(minor, currency):
    money = Money(minor, currency)
    assert Money.parse(str(money), currency) == money


@pytest.mark.parametrize(
    ("text", "minor"), [("500", 50_000), ("1250.5", 125_050), ("1250.50", 125_050), ("0.01", 1)]
)
def test_plain_numbers_are_amounts(text, minor):
    assert Money.parse(text, "KES") == Money(minor, "KES")


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "0.00",
        "-5",
        "1e9",
        "five",
        "10.999",
        "1.500",  # fifteen hundred, where a point groups thousands
        "10.000",
        "",
        " ",
        "1,000",
        "+5",
        ".5",
        "5.",
        "NaN",
        "Infinity",
        "\u0665\u0660\u0660",
        "1_000",
    ],
)
def test_anything_else_is_none(text):
    with pytest.raises(NotAnAmount):
        Money.parse(text, "KES")


def test_a_currency_without_places_takes_none():
    assert Money.parse("1500", "UGX") == Money(1500, "UGX")
    with pytest.raises(NotAnAmount):
        Money.parse("1500.50", "UGX")
    with pytest.raises(NotAnAmount):
        Money.parse("1500.00", "UGX")


@given(st.integers(min_value=0, max_value=10**15), st.integers(min_value=0, max_value=1_000_000))
def test_a_share_is_rounded_half_up_and_never_exceeds_the_whole(minor, ppm):
    share = Money(minor, "KES").share(ppm)
    assert 0 <= share.minor <= minor
    assert abs(share.minor * 1_000_000 - minor * ppm) <= 500_000


def test_two_currencies_never_meet():
    with pytest.raises(CurrencyMismatch):
        Money(1, "KES") + Money(1, "USD")
    with pytest.raises(CurrencyMismatch):
        assert Money(1, "KES") < Money(1, "USD")


def test_whole_means_without_cents():
    assert Money(50_000, "KES").whole
    assert not Money(50_050, "KES").whole
    assert Money(7, "UGX").whole
