"""The signature of a webhook: HMAC-SHA256 over the raw bytes, with the app secret.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads
"""

import hmac
import re
from collections.abc import Sequence

_SHAPE = re.compile(r"sha256=([0-9a-f]{64})", re.ASCII)


def verify(body: bytes, header: str | None, secrets: Sequence[bytes]) -> bool:
    """True when any of the secrets signed it (several while they rotate)."""
    shape = _SHAPE.fullmatch(header or "")
    if shape is None:
        return False
    given = bytes.fromhex(shape[1])
    return any(hmac.compare_digest(hmac.digest(secret, body, "sha256"), given) for secret in secrets)
