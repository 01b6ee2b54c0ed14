"""Signing: what proves to a receiver that it is us who posted, after the Standard Webhooks specification.

v1 is HMAC-SHA256 over "id.seconds.body" under the secret's bytes. Of a secret that is being replaced there is
a signature too, so that a receiver may change over whenever it likes in between.
"""

import base64
import hmac
import os
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(os.urandom(_BYTES)).decode()


def headers(secrets: Sequence[str], message_id: str, seconds: int, body: bytes) -> Mapping[str, str]:
    """The newest secret first."""
    signed = b".".join((message_id.encode(), str(seconds).encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
