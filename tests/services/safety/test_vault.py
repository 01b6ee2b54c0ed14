import base64
import os
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.safety.vault import BadKey, Unopenable, Vault, parse_keys

HERE, THERE = UUID(int=1), UUID(int=2)
KEY, OTHER = bytes(range(32)), bytes(range(32, 64))


@given(st.binary(max_size=500))
def test_what_was_sealed_opens(plain):
    vault = Vault([KEY])
    assert vault.open(vault.seal(plain, HERE, "a.b", "row"), HERE, "a.b", "row") == plain


@pytest.mark.parametrize(
    ("tenant", "column", "row"), [(THERE, "a.b", "row"), (HERE, "a.c", "row"), (HERE, "a.b", "row2")]
)
def test_a_ciphertext_moved_elsewhere_does_not_open(tenant, column, row):
    vault = Vault([KEY])
    sealed = vault.seal(b"secret", HERE, "a.b", "row")
    with pytest.raises(Unopenable):
        vault.open(sealed, tenant, column, row)


@given(st.integers(min_value=0, max_value=38))
def test_a_changed_byte_is_noticed(position):
    vault = Vault([KEY])
    sealed = bytearray(vault.seal(b"secret", HERE, "a.b", "row"))
    sealed[position] ^= 1
    with pytest.raises(Unopenable):
        vault.open(bytes(sealed), HERE, "a.b", "row")


def test_while_keys_rotate_the_first_seals_and_all_open_and_find():
    old, both = Vault([OTHER]), Vault([KEY, OTHER])
    sealed = old.seal(b"secret", HERE, "a.b", "row")
    assert both.open(sealed, HERE, "a.b", "row") == b"secret"
    assert old.index("+254", HERE, "a.b") in both.indexes("+254", HERE, "a.b")
    with pytest.raises(Unopenable):
        old.open(both.seal(b"new", HERE, "a.b", "row"), HERE, "a.b", "row")


def test_equal_values_share_an_index_only_within_tenant_and_column():
    vault = Vault([KEY])
    index = vault.index("+254712345678", HERE, "a.b")
    assert index == vault.index("+254712345678", HERE, "a.b")
    assert index != vault.index("+254712345678", THERE, "a.b")
    assert index != vault.index("+254712345678", HERE, "a.c")


def test_a_bad_key_is_named_by_its_position_and_not_shown():
    good = base64.b64encode(os.urandom(32)).decode()
    with pytest.raises(BadKey, match="key 2 is not base64 of 32 bytes") as caught:
        parse_keys(f"{good},c2hvcnQ=")
    assert "c2hvcnQ" not in str(caught.value)
    assert len(parse_keys(f"{good}, {good}")) == 2
