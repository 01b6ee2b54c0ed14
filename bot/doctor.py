"""Doctor: looks at everything and changes nothing. Each finding says what is so, and its fix."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from typing import Literal
from urllib.parse import urlsplit

import aiohttp
import sqlalchemy as sa

from bot.app import Parts, opened, parts_of
from bot.http import open_session
from bot.settings import Settings
from services.people import people as persons
from services.people.access import APPROVE, INITIATE
from services.people.tenants import Tenant
from services.providers import PROVIDERS, WrongSettings, settings_of
from services.store import upgrade
from services.store.schema import inbox, outbox, tenants
from services.work import Work

_OK = 200


@dataclass(frozen=True)
class Finding:
    level: Literal["good", "warning", "broken"]
    what: str
    fix: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        return asdict(self)


def exit_code(findings: list[Finding]) -> int:
    """0 good, 1 warnings, 2 broken."""
    levels = {finding.level for finding in findings}
    return 2 if "broken" in levels else 1 if "warning" in levels else 0


async def examine(settings: Settings) -> list[Finding]:
    parts = parts_of(settings)
    async with opened(parts):
        findings = [finding async for finding in _installation(parts)]
        if all(finding.level != "broken" for finding in findings):
            async with open_session() as http:
                findings += [finding async for finding in _all_tenants(parts, http)]
    return findings


async def _installation(parts: Parts) -> AsyncIterator[Finding]:
    address = urlsplit(parts.settings.public_url)
    if address.scheme != "https":
        yield Finding(
            "warning",
            f"PUBLIC_URL is {parts.settings.public_url}, which no provider can call",
            "set LIPACHAT_PUBLIC_URL to the https address that reaches this server",
        )
    try:
        current = await upgrade.current(parts.database)
    except Exception as error:  # noqa: BLE001  whatever the driver raises is the finding
        where = parts.database.url.render_as_string(hide_password=True)
        yield Finding(
            "broken",
            f"the database at {where} does not answer ({type(error).__name__})",
            "start it, or correct LIPACHAT_DATABASE_URL",
        )
        return
    if current != upgrade.head():
        yield Finding("broken", "the database has an older schema", "run: python main.py db upgrade")
        return
    yield Finding("good", "the database answers and its schema is current")
    if parts.settings.redis_url is not None:
        yield await _redis(parts)
    async for finding in _queues(parts):
        yield finding


async def _redis(parts: Parts) -> Finding:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    client = Redis.from_url(parts.settings.redis_url or "", socket_connect_timeout=2)
    try:
        await client.execute_command("PING")  # type: ignore[no-untyped-call]
    except (RedisError, OSError) as error:
        return Finding(
            "warning",
            f"Redis does not answer ({type(error).__name__}); workers poll, which is slower",
            "start it, or correct LIPACHAT_REDIS_URL",
        )
    finally:
        await client.aclose()
    return Finding("good", "Redis answers")


async def _queues(parts: Parts) -> AsyncIterator[Finding]:
    async with parts.database.reading() as connection:
        parked = await connection.scalar(
            sa.select(sa.func.count()).select_from(inbox).where(inbox.c.state == "parked")
        )
        held = await connection.scalar(
            sa.select(sa.func.count()).select_from(outbox).where(outbox.c.state == "held")
        )
    if parked:
        yield Finding("warning", f"{parked} events are parked", "look: python main.py events list")
    if held:
        yield Finding("warning", f"{held} messages are held back", "their reason is in the outbox")


async def _all_tenants(parts: Parts, http: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    async with parts.database.reading() as connection:
        ids = (await connection.execute(sa.select(tenants.c.id).order_by(tenants.c.slug))).scalars().all()
    if not ids:
        yield Finding("warning", "there is no tenant", "python main.py tenant apply FILE.toml")
    for tenant_id in ids:
        tenant = await parts.tenants.by_id(tenant_id)
        async for finding in _tenant(parts, tenant, http):
            yield Finding(finding.level, f"{tenant.slug}: {finding.what}", finding.fix)


async def _tenant(parts: Parts, tenant: Tenant, http: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    async with parts.database.transaction() as connection:
        work = Work(connection, parts.vault, tenant.id, parts.clock())
        active = await persons.active_staff(work)
        frozen = (await persons.tenant_of(work)).payouts_frozen
    makers = {person for person, scopes in active.items() if INITIATE in scopes}
    approvers = {person for person, scopes in active.items() if APPROVE in scopes}
    if not any(maker != approver for maker in makers for approver in approvers):
        yield Finding("warning", "no two people can make and approve a withdrawal", "add staff to its file")
    if frozen:
        fix = f"look at the alerts in the audit, then run: python main.py tenant unfreeze {tenant.slug}"
        yield Finding("warning", "its payouts are stopped", fix)
    for finding in _providers(tenant):
        yield finding
    yield await _number(parts, tenant, http)


def _providers(tenant: Tenant) -> Iterator[Finding]:
    known = [name for name in PROVIDERS if name in tenant.providers]
    if not known:
        yield Finding(
            "warning", "customers cannot pay: no provider is set", "add [providers.mpesa] to its file"
        )
    for name in known:
        yield from _provider(name, tenant)


def _provider(name: str, tenant: Tenant) -> Iterator[Finding]:
    provider, currency = PROVIDERS[name], tenant.shop.currency
    if provider.currency != currency:
        what = f"{name} moves {provider.currency} only, and its currency is {currency}"
        yield Finding("warning", what, f"take [providers.{name}] out of its file")
        return
    try:
        settings = settings_of(provider, tenant.providers[name])
    except WrongSettings as wrong:
        yield Finding("broken", f"the settings of {name} are wrong: {wrong}", "correct its file and apply it")
        return
    for what, missing in (("collect", settings.missing_to_collect), ("pay out", settings.missing_to_pay_out)):
        if missing:
            listed = ", ".join(missing)
            yield Finding(
                "warning", f"{name} cannot {what}: {listed} missing", f"add it to [providers.{name}]"
            )


async def _number(parts: Parts, tenant: Tenant, http: aiohttp.ClientSession) -> Finding:
    """A read of the number itself: it shows whether the token is good."""
    if tenant.phone_number_id is None or tenant.access_token is None:
        return Finding("warning", "it has no WhatsApp number or token", "add [whatsapp] to its file")
    whatsapp = parts.settings.whatsapp
    url = f"{whatsapp.graph_url.rstrip('/')}/{whatsapp.api_version}/{tenant.phone_number_id}"
    try:
        async with http.get(url, headers={"Authorization": f"Bearer {tenant.access_token}"}) as answer:
            status = answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        return Finding(
            "warning",
            f"the Graph API does not answer ({type(error).__name__})",
            "check the network, and LIPACHAT_WHATSAPP__GRAPH_URL",
        )
    if status != _OK:
        return Finding(
            "broken",
            f"Meta refuses its number or token (HTTP {status})",
            "make a new permanent token at Meta and apply the file",
        )
    return Finding("good", "its WhatsApp number and token are good")
