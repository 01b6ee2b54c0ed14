"""Market: a merchant whose calls and callbacks go over real HTTP to an emulated M-Pesa and back.

Time stands still unless a test moves it; only what the emulator itself waits for takes real moments.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from bot.app import web_app
from bot.callbacks import Callbacks
from bot.calls import Calls
from bot.http import open_session
from bot.parts import Parts
from bot.providers import Providers
from bot.run import bind, listening
from bot.sandbox.keys import certificate_pem, new_private_key
from bot.sandbox.server import emulators
from bot.sandbox.world import DarajaApp, PaystackAccount, PesapalAccount, StripeAccount, World
from services.facts import Way
from services.news import PaymentMethod
from services.people.tenants import TenantBook
from services.providers import PROVIDERS
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database
from services.store.schema import attempts, credentials, inbox, jobs, payouts, tenants, withdrawals
from services.store.scope import OWNER
from tests.bot.door import settings_of
from tests.services.business import Business
from tests.services.watched import all_said

MERCHANT = DarajaApp(
    merchant="MAMA NJERI DUKA",
    consumer_key="key",
    consumer_secret="secret",
    shortcode="174379",
    passkey="passkey",
    initiator_name="testapi",
    initiator_password="initiator-password",
    private_key=new_private_key(),
    working=100_000,
)
SETTINGS = {
    "shortcode": "174379",
    "consumer_key": "key",
    "consumer_secret": "secret",
    "passkey": "passkey",
    "initiator_name": "testapi",
    "initiator_password": "initiator-password",
    "certificate": certificate_pem(MERCHANT.private_key, datetime(2026, 1, 1, tzinfo=UTC)),
}
PAYSTACK = {"secret_key": "sk_test_market"}
STRIPE = {"secret_key": "sk_test_market", "webhook_secret": "whsec_market"}
PESAPAL = {"consumer_key": "pesapal-key", "consumer_secret": "pesapal-secret"}
NOWHERE = "http://127.0.0.1:9"  # nobody listens on the discard port


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Came:
    """What a provider has posted: its address, and its bytes."""

    path: str
    body: bytes


class Market:
    """`app_url` is where callbacks come in, `daraja_url` where calls go out."""

    def __init__(self, business: Business, http: ClientSession, outside: ClientSession) -> None:
        self.business, self._http, self._outside = business, http, outside
        self.database, self.vault, self.bell = business.database, business.vault, Bell()
        self.app_url = self.daraja_url = ""
        self.shut, self.came = False, list[Came]()
        self.calls: Calls
        self.callbacks: Callbacks

    def clock(self) -> datetime:
        return self.business.now

    @web.middleware
    async def gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Remembers what providers post; while it is `shut` the app is away for them, and not for a test."""
        if not request.path.startswith("/hooks/"):
            return await handler(request)
        away = self.shut and "By-Hand" not in request.headers
        came = Came(request.path_qs, await request.read())
        answer = web.Response(status=503) if away else await handler(request)
        self.came.append(came)
        return answer

    def workers(self, url: str | None = None, **options: Any) -> tuple[Calls, Callbacks]:
        """Those of another process: nothing is shared with ours but the database."""
        book = TenantBook(self.database, self.vault, self.clock)
        urls = {} if url is None else {"mpesa": url}
        providers = Providers(self.database, self.vault, book, self._http, self.urls | urls, self.clock)
        return self.workers_with(providers, **options)

    @property
    def urls(self) -> dict[str, str]:
        """Of the emulators: M-Pesa's is the whole address, the others stand under their names."""
        return {name: f"{self.daraja_url}/{name}" for name in PROVIDERS} | {"mpesa": self.daraja_url}

    async def client(self, provider: str) -> Any:
        """Of the tenant's, in a process of its own."""
        calls, _ = self.workers()
        return await calls._providers.of(self.business.tenant, provider)

    def workers_with(self, providers: Any, **options: Any) -> tuple[Calls, Callbacks]:
        shared = (self.database, self.vault, providers, self.bell, self.clock)
        return Calls(*shared, self.app_url, **options), Callbacks(*shared)

    async def set_up(self, settings: dict[str, Any] | None, part: str = "mpesa") -> None:
        """What the tenant's file says of a provider; a moment later every process knows."""
        self.business.forward(seconds=2)
        async with self.business.work() as work:
            mine = (credentials.c.tenant_id == work.tenant, credentials.c.part == part)
            await work.connection.execute(sa.delete(credentials).where(*mine))
            if settings is not None:
                place = (work.tenant, "credentials.sealed", part)
                sealed = self.vault.seal(json.dumps(settings).encode(), *place)
                row = {"tenant_id": work.tenant, "part": part, "sealed": sealed}
                await work.connection.execute(sa.insert(credentials).values(row))
            newer = sa.update(tenants).where(tenants.c.id == work.tenant)
            await work.connection.execute(newer.values(version=tenants.c.version + 1))

    # --- time goes on

    async def work(self) -> None:
        """All that is due now."""
        while await self.calls.once() or await self.callbacks.once():
            pass

    async def later(self, **span: float) -> None:
        self.business.forward(**span)
        await self.work()

    async def told(self, number: int = 1) -> None:
        """Once so many callbacks have come in, all that is due."""
        await until(lambda: self._came(number))
        await self.work()

    async def _came(self, number: int) -> bool:
        return len(await self.hooks()) >= number

    # --- the emulated M-Pesa and its people

    async def act(self, path: str, **body: Any) -> None:
        async with self._outside.post(f"{self.daraja_url}/control/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def arm(self, at: str, fault: str, **more: Any) -> None:
        await self.act("faults", at=at, fault=fault, **more)

    async def prompts(self) -> list[dict[str, Any]]:
        return await self._look("prompts")

    async def sent_payouts(self) -> list[dict[str, Any]]:
        return await self._look("payouts")

    async def _look(self, what: str, at: str | None = None) -> list[dict[str, Any]]:
        async with self._outside.get(f"{self.daraja_url}/control/{at or what}") as answer:
            listed: list[dict[str, Any]] = (await answer.json())[what]
            return listed

    async def phone(self, outcome: str) -> None:
        """What the customer does with the prompt that rings."""
        await self.act(f"prompts/{(await self.prompts())[-1]['id']}", outcome=outcome)

    async def fill_in(self, page: str, **form: str) -> int:
        """What a customer does on a hosted page; the browser goes nowhere after it."""
        async with self._outside.post(page, data=form, allow_redirects=False) as answer:
            return answer.status

    async def delete(self, path: str) -> None:
        async with self._outside.delete(f"{self.daraja_url}/control/{path}") as answer:
            assert answer.status == 200, await answer.text()

    async def post(self, token: str, body: Any) -> int:
        """A callback by whoever knows the address."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self._outside.post(f"{self.app_url}/hooks/{token}", data=raw) as answer:
            return answer.status

    # --- what can be seen of it

    async def attempt(self, attempt_id: UUID) -> str:
        return str((await self.business.row(attempts, attempt_id)).state)

    async def payout(self, payout_id: UUID) -> str:
        return str((await self.business.row(payouts, payout_id)).state)

    async def withdrawal(self, withdrawal_id: UUID) -> str:
        return str((await self.business.row(withdrawals, withdrawal_id)).status)

    async def hooks(self) -> list[sa.Row[Any]]:
        async with self.database.reading(OWNER) as connection:
            query = sa.select(inbox).where(inbox.c.kind == "hook").order_by(inbox.c.seq)
            return list((await connection.execute(query)).all())

    async def job(self, target: UUID, kind: str | None = None) -> sa.Row[Any]:
        """The only one; of this kind, where it is said."""
        mine = [jobs.c.target_id == target] + ([jobs.c.kind == kind] if kind else [])
        async with self.database.reading(OWNER) as connection:
            return (await connection.execute(sa.select(jobs).where(*mine))).one()


class SlowDaraja:
    """Accepts prompts and keeps the answers back until `answers` is set."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answers = asyncio.Event()
        self.url = ""

    async def token(self, _request: web.Request) -> web.Response:
        return web.json_response({"access_token": "token", "expires_in": "3599"})

    async def prompt(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        told = {"ResponseCode": "0", "CheckoutRequestID": f"ws_CO_{len(self.asked)}"}
        await self.answers.wait()
        return web.json_response(told | {"MerchantRequestID": f"merchant-{len(self.asked)}"})


@asynccontextmanager
async def slow_daraja() -> AsyncIterator[SlowDaraja]:
    slow, app = SlowDaraja(), web.Application()
    app.add_routes([web.get("/oauth/v1/generate", slow.token), web.post("/{path:.+}", slow.prompt)])
    async with TestServer(app) as server:
        slow.url = str(server.make_url("")).rstrip("/")
        yield slow
        slow.answers.set()


@asynccontextmanager
async def opened(database: Database, vault: Vault) -> AsyncIterator[Market]:
    async with AsyncExitStack() as stack:
        stack.enter_context(all_said(database))
        business = await Business(database, vault).open()
        http = await stack.enter_async_context(open_session())
        market = Market(business, http, await stack.enter_async_context(ClientSession()))
        book = TenantBook(database, vault, market.clock)
        app = web_app(
            Parts(settings_of(NOWHERE), database, vault, book, market.bell, market.clock), worker=False
        )
        app.cleanup_ctx.clear()  # the database is the test's, and outlives it
        app.middlewares.append(market.gate)
        bound = bind("127.0.0.1", 0)
        await stack.enter_async_context(listening(app, bound))
        market.app_url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        world = World(
            app_url=market.app_url,
            app_secret="app-secret",
            shops=(),
            phones=(),
            daraja=(MERCHANT,),
            paystack=(PaystackAccount("MAMA NJERI DUKA", business.slug, PAYSTACK["secret_key"]),),
            pesapal=(PesapalAccount("MAMA NJERI DUKA", "pesapal-key", "pesapal-secret"),),
            stripe=(StripeAccount("MAMA NJERI DUKA", business.slug, *STRIPE.values()),),
            retry_delays=(0.02,) * 3,
            now=market.clock,
            prompt_timeout=60,
            payout_delay=0.02,
        )
        daraja = await stack.enter_async_context(TestServer(emulators(world)))
        market.daraja_url = str(daraja.make_url("")).rstrip("/")
        market.calls, market.callbacks = market.workers()
        await market.set_up(SETTINGS)
        await market.set_up(PAYSTACK, "paystack")
        yield market


async def until(look: Callable[[], Awaitable[Any]], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not await look():  # noqa: ASYNC110  rows of a database ring no bell
            await asyncio.sleep(0.01)


def with_phone(number: int) -> Way:
    """Each its own, since a phone takes one prompt at a time."""
    phone = f"+254700{number:06}"
    return Way(method=PaymentMethod(provider="mpesa", label=f"********{phone[-4:]}"), phone=phone)


def prompt_told(checkout: str, code: int, amount: float | None = None, receipt: str = "UKO0000001") -> Any:
    """The body of a prompt's callback."""
    told: dict[str, Any] = {
        "MerchantRequestID": "merchant-1",
        "CheckoutRequestID": checkout,
        "ResultCode": code,
        "ResultDesc": "said",
    }
    if amount is not None:
        items = [{"Name": "Amount", "Value": amount}, {"Name": "MpesaReceiptNumber", "Value": receipt}]
        told["CallbackMetadata"] = {"Item": items}
    return {"Body": {"stkCallback": told}}
