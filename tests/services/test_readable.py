import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.readable import one_line

LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
UNSEEN = "\u200b\u200e\u202a\u202e\u2066\u2069\u2060\ufeff\u00ad\U000e0020\U000e0041"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("rent", "rent"),
        ("  rent \t for   May ", "rent for May"),
        ("rent\n\nAmount: *KES 100.00*", "rent Amount: *KES 100.00*"),
        ("x\u202e000,05 SEK\u202c", "x000,05 SEK"),
        ("rent" + "\U000e0020" * 300 + "!", "rent!"),
        ("a" + "\u3164" * 99 + "b" + "\u2800" * 99 + "\u00a0c", "a b c"),
        ("👩\u200d👩\u200d👧 🙏🏾 ❤\ufe0f", "👩\u200d👩\u200d👧 🙏🏾 ❤\ufe0f"),
        ("a" + "\u200d" * 300 + "b", "a\u200db"),
        ("\u200da \u200c\u200d b\u200d", "a b"),
        ("mañana, чай, 喂, שלום", "mañana, чай, 喂, שלום"),
    ],
)
def test_what_a_person_typed_is_on_one_line_and_can_be_seen(typed, told):
    assert one_line(typed) == told


SIGNS = st.one_of(st.sampled_from(LINE_ENDS + UNSEEN + " ab\u200d\u3164"), st.characters())


@given(st.lists(SIGNS).map("".join))
def test_no_words_break_a_line_or_turn_one(typed):
    told = one_line(typed)
    assert one_line(told) == told
    assert len(told.splitlines()) <= 1
    assert "  " not in told
    unseen = [sign for sign in told if unicodedata.category(sign) == "Cf" and sign not in "\u200c\u200d"]
    assert unseen == []
