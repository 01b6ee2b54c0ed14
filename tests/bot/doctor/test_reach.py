"""Whether the server is reached at its own address: the handshake, and the certificate before it."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from bot.doctor.reach import reach
from bot.http import open_session
from bot.sandbox.keys import new_private_key
from bot.settings import Settings, WhatsAppSettings

NOW = datetime.now(UTC)
KEY = SecretStr("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")


async def handshake(request):
    right = request.query["hub.verify_token"] == "right"
    return web.Response(text=request.query["hub.challenge"]) if right else web.Response(status=403)


async def looked(url, token="right", tls=None):
    whatsapp = WhatsAppSettings(app_secret=SecretStr("x"), verify_token=SecretStr(token))
    settings = Settings(secret_keys=KEY, whatsapp=whatsapp, public_url=url)
    async with open_session() as http:
        return [(each.level, each.what) async for each in reach(settings, http, lambda: NOW, tls)]


@pytest.fixture
def app():
    app = web.Application()
    app.router.add_get("/webhooks/whatsapp", handshake)
    return app


def contexts(tmp_path, *, days):
    """Of a server with a certificate of its own for 127.0.0.1, and of who trusts it."""
    key, name = new_private_key(), x509.Name([])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(NOW + timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .sign(key, SHA256())
    )
    pem = tmp_path / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(pem)
    trusts = ssl.create_default_context(cadata=certificate.public_bytes(Encoding.PEM).decode())
    return server, trusts


async def test_a_server_that_answers_the_handshake_is_reached(app):
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        assert await looked(url) == [("good", f"{url}/webhooks/whatsapp answers Meta's handshake")]


async def test_one_with_another_token_and_something_else_are_told_apart(app):
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        assert await looked(url, "wrong") == [("broken", f"{url}/webhooks/whatsapp refuses Meta's handshake")]
        assert await looked(f"{url}/other") == [
            (
                "broken",
                (
                    f"{url}/other/webhooks/whatsapp does not answer Meta's handshake (HTTP 404): "
                    "something else is there"
                ),
            )
        ]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_where_nobody_answers_it_is_a_warning_since_it_was_asked_from_here(scheme):
    ((level, what),) = await looked(f"{scheme}://127.0.0.1:9")
    assert level == "warning"
    assert what.startswith("nothing answers at")


@pytest.mark.parametrize(("days", "level"), [(60, "good"), (13, "warning")])
async def test_a_certificate_is_looked_at_before_it_ends(app, tmp_path, days, level):
    serves, trusts = contexts(tmp_path, days=days)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=serves)
    try:
        url = str(server.make_url("")).rstrip("/")
        ends = NOW + timedelta(days=days, hours=1)
        assert await looked(url, tls=trusts) == [
            (level, f"the certificate of 127.0.0.1 is good until {ends:%Y-%m-%d}"),
            ("good", f"{url}/webhooks/whatsapp answers Meta's handshake"),
        ]
    finally:
        await server.close()


@pytest.mark.parametrize("days", [60, -2])
async def test_a_certificate_that_nobody_trusts_or_that_has_ended_is_broken(app, tmp_path, days):
    serves, trusts = contexts(tmp_path, days=days)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=serves)
    try:
        ((level, what),) = await looked(
            str(server.make_url("")).rstrip("/"), tls=trusts if days < 0 else ssl.create_default_context()
        )
    finally:
        await server.close()
    assert (level, what.partition(":")[0]) == ("broken", "the certificate of 127.0.0.1 is not good")
