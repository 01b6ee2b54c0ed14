"""Phone form: the phone's half of a form's exchange, made of lower parts than the code under test uses.

GCM is spelled out after NIST SP 800-38D over AES of single blocks, so that a mistake cannot cancel out.
"""

import base64
import json
import os
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

R = 0xE1 << 120


def block(key: bytes, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def times(one: int, other: int) -> int:
    product = 0
    for bit in range(127, -1, -1):
        if other >> bit & 1:
            product ^= one
        one = one >> 1 ^ (R if one & 1 else 0)
    return product


def ghash(h: int, data: bytes) -> bytes:
    sum_ = 0
    for at in range(0, len(data), 16):
        sum_ = times(sum_ ^ int.from_bytes(data[at : at + 16]), h)
    return sum_.to_bytes(16)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 16)


def counted(key: bytes, start: bytes, data: bytes) -> bytes:
    out, counter = b"", int.from_bytes(start[12:])
    for at in range(0, len(data), 16):
        counter = (counter + 1) % 2**32
        pad = block(key, start[:12] + counter.to_bytes(4))
        out += bytes(one ^ other for one, other in zip(data[at : at + 16], pad, strict=False))
    return out


def tag_of(key: bytes, start: bytes, sealed: bytes) -> bytes:
    h = int.from_bytes(block(key, bytes(16)))
    digest = ghash(h, padded(sealed) + bytes(8) + (8 * len(sealed)).to_bytes(8))
    return bytes(one ^ other for one, other in zip(digest, block(key, start), strict=True))


def start_of(key: bytes, nonce: bytes) -> bytes:
    """A nonce of 16 bytes is hashed, not counted on as one of 12 is."""
    h = int.from_bytes(block(key, bytes(16)))
    return ghash(h, padded(nonce) + bytes(8) + (8 * len(nonce)).to_bytes(8))


class PhoneForm:
    """`key` and `nonce` are the phone's own."""

    def __init__(self, public_pem: str, key: bytes | None = None, nonce: bytes | None = None) -> None:
        public = serialization.load_pem_public_key(public_pem.encode())
        assert isinstance(public, rsa.RSAPublicKey)
        self._public = public
        self.key = os.urandom(16) if key is None else key
        self.nonce = os.urandom(16) if nonce is None else nonce

    def body(self, asked: Any, **changes: Any) -> bytes:
        plain = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
        start = start_of(self.key, self.nonce)
        sealed = counted(self.key, start, plain)
        envelope = {
            "encrypted_flow_data": base64.b64encode(sealed + tag_of(self.key, start, sealed)).decode(),
            "encrypted_aes_key": self.sealed(self.key),
            "initial_vector": base64.b64encode(self.nonce).decode(),
        }
        return json.dumps(envelope | changes).encode()

    def sealed(self, key: bytes) -> str:
        sha = hashes.SHA256()
        oaep = padding.OAEP(mgf=padding.MGF1(algorithm=sha), algorithm=sha, label=None)
        return base64.b64encode(self._public.encrypt(key, oaep)).decode()

    def read(self, answer: str) -> Any:
        """The answer, whose tag must be right, under the nonce with every bit inverted."""
        raw = base64.b64decode(answer, validate=True)
        start = start_of(self.key, bytes(255 - each for each in self.nonce))
        sealed, tag = raw[:-16], raw[-16:]
        assert tag_of(self.key, start, sealed) == tag
        return json.loads(counted(self.key, start, sealed))
