"""A sandbox over real HTTP, and a stand-in for the app that it talks to."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from bot.sandbox.keys import certificate_pem, new_private_key
from bot.sandbox.server import emulators
from bot.sandbox.world import DarajaApp, Phone, Shop, Template, World
from tests.sandbox.merchant import Merchant

SECRET = "app-secret"
SHOP = Shop("106540352242922", "254711000111", "token-1", "Mama Njeri Duka")
PHONES = (
    Phone("achieng", "Achieng", "Customer", "KE.1001", number="+254712345678"),
    Phone("juma", "Juma", "Customer", "KE.1002", sim="+254733222111", username="juma_k"),
    Phone("wanjiku", "Wanjiku", "Cashier", "KE.1003", number="+254722000003"),
    Phone("otieno", "Otieno", "Finance manager", "KE.1004", number="+254722000004"),
)


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, span: timedelta) -> None:
        self.at += span


@dataclass
class AppStandIn:
    """Takes webhooks and callbacks, keeps them, and answers `status`."""

    webhooks: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    callbacks: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    raw: list[tuple[bytes, str | None]] = field(default_factory=list)  # with their signatures
    statuses_to_answer: list[int] = field(default_factory=list)

    async def webhook(self, request: web.Request) -> web.Response:
        raw = await request.read()
        wanted = "sha256=" + hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        if request.headers["X-Hub-Signature-256"] != wanted:
            self.refused.append(json.loads(raw))
            return web.Response(status=401)
        if self.statuses_to_answer:
            return web.Response(status=self.statuses_to_answer.pop(0))
        self.webhooks.append(json.loads(raw))
        return web.Response()

    async def callback(self, request: web.Request) -> web.Response:
        told = await request.json() if request.method == "POST" else dict(request.query)
        self.callbacks.append((request.path, told))
        signature = request.headers.get("X-Paystack-Signature") or request.headers.get("Stripe-Signature")
        self.raw.append((await request.read(), signature))
        if self.statuses_to_answer:
            return web.Response(status=self.statuses_to_answer.pop(0))
        if "OrderTrackingId" in told:
            return web.json_response(
                {name[0].lower() + name[1:]: told[name] for name in told} | {"status": 200}
            )
        return web.json_response({"ResultCode": 0, "ResultDesc": "Accepted"})

    @property
    def values(self) -> list[dict[str, Any]]:
        return [webhook["entry"][0]["changes"][0]["value"] for webhook in self.webhooks]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [message for value in self.values for message in value.get("messages", [])]

    @property
    def statuses(self) -> list[dict[str, Any]]:
        return [status for value in self.values for status in value.get("statuses", [])]


@dataclass
class Sandbox:
    """The emulators over HTTP: `graph` sends as the shop, `act` goes through the control API."""

    url: str
    app_url: str
    app: AppStandIn
    session: ClientSession
    clock: Clock

    async def graph(self, token: str = "token-1", **payload: Any) -> tuple[int, dict[str, Any]]:
        whole = {"messaging_product": "whatsapp", **payload}
        return await self.post(f"/v25.0/{SHOP.phone_number_id}/messages", whole, token)

    async def post(self, path: str, body: Any, token: str = "") -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.post(self.url + path, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def act(self, path: str, **body: Any) -> dict[str, Any]:
        status, answer = await self.post(f"/control/{path}", body)
        assert status == 200, answer
        return answer

    async def look(self, path: str) -> dict[str, Any]:
        async with self.session.get(f"{self.url}/control/{path}") as answer:
            assert answer.status == 200
            told: dict[str, Any] = await answer.json()
            return told

    async def arm(self, at: str, fault: str, **more: Any) -> None:
        await self.act("faults", at=at, fault=fault, **more)

    async def hear(self, phone: str = "achieng", text: str = "menu") -> dict[str, Any]:
        """The phone writes, so that its service window is open; the message as the app got it."""
        before = len(self.app.messages)
        await self.act(f"phones/{phone}/text", text=text)
        await until(lambda: len(self.app.messages) > before)
        return self.app.messages[-1]


async def until(true: Callable[[], Any], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  what is waited for happens behind HTTP
            await asyncio.sleep(0.005)


@pytest.fixture(scope="session")
def merchant() -> DarajaApp:
    return DarajaApp(
        merchant="MAMA NJERI DUKA",
        consumer_key="key",
        consumer_secret="secret",
        shortcode="174379",
        passkey="passkey",
        initiator_name="testapi",
        initiator_password="initiator-password",
        private_key=new_private_key(),
        utility=10_000,
    )


@pytest.fixture
def world(merchant: DarajaApp) -> World:
    """To be completed by `sandbox`, which knows the addresses."""
    return World(
        app_url="",
        app_secret=SECRET,
        shops=(SHOP,),
        phones=PHONES,
        daraja=(merchant,),
        templates=(Template("withdrawal_request", "en", "{{1}} asks to withdraw {{2}}", ("See",)),),
        prompt_timeout=30,
        payout_delay=0.02,
        delivery_delay=0,
        retry_delays=(0.01, 0.01),
        ledger_every=0.02,
    )


@pytest.fixture
async def sandbox(world: World) -> AsyncIterator[Sandbox]:
    app, clock = AppStandIn(), Clock()
    web_app = web.Application()
    web_app.router.add_post("/webhooks/whatsapp", app.webhook)
    for method in ("GET", "POST"):
        web_app.router.add_route(method, "/hooks/{tail:.*}", app.callback)
    async with TestServer(web_app) as app_server, ClientSession() as session:
        app_url = str(app_server.make_url("")).rstrip("/")
        placed = replace(world, app_url=app_url, now=clock, forward=clock.forward)
        async with TestServer(emulators(placed)) as server:
            yield Sandbox(str(server.make_url("")).rstrip("/"), app_url, app, session, clock)


@pytest.fixture
def wait() -> Callable[..., Any]:
    return until


@pytest.fixture
def merchant_client(sandbox: Sandbox, merchant: DarajaApp) -> Merchant:
    return Merchant(sandbox, certificate_pem(merchant.private_key, datetime(2026, 1, 1, tzinfo=UTC)))


@pytest.fixture
async def logged_in(merchant_client: Merchant) -> Merchant:
    await merchant_client.log_in()
    return merchant_client
