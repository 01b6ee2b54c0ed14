"""`tenant register`: M-Pesa is told once where to call, and doctor says so."""

from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.commands.registering import register_address
from bot.commands.tenants import apply_file
from bot.doctor.installation import examine
from bot.parts import CannotRun
from bot.sandbox.keys import certificate_pem, new_private_key
from bot.sandbox.seed import SHOP, daraja_app, file_text
from bot.sandbox.server import emulators
from bot.sandbox.world import World
from bot.settings import MpesaUrl, Settings, WhatsAppSettings
from services.store import upgrade
from tests.bot.market import NOWHERE

KEY = new_private_key()


class Outside:
    """The emulated M-Pesa."""

    def __init__(self, url, session):
        self.url, self._session = url, session

    async def act(self, path, **body):
        async with self._session.post(f"{self.url}/control/{path}", json=body) as answer:
            assert answer.status == 200


@pytest.fixture
async def outside():
    world = World(
        app_url=NOWHERE, app_secret="x", shops=(SHOP,), phones=(), daraja=(daraja_app(KEY),), templates=()
    )
    async with TestServer(emulators(world)) as server, ClientSession() as session:
        yield Outside(str(server.make_url("")).rstrip("/"), session)


@pytest.fixture
async def settings(outside, tmp_path):
    settings = Settings(
        secret_keys=SecretStr("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        database_url=f"sqlite+aiosqlite:///{tmp_path}/fresh.db",
        public_url="https://pay.shop.co.ke",
        whatsapp=WhatsAppSettings(
            app_secret=SecretStr("x"), verify_token=SecretStr("y"), graph_url=outside.url
        ),
        mpesa=MpesaUrl(url=outside.url),
    )
    await upgrade.upgrade(settings.database_url)
    (tmp_path / "tenant.toml").write_text(file_text(certificate_pem(KEY, datetime.now(UTC))))
    await apply_file(settings, tmp_path / "tenant.toml", ask=False)
    return settings


def elsewhere(settings):
    return settings.model_copy(update={"public_url": "https://elsewhere.co.ke"})


async def said(settings):
    found = [(each.level, each.what) for each in await examine(settings) if " by hand" in each.what]
    return found or [
        (each.level, each.what) for each in await examine(settings) if "nobody asked for" in each.what
    ]


async def test_it_is_done_once_and_said(settings):
    ((level, what),) = await said(settings)
    assert (level, what.rpartition(": ")[2]) == ("good", "python main.py tenant register mama-njeri")
    told = {
        "slug": "mama-njeri",
        "provider": "mpesa",
        "shortcode": "600100",
        "public_url": "https://pay.shop.co.ke",
    }
    assert await register_address(settings, "mama-njeri") == told | {"registered": True}
    assert await said(settings) == [
        ("good", "mama-njeri: mpesa tells of what is paid to 600100 by hand, at https://pay.shop.co.ke")
    ]
    assert await register_address(settings, "mama-njeri") == told | {"registered": False}
    again = await register_address(settings, "mama-njeri", again=True)
    assert again == told | {"registered": True}


async def test_another_address_is_refused_until_somebody_takes_the_first_one_out(settings, outside):
    await register_address(settings, "mama-njeri")
    moved = elsewhere(settings)
    ((level, what),) = await said(moved)
    assert level == "warning"
    assert what.endswith("and not of 600100 at https://elsewhere.co.ke")
    with pytest.raises(CannotRun, match=r"takes no address for mama-njeri .*URL management"):
        await register_address(moved, "mama-njeri")
    assert (await said(moved))[0][0] == "warning"
    await outside.act("c2b/forget")
    assert (await register_address(moved, "mama-njeri"))["registered"]
    assert (await said(moved))[0][0] == "good"


async def test_what_was_not_heard_is_not_said_to_be_done_and_may_be_said_again(settings, outside):
    await outside.act("faults", at="c2b.register", fault="500_after")
    with pytest.raises(CannotRun, match="was not told where to call for mama-njeri"):
        await register_address(settings, "mama-njeri")
    assert "nobody asked for" in (await said(settings))[0][1]
    assert (await register_address(settings, "mama-njeri"))["registered"]


async def test_an_address_that_mpesa_refuses_is_not_registered(settings):
    wrong = settings.model_copy(update={"public_url": "https://mpesa.shop.co.ke"})
    with pytest.raises(CannotRun, match="Invalid ConfirmationURL"):
        await register_address(wrong, "mama-njeri")


async def test_a_tenant_that_has_no_mpesa_is_told(settings, tmp_path):
    with pytest.raises(CannotRun, match="No tenant is called nobody"):
        await register_address(settings, "nobody")
    (tmp_path / "bare.toml").write_text('[tenant]\nslug = "bare"\n')
    await apply_file(settings, tmp_path / "bare.toml", ask=False)
    with pytest.raises(CannotRun, match=r"bare has no \[providers.mpesa\]"):
        await register_address(settings, "bare")
