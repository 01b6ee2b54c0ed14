"""Forms: the encrypted exchange behind a form in WhatsApp (what Meta calls a Flow).

The phone makes a key of AES-128, seals it with our public key (RSA-OAEP, SHA-256) and its question with that
key (GCM, a nonce of 16 bytes). The answer goes back under the same key, with every bit of the nonce inverted.
https://developers.facebook.com/docs/whatsapp/flows/guides/implementingyourflowendpoint
"""

import base64
import binascii
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from bot.jsons import dumps, loads

_BITS = 2048  # Meta takes no other size
_KEY_BYTES = _NONCE_BYTES = 16
_PADDING = OAEP(MGF1(SHA256()), SHA256(), None)
_INVERTED = bytes([0xFF]) * _NONCE_BYTES


class BadFormsKey(ValueError):
    """Not the PEM of a private key of RSA with 2048 bits."""


class Malformed(ValueError):
    """No exchange that a phone would send."""


class WrongKey(ValueError):
    """Sealed for another key than ours: the phone then fetches our public one anew."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a phone asks, and what it takes to answer."""

    asked: dict[str, Any] = field(repr=False)
    _cipher: AESGCM = field(repr=False)
    _nonce: bytes = field(repr=False)

    def answer(self, told: dict[str, Any]) -> str:
        """The body of the response: base64."""
        nonce = bytes(one ^ other for one, other in zip(self._nonce, _INVERTED, strict=True))
        return base64.b64encode(self._cipher.encrypt(nonce, dumps(told), None)).decode()


class FormsKey:
    """Our private key."""

    def __init__(self, pem: str) -> None:
        """Raises BadFormsKey. A PEM on one line may have its line ends written as \\n."""
        self._key = _private_key(pem.replace("\\n", "\n").strip())

    @property
    def public_pem(self) -> str:
        """What Meta is given."""
        public = self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return public.decode()

    def open(self, body: bytes) -> Exchange:
        """Raises Malformed and WrongKey."""
        envelope = _object(body)
        sealed, nonce = _bytes(envelope, "encrypted_flow_data"), _bytes(envelope, "initial_vector")
        sealed_key = _bytes(envelope, "encrypted_aes_key")
        try:
            key = self._key.decrypt(sealed_key, _PADDING)
        except ValueError:
            raise WrongKey from None
        if len(key) != _KEY_BYTES or len(nonce) != _NONCE_BYTES:
            raise Malformed("the key and the initial_vector have 16 bytes each")
        cipher = AESGCM(key)
        try:
            asked = cipher.decrypt(nonce, sealed, None)
        except InvalidTag:
            raise Malformed("encrypted_flow_data does not open") from None
        return Exchange(_object(asked), cipher, nonce)


@lru_cache(maxsize=1)
def _private_key(pem: str) -> RSAPrivateKey:
    """Kept: to prove that its numbers belong together takes a tenth of a second, and settings ask twice."""
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadFormsKey("is not the PEM of a private key without a passphrase") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size != _BITS:
        raise BadFormsKey(f"is not a key of RSA with {_BITS} bits")
    return key


def new_key() -> str:
    """The PEM of a new private key."""
    key = generate_private_key(public_exponent=65537, key_size=_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = loads(body)
    except ValueError:
        raise Malformed("not JSON") from None
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    return value


def _bytes(envelope: dict[str, Any], name: str) -> bytes:
    value = envelope.get(name)
    try:
        decoded = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded:
        raise Malformed(f"{name} is missing, or not base64")
    return decoded
