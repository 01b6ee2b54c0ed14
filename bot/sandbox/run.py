"""The sandbox: the app and the emulators in one process, on SQLite, with a merchant to play with."""

import asyncio
import base64
import contextlib
import ipaddress
import json
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import uvloop
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import log as logging
from bot.anchoring import AuditSettings
from bot.app import web_app
from bot.commands.registering import register_address
from bot.parts import CannotRun, Parts, parts_of, utc_now
from bot.run import address, bind, listening, told_to_stop
from bot.sandbox import goods
from bot.sandbox.authenticator import Authenticator
from bot.sandbox.books import ledger_of
from bot.sandbox.clock import Clock
from bot.sandbox.endpoint import Endpoint
from bot.sandbox.keys import certificate_pem, new_private_key
from bot.sandbox.seed import (
    BANK_FORM,
    GUIDE,
    MANAGER,
    PHONES,
    SHOP,
    SLUG,
    TEMPLATES,
    accounts,
    daraja_app,
    file_text,
)
from bot.sandbox.server import emulators
from bot.sandbox.world import RECEIVER_PATH, World
from bot.settings import (
    MpesaUrl,
    PaystackUrl,
    PesapalUrl,
    Settings,
    StripeUrl,
    WhatsAppSettings,
    live_keys,
)
from bot.webhooks_out.settings import WebhooksSettings
from services.ids import new_id
from services.people import tenant_file
from services.people.apply import apply, id_of
from services.safety.vault import Vault
from services.store import upgrade
from services.store.database import Database
from services.store.schema import products
from services.store.scope import PLATFORM
from services.work import CLI, Work

_BANK_LAYOUT = Path(__file__).parents[1] / "whatsapp" / "bank.json"
_LAST_PORT = 65535
_ANCHORS = "anchors"
_TENANT_FILE = "sandbox-tenant.toml"
_FILES = (
    "clock",
    "codes.json",
    "forms.pem",
    "lipachat.db",
    "lipachat.db-wal",
    "lipachat.db-shm",
    "daraja.pem",
    "secret_key",
    "app_secret",
    "webhook_secret",
    _TENANT_FILE,
)


@dataclass(frozen=True)
class Kept:
    """What a data directory keeps from run to run."""

    database_url: str
    secret_key: str
    app_secret: str
    daraja_key: RSAPrivateKey
    forms_pem: str


def sandbox(host: str, port: int, data: Path, *, reset: bool) -> None:
    """Until it is told to stop. Raises CannotRun."""
    if live := live_keys():
        raise CannotRun(f"The sandbox takes no live keys: unset {', '.join(live)}.")
    if not _is_loopback(host):
        raise CannotRun(f"The sandbox listens on this machine only, and {host} is not 127.0.0.1.")
    if not 0 < port < _LAST_PORT:
        raise CannotRun(f"--port is a number from 1 to {_LAST_PORT - 1}: the sandbox takes it and the next.")
    logging.configure("console", "warning")
    uvloop.run(_until_told(host, port, data, reset=reset))


async def _until_told(host: str, port: int, data: Path, *, reset: bool) -> None:
    told = told_to_stop()
    async with running(host, port, data, reset=reset) as (app_url, page_url):
        lines = (
            f"Phones, money and ledger:  {page_url}/",
            f"The app itself:            {app_url}/readyz",
            f"Its data:                  {data}  (start afresh with --reset)",
            "Press Ctrl+C to stop.",
        )
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        await told.wait()


@contextlib.asynccontextmanager
async def running(host: str, port: int, data: Path, *, reset: bool = False) -> AsyncIterator[tuple[str, str]]:
    """The addresses of the app and of the page."""
    app_socket, page_socket = _bind_both(host, port)
    if reset:
        _forget(data)
    app_url, page_url = address(host, port), address(host, port + 1)
    kept = await asyncio.to_thread(_keep, data)
    settings = _settings(kept, app_url, page_url, data / _ANCHORS)
    await upgrade.upgrade(settings.database_url)
    text = await asyncio.to_thread(_tenant_text, data, kept, page_url)
    await _seed(settings, text, page_url)
    clock = Clock(data / "clock")
    parts = parts_of(settings, clock)
    endpoint = Endpoint(parts, SLUG, MANAGER, f"{page_url}{RECEIVER_PATH}", data / "webhook_secret")
    world = World(
        app_url=app_url,
        app_secret=kept.app_secret,
        shops=(SHOP,),
        phones=PHONES,
        guide=GUIDE,
        templates=TEMPLATES,
        daraja=(daraja_app(kept.daraja_key),),
        **accounts(),
        ledger=ledger_of(parts.database),
        endpoint=endpoint,
        codes=Authenticator(parts, SLUG, data / "codes.json").code,
        forms={BANK_FORM: json.loads(_BANK_LAYOUT.read_text())},
        forms_key=_public(kept.forms_pem),
        now=clock,
        forward=clock.forward,
        seed=secrets.token_hex(8),  # its ids must be new to a database that remembers the last run's
    )
    async with listening(emulators(world), page_socket), listening(web_app(parts, worker=True), app_socket):
        await endpoint.ready()
        await _register(settings, parts)
        yield app_url, page_url


