import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.sandbox.keys import certificate_pem, new_private_key
from bot.sandbox.seed import PHONES, SHOP, daraja_app, file_text, paystack_account, pesapal_account
from bot.sandbox.server import emulators
from bot.sandbox.world import World, utc_now
from tests.conftest import administer, drop
from tests.e2e.crowd import PEOPLE
from tests.e2e.installation import Installation, ready, stopping
from tests.e2e.phones import Sandbox, browser_page
from tests.e2e.town import Town
from tests.servers import free_port

PRIVATE_KEY = new_private_key()


@dataclass
class Place:
    """An installation and the people around it."""

    installation: Installation
    town: Town
    url: str
    database_url: str

    @property
    def port(self) -> str:
        return self.url.rsplit(":", 1)[1]


@asynccontextmanager
async def prepared(
    folder: Path, outside: tuple[Town, int], database_url: str, **environment: str
) -> AsyncIterator[Place]:
    """With its tables and its tenant; nothing runs yet."""
    town, port = outside
    url = f"http://127.0.0.1:{port}"
    addresses = {
        "LIPACHAT_WHATSAPP__GRAPH_URL": town.url,
        "LIPACHAT_MPESA__URL": town.url,
        "LIPACHAT_PAYSTACK__URL": f"{town.url}/paystack",
        "LIPACHAT_PESAPAL__URL": f"{town.url}/pesapal",
        "LIPACHAT_PUBLIC_URL": url,
        "LIPACHAT_DATABASE_URL": database_url,
    }
    async with stopping(Installation(folder, **addresses | environment)) as installation:
        (folder / "tenant.toml").write_text(file_text(certificate_pem(PRIVATE_KEY, utc_now())))
        await asyncio.to_thread(installation.run, "db", "upgrade")
        await asyncio.to_thread(installation.run, "tenant", "apply", "tenant.toml")
        yield Place(installation, town, url, database_url)


async def started(place: Place, http: aiohttp.ClientSession) -> None:
    """`serve` alone on SQLite; on PostgreSQL `serve --no-worker` and two of `work`."""
    if place.database_url.startswith("postgresql"):
        place.installation.start("serve", "--port", place.port, "--no-worker")
        place.installation.start("work")
        place.installation.start("work")
    else:
        place.installation.start("serve", "--port", place.port)
    await ready(http, place.url)


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def postgres_database(postgres_server):
    """An empty database of its own."""
    name = f"lipachat_e2e_{secrets.token_hex(6)}"
    asyncio.run(administer(postgres_server, f'CREATE DATABASE "{name}"'))
    yield postgres_server.set(database=name).render_as_string(hide_password=False)
    asyncio.run(drop(postgres_server, name))


@pytest.fixture
async def outside(http):
    """The emulators; the app's address is promised before it is there."""
    app_port = free_port()
    world = World(
        app_url=f"http://127.0.0.1:{app_port}",
        app_secret="app-secret",
        shops=(SHOP,),
        phones=(*PHONES, *PEOPLE),
        daraja=(daraja_app(PRIVATE_KEY),),
        paystack=(paystack_account(),),
        pesapal=(pesapal_account(),),
        seed=secrets.token_hex(4),
        payout_delay=0.3,
        delivery_delay=0.02,
        retry_delays=(0.2,) * 300,
    )
    runner = web.AppRunner(emulators(world), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield Town(http, f"http://127.0.0.1:{port}"), app_port
    await runner.cleanup()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.redis])])
def backend_url(request, tmp_path):
    if request.param == "postgres":
        return request.getfixturevalue("postgres_database")
    return f"sqlite+aiosqlite:///{tmp_path}/lipachat.db"


@pytest.fixture
async def ground(request, backend_url, outside, tmp_path):
    """Where nothing runs yet; on PostgreSQL with Redis."""
    several = backend_url.startswith("postgresql")
    redis = {"LIPACHAT_REDIS_URL": request.getfixturevalue("redis_url")} if several else {}
    async with prepared(tmp_path, outside, backend_url, **redis) as place:
        yield place


@pytest.fixture
async def place(ground, http):
    await started(ground, http)
    return ground


@pytest.fixture
def sandbox(tmp_path):
    return Sandbox(tmp_path)


@pytest.fixture
async def phones():
    async with browser_page() as page:
        yield page
