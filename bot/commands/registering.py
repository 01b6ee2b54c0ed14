"""Registering: a provider is told, once, where to tell of what customers pay without being asked.

It takes the addresses of a business once, so it is done by a person, and not by applying a file: an address
that was a mistake is taken out by people there. That it was done is kept in the audit.
"""

from typing import Any

import sqlalchemy as sa

from bot.commands.opening import known_tenant, opened
from bot.http import open_session
from bot.parts import CannotRun, Parts
from bot.providers import NoProvider, Providers
from bot.settings import Settings
from services import audit, hooks
from services.providers.abilities import TellsByItself
from services.providers.base import Accepted, Answer, Refused
from services.store import schema
from services.store.scope import PLATFORM
from services.work import CLI, Work

PROVIDER = "mpesa"
REGISTERED = "provider.address_registered"
_HOW_TO_FREE = (
    "Where it is another address, take it out there (for M-Pesa: the Daraja portal, URL management, or "
    "apisupport@safaricom.co.ke), and run this again"
)


async def register_address(settings: Settings, slug: str, *, again: bool = False) -> dict[str, Any]:
    """Once for one PUBLIC_URL and shortcode, unless `again`. Raises CannotRun."""
    async with opened(settings) as parts:
        async with parts.database.reading(PLATFORM) as connection:
            tenant_id = await known_tenant(connection, slug)
        facts = {
            "provider": PROVIDER,
            "shortcode": await shortcode_of(parts, slug),
            "public_url": settings.public_url,
        }
        told = {"slug": slug, **facts}
        async with parts.database.transaction(tenant_id) as connection:
            work = Work(connection, parts.vault, tenant_id, parts.clock(), CLI)
            if not again and await registered(work) == facts:
                return told | {"registered": False}
            urls = [
                await hooks.lasting(work, settings.public_url, PROVIDER, asked=asked)
                for asked in (False, True)
            ]
        _refuse(slug, await _asked(parts, tenant_id, urls))
        async with parts.database.transaction(tenant_id) as connection:
            work = Work(connection, parts.vault, tenant_id, parts.clock(), CLI)
            await audit.record(work, audit.OPERATOR, REGISTERED, tenant_id, facts)
    return told | {"registered": True}


async def shortcode_of(parts: Parts, slug: str) -> str:
    """What customers pay to. Raises CannotRun."""
    tenant = await parts.tenants.by_slug(slug)
    facts = tenant.providers.get(PROVIDER) if tenant else None
    if facts is None:
        raise CannotRun(f"{slug} has no [providers.{PROVIDER}] in its file.")
    return str(facts.get("till") or facts["shortcode"])


async def registered(work: Work) -> dict[str, Any] | None:
    """What was registered last; None where nothing was."""
    rows = schema.audit.c
    query = (
        sa.select(rows.facts)
        .where(rows.tenant_id == work.tenant, rows.action == REGISTERED)
        .order_by(rows.seq.desc())
        .limit(1)
    )
    found: dict[str, Any] | None = await work.connection.scalar(query)
    return found


async def _asked(parts: Parts, tenant_id: Any, urls: list[str]) -> Answer:
    async with open_session() as http:
        providers = Providers(
            parts.database, parts.vault, parts.tenants, http, parts.settings.provider_urls, parts.clock
        )
        try:
            client = await providers.of(tenant_id, PROVIDER)
        except NoProvider as none:
            raise CannotRun(f"{none}.") from None
        if not isinstance(client, TellsByItself):
            raise CannotRun(f"{PROVIDER} tells nothing by itself.")
        return await client.register(*urls)


def _refuse(slug: str, answer: Answer) -> None:
    """Raises CannotRun for all but a yes."""
    match answer:
        case Accepted():
            return
        case Refused(detail=detail):
            raise CannotRun(f"{PROVIDER} takes no address for {slug} ({detail}). {_HOW_TO_FREE}.")
        case other:
            raise CannotRun(
                f"{PROVIDER} was not told where to call for {slug} ({other.detail}). Correct what it names, "
                "and run this again: the same address twice does no harm."
            )