def _bind_both(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    try:
        return bind(host, port), bind(host, port + 1)
    except CannotRun as error:
        raise CannotRun(f"{error} Stop what runs there, or choose another --port: it and the next.") from None


def _forget(data: Path) -> None:
    """Only what a sandbox wrote: the directory may be any that somebody named."""
    for name in _FILES:
        (data / name).unlink(missing_ok=True)
    for anchor in (data / _ANCHORS).rglob("*.anchor"):
        anchor.unlink()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _keep(data: Path) -> Kept:
    data.mkdir(parents=True, exist_ok=True)

    def once(name: str, make: str) -> str:
        path = data / name
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(make)
        return path.read_text()

    daraja_key = load_pem_private_key(once("daraja.pem", _new_pem()).encode(), None)
    if not isinstance(daraja_key, RSAPrivateKey):
        raise CannotRun(f"{data}/daraja.pem holds another key. Start afresh with --reset.")
    return Kept(
        database_url=f"sqlite+aiosqlite:///{data}/lipachat.db",
        secret_key=once("secret_key", base64.b64encode(secrets.token_bytes(32)).decode()),
        app_secret=once("app_secret", secrets.token_hex(16)),
        daraja_key=daraja_key,
        forms_pem=once("forms.pem", _new_pem()),
    )


def _new_pem() -> str:
    return new_private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _public(pem: str) -> str:
    key = load_pem_private_key(pem.encode(), None).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _settings(kept: Kept, app_url: str, page_url: str, anchors: Path) -> Settings:
    return Settings(
        database_url=kept.database_url,
        secret_keys=SecretStr(kept.secret_key),
        public_url=app_url,
        whatsapp=WhatsAppSettings(
            app_secret=SecretStr(kept.app_secret),
            verify_token=SecretStr("sandbox"),
            graph_url=page_url,
            forms_key=SecretStr(kept.forms_pem),
        ),
        **addresses(page_url),
        audit=AuditSettings(anchor=anchors),
        webhooks=WebhooksSettings(allow_loopback=True),
    )


async def _register(settings: Settings, parts: Parts) -> None:
    """What the last run's M-Pesa has forgotten; a shop that has left M-Pesa has nothing to register."""
    tenant = await parts.tenants.by_slug(SLUG)
    if tenant is not None and "mpesa" in tenant.providers:
        await register_address(settings, SLUG, again=True)


def addresses(page_url: str) -> dict[str, Any]:
    """Of the emulated providers, as Settings have them."""
    return {
        "mpesa": MpesaUrl(url=page_url),
        "paystack": PaystackUrl(url=f"{page_url}/paystack"),
        "pesapal": PesapalUrl(url=f"{page_url}/pesapal"),
        "stripe": StripeUrl(url=f"{page_url}/stripe"),
    }


def _tenant_text(data: Path, kept: Kept, page_url: str) -> str:
    """Kept as a file too, for whoever has an installation of their own call these emulators."""
    text = file_text(certificate_pem(kept.daraja_key, utc_now())) + goods.products(page_url)
    path = data / _TENANT_FILE
    path.touch(mode=0o600)
    path.write_text(text)
    return text


async def _seed(settings: Settings, text: str, page_url: str) -> None:
    """The merchant; what the person at the page has changed since is not touched, but for where the pictures
    are: that is the port of today."""
    database = Database(settings.database_url)
    file = tenant_file.read(text, "the sandbox's tenant file")
    try:
        async with database.reading(PLATFORM) as connection:
            known = await id_of(connection, file.tenant.slug)
        tenant = known or new_id()
        async with database.transaction(tenant) as connection:
            if known is not None:
                await _move_pictures(connection, tenant, page_url)
            else:
                await apply(Work(connection, Vault(settings.keys), tenant, utc_now(), CLI), file)
    finally:
        await database.close()


async def _move_pictures(connection: AsyncConnection, tenant: UUID, page_url: str) -> None:
    for sku, picture in goods.pictures(page_url).items():
        mine = (products.c.tenant_id == tenant, products.c.sku == sku, products.c.image.is_not(None))
        await connection.execute(sa.update(products).where(*mine).values(image=picture))
