"""Tenants, as the programs read them: their settings and opened credentials, cached by version."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from services import breakers
from services.breakers import Troubled
from services.facts import Shop
from services.rails import abilities
from services.safety.vault import Unopenable, Vault
from services.store.database import Database
from services.store.schema import credentials, products, tenants
from services.store.scope import PLATFORM

log = structlog.get_logger()

_FRESH = timedelta(seconds=1)  # a change is seen by every process within this


@dataclass(frozen=True)
class Tenant:
    """A tenant; its secrets stay out of its repr."""

    id: UUID
    slug: str
    version: int
    language: str
    phone_number_id: str | None
    waba_id: str | None
    templates: Mapping[str, dict[str, Any]]  # by purpose: name, language and further languages
    shop: Shop
    forms: Mapping[str, str]  # their ids at WhatsApp, by name
    access_token: str | None = field(repr=False)
    providers: Mapping[str, dict[str, Any]] = field(repr=False)  # settings by part, e.g. "mpesa"


class TenantBook:
    """Looks tenants up. Asks the database at most once a second, and opens only what has changed."""

    def __init__(self, database: Database, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._database, self._vault, self._clock = database, vault, clock
        self._tenants: dict[UUID, Tenant] = {}
        self._numbers: dict[str, UUID] = {}
        self._slugs: dict[str, UUID] = {}
        self._unopenable: dict[UUID, int] = {}  # their versions
        self._troubled = Troubled({}, frozenset())
        self._read_at: datetime | None = None

    async def by_id(self, tenant_id: UUID) -> Tenant:
        """Raises Unopenable where no key opens its credentials, which costs no other tenant."""
        await self._refresh(known=tenant_id in self._tenants)
        if tenant_id in self._unopenable:
            raise Unopenable("credentials.sealed")
        tenant, slow = self._tenants[tenant_id], self._troubled.of(tenant_id)
        return replace(tenant, shop=tenant.shop.model_copy(update={"slow": slow})) if slow else tenant

    async def id_of_number(self, phone_number_id: str | None) -> UUID | None:
        """None where no tenant has this number."""
        if phone_number_id is None:
            return None
        await self._refresh(known=phone_number_id in self._numbers)
        return self._numbers.get(phone_number_id)

    def version_of(self, tenant_id: UUID) -> int | None:
        """As it was last looked up: what a process remembers of the tenant's people holds for this one."""
        known = self._tenants.get(tenant_id)
        return self._unopenable.get(tenant_id) if known is None else known.version

    async def by_slug(self, slug: str) -> Tenant | None:
        """None where no tenant is called so. Raises Unopenable."""
        await self._refresh(known=slug in self._slugs)
        tenant_id = self._slugs.get(slug)
        return None if tenant_id is None else await self.by_id(tenant_id)

    async def _refresh(self, *, known: bool) -> None:
        now = self._clock()
        # Whatever is not known is asked for at once, so that a new tenant need not wait.
        if known and self._read_at is not None and now - self._read_at < _FRESH:
            return
        self._read_at = now
        async with self._database.reading(PLATFORM) as connection:
            rows = (await connection.execute(sa.select(tenants))).all()
            self._troubled = await breakers.troubled(connection, now)
            stale = [row for row in rows if not self._has(row)]
            sealed: dict[UUID, list[Any]] = {row.id: [] for row in stale}
            selling: set[UUID] = set()
            if stale:
                sell = (
                    sa.select(products.c.tenant_id).where(products.c.tenant_id.in_(list(sealed))).distinct()
                )
                selling = set((await connection.execute(sell)).scalars())
                found = sa.select(credentials).where(credentials.c.tenant_id.in_(list(sealed)))
                for part in await connection.execute(found):
                    sealed[part.tenant_id].append(part)
        for row in stale:
            self._read(row, sealed[row.id], sells=row.id in selling)
        self._numbers = {row.phone_number_id: row.id for row in rows if row.phone_number_id}
        self._slugs = {row.slug: row.id for row in rows}

    def _read(self, row: Any, sealed: list[Any], *, sells: bool) -> None:
        try:
            parts = {each.part: json.loads(self._opened(each)) for each in sealed}
        except Unopenable:
            if self._unopenable.get(row.id) != row.version:
                log.exception("tenant.unopenable", tenant_id=str(row.id), slug=row.slug)
            self._unopenable[row.id] = row.version
            self._tenants.pop(row.id, None)
        else:
            self._unopenable.pop(row.id, None)
            self._tenants[row.id] = _tenant(row, parts, sells=sells)

    def _opened(self, row: Any) -> bytes:
        return self._vault.open(row.sealed, row.tenant_id, "credentials.sealed", row.part)

    def _has(self, row: Any) -> bool:
        known = self._tenants.get(row.id)
        return known is not None and known.version == row.version


def _tenant(row: Any, parts: dict[str, dict[str, Any]], *, sells: bool) -> Tenant:
    providers = {part: settings for part, settings in parts.items() if part != "whatsapp"}
    forms = {"bank": row.bank_form} if row.bank_form else {}
    return Tenant(
        id=row.id,
        slug=row.slug,
        version=row.version,
        language=row.language,
        phone_number_id=row.phone_number_id,
        waba_id=row.waba_id,
        templates=row.templates,
        shop=Shop(
            name=row.name,
            currency=row.currency,
            country=row.country,
            timezone=row.timezone,
            number="".join(filter(str.isdigit, row.display_phone_number or "")) or None,
            sells=sells,
            open=row.active,
            smart_order=row.smart_order,
            forms=tuple(forms),
            **abilities(providers, row.currency),
        ),
        forms=forms,
        access_token=parts.get("whatsapp", {}).get("access_token"),
        providers=providers,
    )
