"""Limits and fees: a file's as they are and all at once, a person's one by one."""

import tomllib
from decimal import Decimal

import pytest

from bot.onboarding.asker import Answers
from bot.onboarding.checks import amount, amount_or_none, percent
from bot.onboarding.files import Draft
from bot.onboarding.terms import fees, limits
from bot.parts import CannotRun
from services.people.tenant_file import parsed

FILE = '[tenant]\nslug = "mama-njeri"\n'
BANDS = """
[[fees]]
method_type = "till"
to = "1000"
flat = "10"
[[fees]]
method_type = "till"
from = "5000.01"
percent = 1.5
[[fees]]
method_type = "till"
from = "1000.01"
to = "5000"
flat = "20"
"""


@pytest.fixture
def draft(tmp_path):
    (tmp_path / "tenant.toml").write_text(FILE)
    return Draft(tmp_path / "tenant.toml")


def answers(text):
    return Answers("answers.toml", parsed(text, "answers.toml"), print)


def test_bands_that_have_no_gap_together_are_taken_in_any_order(draft):
    given = answers(BANDS)
    fees(given, draft)
    written = tomllib.loads(draft.path.read_text(), parse_float=Decimal)
    assert written["fees"] == tomllib.loads(BANDS, parse_float=Decimal)["fees"]
    assert given.unused() == []


def test_of_bands_with_a_gap_none_is_written(draft):
    with pytest.raises(CannotRun, match=r"answers.toml: fees is not taken: .*leaves a gap"):
        fees(answers(BANDS.replace('"5000"', '"4000"')), draft)
    assert draft.path.read_text() == FILE


def test_a_limit_that_is_wrong_is_named_and_nothing_is_written(draft):
    with pytest.raises(CannotRun, match=r"answers.toml: limits is not taken: per_day: not an amount"):
        limits(answers('[limits]\nper_day = "lots"\n'), draft)
    assert draft.path.read_text() == FILE


@pytest.mark.parametrize(
    "text", ["limits = 5", "fees = 5", "fees = [5]", 'limits = "none"', "[fees]\nflat = 1"]
)
def test_what_is_no_table_is_taken_by_nobody(draft, text):
    given = answers(text)
    limits(given, draft)
    fees(given, draft)
    assert len(given.unused()) == 1
    assert draft.path.read_text() == FILE


def test_without_any_in_a_file_of_answers_the_defaults_hold(draft):
    limits(answers(""), draft)
    fees(answers(""), draft)
    assert draft.path.read_text() == FILE


@pytest.mark.parametrize(
    ("check", "answer", "taken"),
    [
        (amount("KES"), "1,000.50", "1000.50"),
        (amount("KES"), "0", "0"),
        (amount("KES"), "1.005", None),
        (amount("KES"), "-5", None),
        (amount("KES"), "", None),
        (amount_or_none("KES"), "NONE", "none"),
        (amount_or_none("KES"), "0.00", None),
        (amount_or_none("KES"), "100000", "100000"),
        (percent, "1.5 %", "1.5"),
        (percent, "101", None),
    ],
)
def test_sums_and_percentages_are_taken_as_people_write_them(check, answer, taken):
    if taken is None:
        with pytest.raises(ValueError, match=r"write|places"):
            check(answer)
    else:
        assert check(answer) == taken
