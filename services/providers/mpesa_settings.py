"""Settings of M-Pesa: the tenant file's [providers.mpesa].

A tenant may collect only, or pay out only, so most is optional; `missing_to_collect` and
`missing_to_pay_out` name what an ability still lacks.
https://developer.safaricom.co.ke/apis/MpesaExpressSimulate and /BusinessToCustomer
"""

import base64
from typing import Annotated, Literal, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate
from pydantic import Field, SecretStr, field_validator, model_validator

from services.money import Money
from services.providers.base import ProviderSettings
from services.written import Amount, minor_of

Shortcode = Annotated[str, Field(pattern=r"^[0-9]{5,7}$")]
Secret = Annotated[SecretStr, Field(min_length=1)]


class MpesaSettings(ProviderSettings):
    """One organisation at Daraja."""

    shortcode: Shortcode  # the paybill; for a till its store (head office) number
    till: Shortcode | None = None
    consumer_key: Secret
    consumer_secret: Secret
    passkey: Secret | None = None
    b2c_shortcode: Shortcode | None = None
    b2b_shortcode: Shortcode | None = None
    # Safaricom's page calls every receiver of B2B a shortcode; there are accounts at which a till is a till.
    b2b_receiver_type: Literal["shortcode", "till"] = "shortcode"
    initiator_name: str | None = Field(default=None, min_length=1)
    initiator_password: Annotated[SecretStr, Field(min_length=1, max_length=100)] | None = None
    certificate: str | None = Field(default=None, repr=False)
    security_credential: Secret | None = None
    confirm_above: Amount | None = None
    pull: bool = False  # the shortcode is registered for Pull Transactions

    @field_validator("certificate")
    @classmethod
    def _holds_an_rsa_key(cls, pem: str | None) -> str | None:
        if pem is not None:
            public_key(pem)
        return pem

    @field_validator("confirm_above")
    @classmethod
    def _is_in_shillings(cls, text: str | None) -> str | None:
        if text is not None:
            minor_of(text, "KES")
        return text

    @model_validator(mode="after")
    def _has_one_credential(self) -> Self:
        if self.security_credential and (self.initiator_password or self.certificate):
            raise ValueError("give either security_credential, or initiator_password with certificate")
        return self

    @property
    def app(self) -> str:
        """The consumer key: Daraja's tokens are the app's."""
        return self.consumer_key.get_secret_value()

    @property
    def missing_to_collect(self) -> tuple[str, ...]:
        return () if self.passkey else ("passkey",)

    @property
    def missing_to_pay_out(self) -> tuple[str, ...]:
        needed: dict[str, object] = {"initiator_name": self.initiator_name}
        if not self.security_credential:
            needed |= {"initiator_password": self.initiator_password, "certificate": self.certificate}
        return tuple(name for name, value in needed.items() if not value)

    @property
    def can_collect(self) -> bool:
        return not self.missing_to_collect

    @property
    def can_pay_out(self) -> bool:
        return not self.missing_to_pay_out

    @property
    def paybill(self) -> str | None:
        """A till asks for no account, so that what is paid to one names no order. A call that tells of a
        payment may be lost: what is certain is the list."""
        return self.shortcode if self.pull and self.till is None else None

    @property
    def paying_shortcode(self) -> str:
        """What B2C pays from."""
        return self.b2c_shortcode or self.shortcode

    @property
    def till_paying_shortcode(self) -> str:
        """What B2B pays from."""
        return self.b2b_shortcode or self.shortcode

    def credential(self) -> str:
        """The initiator's password under Safaricom's key, by PKCS#1 v1.5 as its page demands. Raises
        ValueError where there is no key, or one too short for the password."""
        if self.security_credential:
            return self.security_credential.get_secret_value()
        password = self.initiator_password.get_secret_value() if self.initiator_password else ""
        sealed = public_key(self.certificate or "").encrypt(password.encode(), PKCS1v15())
        return base64.b64encode(sealed).decode()

    @property
    def confirm_above_amount(self) -> Money | None:
        return None if self.confirm_above is None else Money(minor_of(self.confirm_above, "KES"), "KES")


def public_key(pem: str) -> RSAPublicKey:
    """The RSA key of a PEM certificate or bare public key. Raises ValueError.

    Safaricom's published certificates expired years ago and only carry the key: dates are not looked at.
    """
    load = _of_certificate if "BEGIN CERTIFICATE" in pem else load_pem_public_key
    try:
        key = load(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("not a PEM certificate or PEM public key") from None
    if not isinstance(key, RSAPublicKey):
        raise ValueError("its key is not RSA")  # noqa: TRY004  pydantic turns only ValueError into its own
    return key


def _of_certificate(pem: bytes) -> object:
    return load_pem_x509_certificate(pem).public_key()
