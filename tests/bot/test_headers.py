"""What every answer tells a browser, who needs no key, and whom to write to about a weakness."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from bot.access import SecuritySettings
from bot.app import web_app
from bot.headers import SAFE
from bot.parts import parts_of
from tests.bot.door import OLD_SECRET, now, opened, settings_of, signed
from tests.bot.market import NOWHERE
from tests.bot.test_access import OPEN

TXT = "/.well-known/security.txt"
PATHS = ["/livez", "/readyz", "/metrics", "/docs", "/docs/start.js", "/openapi.json", "/nothing", "/", TXT]
PATHS += ["/api/v1/wallet", "/api/", "/webhooks/whatsapp", f"/hooks/{0:064x}", f"/pay/{0:064x}"]


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door


async def test_every_answer_is_safe_to_a_browser_and_names_no_server(door):
    for path in PATHS:
        told = (await door.get(path)).headers
        for name in SAFE:
            assert name in told, (path, name)
        assert "default-src 'none'" in told["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in told["Content-Security-Policy"]
        assert "'unsafe-inline'" not in re.findall(r"script-src [^;]*", told["Content-Security-Policy"] + ";")
        assert "Server" not in told
        assert "Strict-Transport-Security" not in told  # it is no https address


@pytest.mark.parametrize("signature", [signed(b"{}", OLD_SECRET), "sha256=0"])
async def test_the_short_way_tells_the_same(door, signature):
    host, port = door.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: {signature}\r\n"
    writer.write(f"{head}Content-Length: 2\r\n\r\n{{}}".encode())
    told = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()
    await writer.wait_closed()
    for name, value in SAFE.items():
        assert told.count(f"{name}: {value}\r\n") == 1


async def test_where_the_outside_comes_by_https_it_is_told_to(database, vault):
    async with opened(database, vault, public_url="https://pay.example.com") as door:
        assert (await door.get("/livez")).headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_whoever_needs_no_key_is_listed_with_what_lets_them_in(tmp_path):
    """A new path stands below /api, behind a scope, or here."""
    parts = parts_of(
        settings_of(NOWHERE).model_copy(update={"database_url": f"sqlite+aiosqlite:///{tmp_path}/x.db"})
    )
    resources = web_app(parts, worker=False).router.resources()
    paths = {re.sub(r":[^}]*}", "}", _whole(resource)) for resource in resources}
    assert {path for path in paths if not path.startswith("/api/")} == set(OPEN)
    await parts.database.close()


def _whole(resource):
    """As it was added."""
    info = resource.get_info()
    return info.get("path") or info["formatter"]


# --- security.txt


async def test_without_a_contact_there_is_no_security_txt(door):
    assert (await door.get(TXT)).status == 404


async def test_whom_to_write_to_and_until_when_it_holds(database, vault):
    security = SecuritySettings(contact="mailto:security@example.com, https://example.com/security")
    async with opened(database, vault, security=security, public_url="https://pay.example.com") as door:
        answer = await door.get(TXT)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    lines = dict.fromkeys(answer.text.splitlines())
    assert list(lines)[:2] == [
        "Contact: mailto:security@example.com",
        "Contact: https://example.com/security",
    ]
    assert f"Canonical: https://pay.example.com{TXT}" in lines
    [expires] = [line.removeprefix("Expires: ") for line in lines if line.startswith("Expires: ")]
    at = datetime.strptime(expires, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(days=80) < at - now() < timedelta(days=365)


@pytest.mark.parametrize(
    "wrong", ["security@example.com", "http://example.com", "mailto:a b@x", "mailto:x\nExpires: never"]
)
def test_a_contact_that_is_no_address_is_refused(wrong):
    with pytest.raises(ValidationError, match="must begin with"):
        SecuritySettings(contact=wrong)
