import base64
import datetime as dt
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import UUID

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from services.money import Money
from services.providers.abilities import Payout, Prompt
from services.providers.mpesa import Mpesa
from services.providers.mpesa_settings import MpesaSettings
from tests.services.providers.stub_daraja import OneToken, StubDaraja

# Safaricom publishes this passkey of its sandbox for everybody.
PASSKEY = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"
NOW = dt.datetime(2021, 6, 28, 6, 24, 8, tzinfo=dt.UTC)  # 09:24:08 in Nairobi
SECRETS = {"consumer_key": "the-consumer-key", "consumer_secret": "the-consumer-secret"}
INITIATOR_PASSWORD = "Safaricom123!!"

PROMPTED = Prompt(
    provider="mpesa",
    attempt_id=UUID("019acf00-0000-7000-8000-000000000001"),
    amount=Money(1_00, "KES"),
    phone="+254722111111",
    reference="accountref",
    callback_url="https://pay.example/hooks/ab12",
)
PAID_OUT = Payout(
    provider="mpesa",
    attempt_id=UUID("019acf00-0000-7000-8000-000000000002"),
    amount=Money(967_00, "KES"),
    method_type="mpesa",
    details={"phone_number": "+254112345678"},
    callback_url="https://pay.example/hooks/cd34",
    timeout_url="https://pay.example/hooks/ef56",
    remarks="Withdrawal W-7",
)


@dataclass
class Rig:
    """An adapter, the stub it talks to, and a way to make another adapter on it."""

    mpesa: Mpesa
    stub: StubDaraja
    tokens: OneToken
    make: Callable[..., Mpesa]


@pytest.fixture(scope="session")
def private_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def certificate(private_key) -> str:
    """Expired long ago, as those are that Safaricom publishes."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a carrier of a key")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(7)
        .not_valid_before(dt.datetime(2014, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2016, 1, 1, tzinfo=dt.UTC))
        .sign(private_key, SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


@pytest.fixture(scope="session")
def settings(certificate) -> MpesaSettings:
    return MpesaSettings.model_validate(
        SECRETS
        | {
            "shortcode": "174379",
            "passkey": PASSKEY,
            "b2c_shortcode": "600992",
            "initiator_name": "testapi",
            "initiator_password": INITIATOR_PASSWORD,
            "certificate": certificate,
        }
    )


@pytest.fixture
async def rig(settings) -> AsyncIterator[Rig]:
    stub, tokens = StubDaraja(), OneToken()
    async with TestServer(stub.app()) as server, aiohttp.ClientSession() as http:

        def make(settings: MpesaSettings = settings, url: str | None = None, total: float = 30) -> Mpesa:
            timeout = aiohttp.ClientTimeout(total=total, connect=5)
            return Mpesa(
                settings, http, url or str(server.make_url("")), tokens, lambda: NOW, timeout=timeout
            )

        yield Rig(make(), stub, tokens, make)


def basic(key: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()
