"""Keys that are given or changed are tried when a file is applied: a wrong one is a warning, and who is away
keeps nobody."""

import asyncio
import base64
import socket
import time

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot import proving
from bot.commands.tenants import apply_file
from bot.settings import MpesaUrl, PaystackUrl, PesapalUrl, Settings, StripeUrl, WhatsAppSettings
from services.store import upgrade
from tests.bot.market import NOWHERE

STAFF = """
[[staff]]
name = "Achieng"
role = "Cashier"
[[staff]]
name = "Kamau"
role = "Owner"
"""
FILE = (
    """
[tenant]
slug = "mama-njeri"
[providers.mpesa]
shortcode = "600100"
consumer_key = "key"
consumer_secret = "right-1"
passkey = "passkey"
[providers.paystack]
secret_key = "sk_test_right-2"
[providers.pesapal]
consumer_key = "key"
consumer_secret = "right-3"
[providers.stripe]
secret_key = "sk_test_right-4"
webhook_secret = "whsec_1"
"""
    + STAFF
)
NAMES = ("mpesa", "paystack", "pesapal", "stripe")


class Providers:
    """What each answers to a key that is right, and to another; `asked` in turn."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.wait, self.url = 0.0, ""

    async def answer(self, request):
        name = request.path.split("/")[1]
        self.asked.append(name)
        await asyncio.sleep(self.wait)
        told = request.headers.get("Authorization", "") + await request.text()
        if name == "mpesa":
            right = b"right" in base64.b64decode(told.removeprefix("Basic "))
            token = {"access_token": "token", "expires_in": "3599"}
            return web.json_response(token) if right else web.Response(status=400)
        right = "right" in told
        if name == "pesapal":
            soon = "2126-01-01T00:00:00Z"
            ok: dict[str, object] = {"token": "t", "expiryDate": soon, "error": None, "status": "200"}
            error = {"error_type": "api_error", "code": "invalid_consumer_key_or_secret_provided"}
            return web.json_response(ok if right else {"error": error, "status": "500"})
        if right:
            return web.json_response({"status": True, "data": [], "object": "list", "has_more": False})
        return web.json_response({"status": False, "message": f"wrong: {told}", "error": {}}, status=401)


@pytest.fixture
async def providers():
    told = Providers()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", told.answer)
    async with TestServer(app) as server:
        told.url = str(server.make_url("")).rstrip("/")
        yield told


async def installed(tmp_path, url, **urls):
    at = {name: f"{url}/{name}" for name in NAMES} | urls
    settings = Settings(
        secret_keys=SecretStr("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        database_url=f"sqlite+aiosqlite:///{tmp_path}/fresh.db",
        whatsapp=WhatsAppSettings(app_secret=SecretStr("x"), verify_token=SecretStr("y"), graph_url=NOWHERE),
        mpesa=MpesaUrl(url=at["mpesa"]),
        paystack=PaystackUrl(url=at["paystack"]),
        pesapal=PesapalUrl(url=at["pesapal"]),
        stripe=StripeUrl(url=at["stripe"]),
    )
    await upgrade.upgrade(settings.database_url)
    return settings


async def applied(settings, tmp_path, text=FILE, **how):
    (tmp_path / "tenant.toml").write_text(text)
    return await apply_file(settings, tmp_path / "tenant.toml", **how)


async def test_good_keys_are_asked_once_and_said_to_nobody(providers, tmp_path):
    settings = await installed(tmp_path, providers.url)
    assert (await applied(settings, tmp_path))["warnings"] == []
    assert sorted(providers.asked) == list(NAMES)
    await applied(settings, tmp_path)
    await applied(settings, tmp_path, FILE.replace("[tenant]", '[tenant]\nname = "Another"'))
    assert len(providers.asked) == len(NAMES)  # nothing of theirs has changed


async def test_keys_that_are_wrong_are_a_warning_each_and_are_not_shown(providers, tmp_path):
    settings = await installed(tmp_path, providers.url)
    told = await applied(settings, tmp_path, FILE.replace("right", "bad"))
    assert told["created"]
    assert [warning.split(",")[0] for warning in told["warnings"]] == [
        f"providers.{name}: it refuses these keys" for name in NAMES
    ]
    assert not [warning for warning in told["warnings"] if "bad" in warning]


@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_only_who_has_changed_is_asked_again(providers, tmp_path, number):
    settings = await installed(tmp_path, providers.url)
    await applied(settings, tmp_path)
    providers.asked.clear()
    told = await applied(settings, tmp_path, FILE.replace(f"right-{number}", "bad"))
    assert providers.asked == [NAMES[number - 1]]
    assert [warning.partition(":")[0] for warning in told["warnings"]] == [f"providers.{NAMES[number - 1]}"]


async def test_who_cannot_be_reached_keeps_nobody_and_is_no_warning(providers, tmp_path):
    settings = await installed(tmp_path, NOWHERE, stripe=f"{providers.url}/stripe")
    told = await applied(settings, tmp_path, FILE.replace("right", "bad"))
    assert (told["created"], len(told["warnings"])) == (True, 1)
    assert told["warnings"][0].startswith("providers.stripe")


async def test_who_is_slow_is_not_waited_for_and_keeps_no_other_from_being_heard(providers, tmp_path):
    slow = Providers()
    slow.wait = 30.0
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", slow.answer)
    async with TestServer(app) as server:
        settings = await installed(tmp_path, providers.url, mpesa=str(server.make_url("/mpesa")))
        start = time.monotonic()
        told = await applied(settings, tmp_path, FILE.replace("right", "bad"))
        assert time.monotonic() - start < proving.PATIENCE_SECONDS + 2
    assert slow.asked == ["mpesa"]
    assert [warning.partition(":")[0] for warning in told["warnings"]] == [
        f"providers.{name}" for name in NAMES[1:]
    ]


async def test_nobody_is_asked_where_that_is_not_wanted(providers, tmp_path):
    settings = await installed(tmp_path, providers.url)
    await applied(settings, tmp_path, ask=False)
    assert providers.asked == []


async def test_a_file_that_is_refused_asks_nobody(providers, tmp_path):
    settings = await installed(tmp_path, providers.url)
    with pytest.raises(Exception, match="consumer_secret: is missing"):
        await applied(settings, tmp_path, FILE.replace('consumer_secret = "right-1"\n', ""))
    assert providers.asked == []


async def test_names_are_looked_up_as_anywhere():
    resolver = proving._Resolver()
    found = await resolver.resolve("localhost", 80)
    assert {address["host"] for address in found} <= {"127.0.0.1", "::1"}
    assert found[0]["port"] == 80
    with pytest.raises(socket.gaierror):
        await resolver.resolve("no such name", 80)
