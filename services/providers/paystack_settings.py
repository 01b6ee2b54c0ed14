"""Settings of Paystack: the tenant file's [providers.paystack].

https://paystack.com/docs/api/authentication and /docs/payments/webhooks#verify-event-origin
"""

import hmac
import re
from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from services.providers.base import ProviderSettings

_SECRET_KEY = re.compile(r"sk_(test|live)_\w+", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{128}", re.ASCII)


class PaystackSettings(ProviderSettings):
    """One business at Paystack. The key says whether it is its test or its live side."""

    public_key: Annotated[str, Field(pattern=r"^pk_(test|live)_\w+$")] | None = None
    secret_key: SecretStr

    @field_validator("secret_key")
    @classmethod
    def _is_a_secret_key(cls, key: SecretStr) -> SecretStr:
        if _SECRET_KEY.fullmatch(key.get_secret_value()) is None:
            raise ValueError("is no secret key: it begins with sk_live_ or sk_test_")
        return key

    def signed(self, body: bytes, signature: str) -> bool:
        """HMAC-SHA512 over the bytes as they came, by the secret key."""
        if _SIGNATURE.fullmatch(signature) is None:
            return False
        right = hmac.digest(self.secret_key.get_secret_value().encode(), body, "sha512")
        return hmac.compare_digest(right, bytes.fromhex(signature))
