"""The vault: encryption at rest, and blind indexes to look sealed values up.

AES-256-GCM with the place of the value (tenant, table, column, row) as associated data, so that a
ciphertext moved elsewhere does not open. The first key encrypts, all decrypt.
Sealed: one byte of version, four that name the key, twelve of nonce, ciphertext with its tag.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_HEAD = 5
_NONCE = 12
_KEY_BYTES = 32
_INDEX = 16


class Unopenable(ValueError):
    """No key opens it, or it was sealed for another place, or it was changed."""


class BadKey(ValueError):
    """A secret key is not base64 of 32 bytes."""


def parse_keys(text: str) -> list[bytes]:
    """Keys from "base64,base64": raises BadKey naming the position, never the key."""
    keys = []
    for position, part in enumerate(text.split(","), start=1):
        try:
            key = base64.b64decode(part.strip(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != _KEY_BYTES:
            raise BadKey(f"key {position} is not base64 of 32 bytes")
        keys.append(key)
    return keys


class Vault:
    """Seals and opens. `where` is (tenant, "table.column", row)."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = list(keys)
        self._ciphers = {hashlib.sha256(b"name" + key).digest()[:4]: AESGCM(key) for key in keys}
        self._first = next(iter(self._ciphers))
        self._index_keys = lru_cache(maxsize=10_000)(self._derive)

    def seal(self, plain: bytes, tenant: UUID, column: str, row: bytes | str) -> bytes:
        nonce = os.urandom(_NONCE)
        cipher = self._ciphers[self._first]
        return _VERSION + self._first + nonce + cipher.encrypt(nonce, plain, _where(tenant, column, row))

    def open(self, sealed: bytes, tenant: UUID, column: str, row: bytes | str) -> bytes:
        """Raises Unopenable."""
        cipher = self._ciphers.get(sealed[1:_HEAD])
        if sealed[:1] != _VERSION or cipher is None:
            raise Unopenable(column)
        nonce, body = sealed[_HEAD : _HEAD + _NONCE], sealed[_HEAD + _NONCE :]
        try:
            return cipher.decrypt(nonce, body, _where(tenant, column, row))
        except InvalidTag:
            raise Unopenable(column) from None

    def index(self, value: str, tenant: UUID, column: str) -> bytes:
        """A keyed hash that equal values share within one tenant and column; for new rows."""
        return self.indexes(value, tenant, column)[0]

    def indexes(self, value: str, tenant: UUID, column: str) -> list[bytes]:
        """The same under each key, for looking up while keys rotate."""
        return [
            hmac.digest(self._index_keys(key, tenant.bytes, column), value.encode(), "sha256")[:_INDEX]
            for key in self._keys
        ]

    def derived(self, purpose: str) -> list[bytes]:
        """32 secret bytes for another use, under each key: the first for what is new."""
        return [HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(key) for key in self._keys]

    @property
    def head(self) -> bytes:
        """What begins all that is sealed under the first key."""
        return _VERSION + self._first

    def mark(self, value: str, tenant: UUID, column: str) -> bytes:
        """A blind index of what is kept nowhere, to be compared and not looked up: it names its key, since
        only who brings the value again can have it marked anew."""
        return self._first + self.index(value, tenant, column)

    def is_marked(self, mark: bytes, value: str, tenant: UUID, column: str) -> bool:
        """Whether the mark is of this value, under any key."""
        return any(hmac.compare_digest(mark[-_INDEX:], each) for each in self.indexes(value, tenant, column))

    @staticmethod
    def _derive(key: bytes, tenant: bytes, column: str) -> bytes:
        return HKDF(SHA256(), 32, salt=tenant, info=b"index:" + column.encode()).derive(key)


def _where(tenant: UUID, column: str, row: bytes | str) -> bytes:
    name = column.encode()
    return tenant.bytes + len(name).to_bytes(2) + name + (row if isinstance(row, bytes) else row.encode())
