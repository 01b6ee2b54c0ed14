import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.jsons import dumps, loads

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
    assert loads(dumps(value)) == value


@given(VALUES, st.booleans())
def test_what_others_write_is_read_exactly(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=1)
    assert loads(text.encode("utf-8", "surrogatepass" if ascii_only else "replace")) == json.loads(
        text.encode("utf-8", "replace").decode()
    )


@pytest.mark.parametrize("body", [b"", b"NaN", b'{"a": Infinity}', b"\xff", b'{"a":1', b"nul"])
def test_what_is_no_json_is_refused(body):
    with pytest.raises(ValueError, match="."):
        loads(body)


def test_numbers_keep_all_their_digits():
    assert loads(b'{"a": 123456789012345678901234567890, "b": 1e999}') == {
        "a": 123456789012345678901234567890,
        "b": "1e999",
    }


def test_a_byte_order_mark_is_no_fault():
    assert loads(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


def test_keys_are_sorted():
    assert dumps({"b": 1, "a": 2}) == b'{"a":2,"b":1}'
