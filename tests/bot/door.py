"""Door: the web application as the outside meets it, over real HTTP on a fresh database."""

import asyncio
import hmac
import io
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.app import web_app
from bot.parts import Parts
from bot.run import bind, listening
from bot.settings import Settings, WhatsAppSettings
from bot.whatsapp.forms import FormsKey, new_key
from services import hooks, ledger
from services.ids import new_id
from services.money import Money
from services.people import tenant_file
from services.people.apply import apply
from services.people.tenants import TenantBook
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database
from services.store.schema import inbox
from services.store.scope import OWNER
from services.work import Work
from tests.services.watched import all_said

NUMBER = "106540352242922"
OLD_SECRET, NEW_SECRET = b"the old secret", b"the new secret"
VERIFY_TOKEN = "the verify token"
FORMS_PEM = new_key()
FORMS_PUBLIC_PEM = FormsKey(FORMS_PEM).public_pem
SHOP = """
[tenant]
slug = "shop-{number}"
name = "Mama Njeri"
active = {active}
[whatsapp]
phone_number_id = "{number}"
access_token = "the access token"
bank_form = "1093847261"
[providers.mpesa]
shortcode = "174379"
consumer_key = "key"
consumer_secret = "secret"
passkey = "passkey"
initiator_name = "api"
security_credential = "sealed"
[payout]
method_type = "mpesa"
method_details = {{ phone_number = "+254700123456" }}
[[staff]]
name = "Achieng"
phone = "+254722000001"
role = "Cashier"
[[staff]]
name = "Kamau"
phone = "+254722000002"
role = "Finance Admin"
"""

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    headers: dict[str, str]


class Door:
    def __init__(self, parts: Parts, bell: "Rings", graph: "Graph", http: ClientSession, url: str) -> None:
        self.database, self.vault, self.bell, self.graph = parts.database, parts.vault, bell, graph
        self.http, self.url = http, url

    async def get(self, path: str, **query: str) -> Answer:
        async with self.http.get(f"{self.url}{path}", params=query) as answer:
            return Answer(answer.status, await answer.text(), dict(answer.headers))

    async def post(self, path: str, body: Any, **headers: str) -> Answer:
        """`body`: bytes, or a generator of them for a body whose length is not told."""
        sent = io.BytesIO(body) if isinstance(body, bytes) else body
        async with self.http.post(f"{self.url}{path}", data=sent, headers=headers) as answer:
            return Answer(answer.status, await answer.text(), dict(answer.headers))

    async def update(self, body: bytes | dict[str, Any], signature: str | None = None) -> Answer:
        """What Meta posts, signed as it signs."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.post(
            "/webhooks/whatsapp", raw, **{"X-Hub-Signature-256": signature or signed(raw, OLD_SECRET)}
        )

    async def exchange(self, body: bytes, signature: str | None = None) -> Answer:
        """What a phone asks while a form is filled in, signed as Meta signs."""
        signature = signed(body, OLD_SECRET) if signature is None else signature
        return await self.post("/webhooks/whatsapp/forms", body, **{"X-Hub-Signature-256": signature})

    async def open_shop(self, number: str = NUMBER, *, active: bool = True, more: str = "") -> UUID:
        """`more`: other parts of the tenant's file."""
        text = SHOP.format(number=number, active=str(active).lower()) + more
        tenant = new_id()
        async with self.database.transaction(tenant) as connection:
            work = Work(connection, self.vault, tenant, now())
            return (await apply(work, tenant_file.read(text, "shop.toml"))).tenant_id

    async def fund(self, tenant: UUID, amount: str) -> None:
        """As customers who have paid would have done."""
        sale = ledger.Transfer("provider:mpesa", ledger.WALLET, Money.parse(amount, "KES"), "opening")
        async with self.database.transaction(tenant) as connection:
            await ledger.post(Work(connection, self.vault, tenant, now()), new_id(), [sale])

    async def mint(self, tenant: UUID) -> str:
        """The token of a callback address."""
        async with self.database.transaction(tenant) as connection:
            return await hooks.mint(Work(connection, self.vault, tenant, now()), "collect", new_id())

    async def stored(self, *columns: str) -> list[Any]:
        """These columns of what came in, in the order of its arrival; bare where it is one."""
        picked = [inbox.c[name] for name in columns]
        query = sa.select(*picked).order_by(inbox.c.received_at, inbox.c.seq)
        async with self.database.reading(OWNER) as connection:
            rows = (await connection.execute(query)).all()
        return [row[0] if len(columns) == 1 else tuple(row) for row in rows]

    async def counted(self) -> Counter[str]:
        return Counter(await self.stored("external_id"))

    async def body(self, external_id: str) -> bytes:
        query = sa.select(inbox).where(inbox.c.external_id == external_id)
        async with self.database.reading(OWNER) as connection:
            row = (await connection.execute(query)).one()
        name = f"{row.kind}|{row.external_id}|{row.status}"
        return self.vault.open(row.body_sealed, row.tenant_id, "inbox.body", name)

    async def hears(self, number: int = 1) -> list[Json]:
        """What was sent to WhatsApp, once it is so many messages."""
        async with asyncio.timeout(10):
            while len(self.graph.sent) < number:  # noqa: ASYNC110  WhatsApp rings no bell
                await asyncio.sleep(0.01)
        return self.graph.sent


