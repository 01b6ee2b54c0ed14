"""Settings of Stripe: the tenant file's [providers.stripe].

https://docs.stripe.com/keys and https://docs.stripe.com/webhooks#verify-manually
"""

import hmac
import re
from datetime import datetime

from pydantic import SecretStr, field_validator

from services.providers.base import ProviderSettings

# By these Stripe tells them apart itself; whether they are right, `doctor` asks it.
_PUBLIC_KEY = r"pk_[!-~]+"
_SECRET_KEY = r"(sk|rk)_[!-~]+"  # rk: restricted to what was ticked for it
_WEBHOOK_SECRET = r"whsec_[A-Za-z0-9_+/=-]+"
_LIVE = re.compile(r"(sk|rk)_live_")

_TOLERANCE_SECONDS = 300
_TIME = re.compile(r"\d{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)


class StripeSettings(ProviderSettings):
    """One account at Stripe. `webhook_secret` is that of its endpoint; several between commas while one
    replaces another."""

    public_key: str | None = None
    secret_key: SecretStr
    webhook_secret: SecretStr | None = None

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
            raise ValueError("is no secret key, such as sk_live_0123 or rk_test_0123")
        return key

    @field_validator("webhook_secret")
    @classmethod
    def _are_webhook_secrets(cls, given: SecretStr | None) -> SecretStr | None:
        listed = [] if given is None else _listed(given)
        if given is not None and not listed:
            raise ValueError("is no secret of a webhook, such as whsec_0123")
        if any(re.fullmatch(_WEBHOOK_SECRET, secret) is None for secret in listed):
            raise ValueError("is no secret of a webhook, such as whsec_0123, or several between commas")
        return given

    @property
    def live(self) -> bool:
        """Whether the key moves real money."""
        return _LIVE.match(self.secret_key.get_secret_value()) is not None

    @property
    def missing_to_collect(self) -> tuple[str, ...]:
        """Without it nothing that Stripe tells could be believed."""
        return () if self.webhook_secret is not None else ("webhook_secret",)

    def signed(self, body: bytes, signature: str, now: datetime) -> bool:
        """HMAC-SHA256 over the time of signing and the bytes as they came, at most five minutes ago. A header
        has a signature for each secret that the endpoint has just then."""
        if self.webhook_secret is None:
            return False
        pairs = [part.strip().partition("=")[::2] for part in signature.split(",")]
        times = [value for name, value in pairs if name == "t"]
        told = [value for name, value in pairs if name == "v1" and _SIGNATURE.fullmatch(value)]
        if len(times) != 1 or _TIME.fullmatch(times[0]) is None:
            return False
        if now.timestamp() - int(times[0]) > _TOLERANCE_SECONDS:
            return False
        rights = [
            hmac.digest(secret.encode(), times[0].encode() + b"." + body, "sha256").hex()
            for secret in _listed(self.webhook_secret)
        ]
        return any(hmac.compare_digest(right, each) for right in rights for each in told)


def _listed(secrets: SecretStr) -> list[str]:
    return [secret.strip() for secret in secrets.get_secret_value().split(",") if secret.strip()]
