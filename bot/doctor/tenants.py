"""Tenant doctor: what is so with each tenant, its number at WhatsApp and its accounts at providers."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime, timedelta

import aiohttp
import sqlalchemy as sa

from bot.commands import registering
from bot.doctor.clearing import clearing
from bot.doctor.finding import Finding, broken, good, warning
from bot.doctor.keys import keys
from bot.doctor.meta import meta
from bot.doctor.webhooks import webhooks
from bot.parts import Parts
from bot.proving import NotKept
from services.news import Resting
from services.people import people as persons
from services.people.access import who_may_withdraw
from services.people.tenants import Tenant
from services.providers import PROVIDERS, WrongSettings, settings_of
from services.providers.abilities import ProvesKeys, TellsByItself
from services.providers.base import Misconfigured, NotSent, ProviderSettings
from services.rails import carriers
from services.store.schema import audit, provider_tokens, tenants
from services.store.scope import PLATFORM
from services.withdrawals import ways
from services.work import CLI, Work

# An API operator's password at Safaricom lives 90 days: https://developer.safaricom.co.ke/Documentation
_PASSWORD_LIVES = timedelta(days=90)
_REMIND = timedelta(days=80)


async def all_tenants(parts: Parts, http: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    async with parts.database.reading(PLATFORM) as connection:
        ids = (await connection.execute(sa.select(tenants.c.id).order_by(tenants.c.slug))).scalars().all()
    if not ids:
        yield warning("there is no tenant", "run: python main.py tenant apply FILE.toml")
    for tenant_id in ids:
        tenant = await parts.tenants.by_id(tenant_id)
        for findings in (_tenant(parts, tenant, http), webhooks(parts, tenant), clearing(parts, tenant)):
            async for finding in findings:
                yield Finding(finding.level, f"{tenant.slug}: {finding.what}", finding.fix)


async def _tenant(parts: Parts, tenant: Tenant, http: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    async with parts.database.reading(tenant.id) as connection:
        work = Work(connection, parts.vault, tenant.id, parts.clock(), CLI)
        active = await persons.active_staff(work)
        row = await persons.tenant_of(work)
        resting = await ways.resting(work)
    if not who_may_withdraw(active, row.approvals):
        others = "another" if row.approvals == 1 else f"{row.approvals} others"
        yield warning(
            f"nobody can withdraw: it takes one who asks and {others} who approve", "add staff to its file"
        )
    for finding in _stopped(tenant, resting):
        yield finding
    if row.payout_method_type is not None:
        for finding in _way_out(tenant, row.payout_method_type):
            yield finding
    if tenant.forms and parts.settings.whatsapp.forms_key is None:
        fix = "set LIPACHAT_WHATSAPP__FORMS_KEY: python main.py forms key makes one"
        yield warning("it names a form, and forms are off: all is asked in the chat", fix)
    for finding in providers(tenant):
        yield finding
    async for finding in _at_providers(parts, tenant, http):
        yield finding
    async for finding in keys(parts, tenant):
        yield finding
    async for finding in meta(parts, tenant, http):
        yield finding


def providers(tenant: Tenant) -> Iterator[Finding]:
    """What its file says of them."""
    known = [name for name in PROVIDERS if name in tenant.providers]
    if not any(PROVIDERS[name].collects for name in known):
        yield warning("customers cannot pay: no provider is set", "add [providers.mpesa] to its file")
    for name in known:
        yield from _provider(name, tenant)


def _stopped(tenant: Tenant, resting: Iterable[Resting]) -> Iterator[Finding]:
    fix = f"look at the alerts in the audit, then run: python main.py tenant unfreeze {tenant.slug}"
    for each in resting:
        if each.way is None:
            yield warning("its payouts are stopped", fix)
        else:
            what = f"its payouts by {each.way} are stopped (because: {each.because})"
            yield warning(what, f"{fix} --rail {each.way}")


def _way_out(tenant: Tenant, method_type: str) -> Iterator[Finding]:
    """Whether what its file says of withdrawals can be done."""
    able = carriers(method_type)
    if method_type in tenant.shop.pays_out_by or tenant.shop.payout_lacks.get(method_type):
        return  # what the carrier lacks is told with it
    what = f"its withdrawals go by {method_type}, which {' or '.join(able)} carries, and that is not set"
    yield warning(what, f"add [providers.{able[0]}] to its file")


def _provider(name: str, tenant: Tenant) -> Iterator[Finding]:
    provider, currency = PROVIDERS[name], tenant.shop.currency
    if currency not in provider.currencies:
        moved = ", ".join(sorted(provider.currencies))
        what = f"{name} moves {moved} only, and its currency is {currency}"
        yield warning(what, f"take [providers.{name}] out of its file")
        return
    try:
        settings = settings_of(provider, tenant.providers[name])
    except WrongSettings as wrong:
        yield broken(f"the settings of {name} are wrong: {wrong}", "correct its file and apply it")
        return
    for what, missing in (("collect", settings.missing_to_collect), ("pay out", settings.missing_to_pay_out)):
        if missing:
            listed = ", ".join(missing)
            yield warning(f"{name} cannot {what}: {listed} missing", f"add it to [providers.{name}]")


async def _at_providers(parts: Parts, tenant: Tenant, http: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    for name, provider in PROVIDERS.items():
        if name not in tenant.providers or tenant.shop.currency not in provider.currencies:
            continue
        try:
            settings = settings_of(provider, tenant.providers[name])
        except WrongSettings:
            continue  # told already
        url = parts.settings.provider_urls[name]
        client = provider.open(settings, http, url, NotKept(), parts.clock)
        if isinstance(client, ProvesKeys):
            yield await _keys(parts, name, settings, client)
        if provider.signature is not None:
            hook = f"{parts.settings.public_url.rstrip('/')}/hooks/{name}/{tenant.slug}"
            told = [("payments", provider.collects), ("payouts", provider.pays_out)]
            what = " and ".join(what for what, able in told if able)
            yield good(f"{name} tells what becomes of {what} at {hook}: its dashboard must have this address")
        if isinstance(client, TellsByItself) and not settings.missing_to_collect:
            yield await _told_at(parts, tenant, name)
        if not settings.missing_to_pay_out and (reminder := await _password(parts, tenant, name)):
            yield reminder


async def _told_at(parts: Parts, tenant: Tenant, name: str) -> Finding:
    async with parts.database.reading(tenant.id) as connection:
        work = Work(connection, parts.vault, tenant.id, parts.clock(), CLI)
        known = await registering.registered(work)
    run, url = f"python main.py tenant register {tenant.slug}", parts.settings.public_url
    shortcode = await registering.shortcode_of(parts, tenant.slug)
    if known is None:
        return good(f"{name} does not tell of payments that nobody asked for; for that run: {run}")
    if (known["shortcode"], known["public_url"]) == (shortcode, url):
        return good(f"{name} tells of what is paid to {shortcode} by hand, at {url}")
    what = f"{name} tells of what is paid to {known['shortcode']} by hand at {known['public_url']}"
    fix = f"have that taken out at {name}, then run: {run}"
    return warning(f"{what}, and not of {shortcode} at {url}", fix)


async def _keys(parts: Parts, name: str, settings: ProviderSettings, client: ProvesKeys) -> Finding:
    if await _token_lives(parts, settings.app):
        return good(f"the keys of {name} are good: an access token is alive")
    match await client.prove_keys():
        case Misconfigured(detail):
            return broken(
                f"{name} refuses its keys ({detail})", f"correct [providers.{name}] and apply the file"
            )
        case NotSent(detail):
            variable = f"LIPACHAT_{name.upper()}__URL"
            return warning(f"{name} does not answer ({detail})", f"check the network, and {variable}")
        case None:
            return good(f"the keys of {name} are good")


async def _token_lives(parts: Parts, app: str) -> bool:
    query = sa.select(provider_tokens.c.app_hash).where(
        provider_tokens.c.app_hash == hashlib.sha256(app.encode()).digest(),
        provider_tokens.c.sealed.is_not(None),
        provider_tokens.c.expires_at > parts.clock(),
    )
    async with parts.database.reading(PLATFORM) as connection:
        return (await connection.execute(query)).first() is not None


async def _password(parts: Parts, tenant: Tenant, name: str) -> Finding | None:
    """A reminder before M-Pesa's operator is locked out."""
    since = await _settings_since(parts, tenant, name)
    age = parts.clock() - since if since else timedelta()
    if name != "mpesa" or age < _REMIND:
        return None
    what = (
        f"{name}'s initiator password is {age.days} days old or more; it expires after {_PASSWORD_LIVES.days}"
    )
    return warning(what, "set a new one at the M-Pesa portal, and apply it with the file")


async def _settings_since(parts: Parts, tenant: Tenant, name: str) -> datetime | None:
    """When the provider's part of the file last changed, as the audit has it."""
    query = (
        sa.select(audit.c.at, audit.c.action, audit.c.facts)
        .where(audit.c.tenant_id == tenant.id, audit.c.action.in_(("tenant.created", "tenant.changed")))
        .order_by(audit.c.seq.desc())
    )
    async with parts.database.reading(tenant.id) as connection:
        for row in await connection.execute(query):
            if row.action == "tenant.created" or f"providers.{name}" in row.facts.get("changed", ()):
                at: datetime = row.at
                return at
    return None