class Rings(Bell):
    """Remembers what has rung."""

    def __init__(self) -> None:
        super().__init__()
        self.rung: list[str] = []

    def ring(self, topic: str) -> None:
        self.rung.append(topic)
        super().ring(topic)


class Graph:
    """Takes every message, and remembers it."""

    def __init__(self) -> None:
        self.sent: list[Json] = []

    async def take(self, request: web.Request) -> web.Response:
        message = await request.json()
        if "type" in message:  # else it is a read receipt
            self.sent.append(message)
        return web.json_response({"messages": [{"id": f"wamid.{len(self.sent)}"}]})


def settings_of(graph_url: str) -> Settings:
    return Settings(
        secret_keys=SecretStr("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        whatsapp=WhatsAppSettings(
            app_secret=SecretStr(f"{NEW_SECRET.decode()}, {OLD_SECRET.decode()}"),
            verify_token=SecretStr(VERIFY_TOKEN),
            graph_url=graph_url,
            forms_key=SecretStr(FORMS_PEM),
        ),
        trusted_proxies="127.0.0.0/8",
    )


@asynccontextmanager
async def opened(
    database: Database,
    vault: Vault,
    *,
    worker: bool = False,
    book: type[TenantBook] = TenantBook,
    **changed: Any,
) -> AsyncIterator[Door]:
    """With a `worker` what is taken is also answered, to a WhatsApp that takes everything. `changed`: other
    settings."""
    graph, outside = Graph(), web.Application()
    outside.router.add_post("/{tail:.*}", graph.take)
    async with AsyncExitStack() as stack:
        stack.enter_context(all_said(database))
        there = await stack.enter_async_context(TestServer(outside))
        settings = settings_of(str(there.make_url(""))).model_copy(update=changed)
        parts = Parts(settings, database, vault, book(database, vault, now), bell := Rings(), now)
        bound = bind("127.0.0.1", 0)
        await stack.enter_async_context(listening(web_app(parts, worker=worker), bound))
        http = await stack.enter_async_context(ClientSession())
        yield Door(parts, bell, graph, http, f"http://127.0.0.1:{bound.getsockname()[1]}")


def now() -> datetime:
    return datetime.now(UTC)


def signed(body: bytes, secret: bytes) -> str:
    return "sha256=" + hmac.digest(secret, body, "sha256").hex()


# WhatsApp's window is open; and the same message is the same bytes, however long a test takes.
_LATELY = str(int(now().timestamp()))


def text(id_: str, words: str = "menu", **fields: Any) -> dict[str, Any]:
    """A typed message; a field of None is left out."""
    message = {
        "from": "254712345678",
        "id": id_,
        "timestamp": _LATELY,
        "type": "text",
        "text": {"body": words},
    }
    return {key: value for key, value in (message | fields).items() if value is not None}


def envelope(*messages: Any, number: str = NUMBER, statuses: Sequence[Any] = ()) -> dict[str, Any]:
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "254711000100", "phone_number_id": number},
    }
    if messages:
        value["messages"] = list(messages)
    if statuses:
        value["statuses"] = list(statuses)
    change = {"field": "messages", "value": value}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
