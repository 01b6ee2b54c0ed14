import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.jsons import dumps, exactly, is_rounded, loads

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=[])),  # lone surrogates too
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_a_value_comes_back_as_it_was(value):
    assert exactly(dumps(value)) == value


@given(VALUES)
def test_the_quick_way_differs_only_in_numbers_that_it_calls_rounded(value):
    def same(quick, exact):
        match quick, exact:
            case float(), int():
                return is_rounded(quick) and quick == float(exact)
            case list(), list():
                return len(quick) == len(exact) and all(map(same, quick, exact))
            case dict(), dict():
                return quick.keys() == exact.keys() and all(same(quick[key], exact[key]) for key in quick)
        return quick == exact

    assert same(loads(dumps(value)), value)


@given(VALUES, st.booleans())
def test_what_others_write_is_read_exactly(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=1)
    assert exactly(text.encode("utf-8", "surrogatepass" if ascii_only else "replace")) == json.loads(
        text.encode("utf-8", "replace").decode()
    )


@pytest.mark.parametrize("body", [b"", b"NaN", b'{"a": Infinity}', b"\xff", b'{"a":1', b"nul"])
def test_what_is_no_json_is_refused(body):
    with pytest.raises(ValueError, match=r"."):
        loads(body)


def test_numbers_keep_all_their_digits():
    assert exactly(b'{"a": 123456789012345678901234567890, "b": 1e999}') == {
        "a": 123456789012345678901234567890,
        "b": "1e999",
    }


def test_a_byte_order_mark_is_no_fault():
    assert loads(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


def test_keys_are_sorted():
    assert dumps({"b": 1, "a": 2}) == b'{"a":2,"b":1}'


def test_a_large_fraction_is_as_exact_as_it_gets():
    assert is_rounded(loads(b"1e20"))
    assert not is_rounded(exactly(b"1e20"))
    assert dumps(exactly(b'{"a":[1e20,0.5]}')) == b'{"a":[1e+20,0.5]}'
