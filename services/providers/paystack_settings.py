"""Settings of Paystack: the tenant file's [providers.paystack].

https://paystack.com/docs/api/authentication and /docs/payments/webhooks#verify-event-origin
"""

import hmac
import re
from datetime import datetime

from pydantic import SecretStr, field_validator

from services.providers.base import ProviderSettings

# Whether they are right, `doctor` asks Paystack; but never one in the place of the other.
_PUBLIC_KEY = r"(?!sk_)[!-~]+"
_SECRET_KEY = r"(?!pk_)[!-~]+"
_SIGNATURE = re.compile(r"[0-9a-f]{128}", re.ASCII)


class PaystackSettings(ProviderSettings):
    """One business at Paystack. The key says whether it is its test or its live side."""

    public_key: str | None = None
    secret_key: SecretStr

    @field_validator("public_key")
    @classmethod
    def _is_a_public_key(cls, key: str | None) -> str | None:
        if key is not None and re.fullmatch(_PUBLIC_KEY, key) is None:
            raise ValueError("is no public key, such as pk_live_0123 or pk_test_0123")
        return key

    @field_validator("secret_key")
    @classmethod
    def _is_a_secret_key(cls, key: SecretStr) -> SecretStr:
        if re.fullmatch(_SECRET_KEY, key.get_secret_value()) is None:
            raise ValueError("is no secret key, such as sk_live_0123 or sk_test_0123")
        return key

    def signed(self, body: bytes, signature: str, now: datetime) -> bool:  # noqa: ARG002  it is not dated
        """HMAC-SHA512 over the bytes as they came, by the secret key."""
        if _SIGNATURE.fullmatch(signature) is None:
            return False
        right = hmac.digest(self.secret_key.get_secret_value().encode(), body, "sha512")
        return hmac.compare_digest(right, bytes.fromhex(signature))
