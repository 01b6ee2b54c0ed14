"""Providers: each tenant's clients, kept for as long as its settings last."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

import aiohttp

from services.money import Money
from services.people.tenants import Tenant, TenantBook
from services.providers import PROVIDERS, Provider, WrongSettings, settings_of
from services.providers.abilities import Charges, Collects, OpensPages, PaysOut, Prompts
from services.providers.base import ProviderSettings
from services.providers.listing import Listed
from services.providers.refunds import Refunds
from services.safety.vault import Vault
from services.store.database import Database
from services.store.tokens import SharedTokens


class NoProvider(Exception):
    """The tenant has no settings, or wrong ones, for this provider; or it cannot do what is asked."""


class Providers:
    """`urls` by provider name, e.g. {"mpesa": "https://api.safaricom.co.ke"}; `known` are those there are."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        tenants: TenantBook,
        http: aiohttp.ClientSession,
        urls: Mapping[str, str],
        clock: Callable[[], datetime],
        known: Mapping[str, Provider] = PROVIDERS,
    ) -> None:
        self._database, self._vault, self._tenants = database, vault, tenants
        self._http, self._urls, self._clock, self._known = http, urls, clock, known
        self._made: dict[tuple[UUID, str], tuple[int, Collects | PaysOut]] = {}

    async def of(self, tenant_id: UUID, provider: str) -> Collects | PaysOut:
        """Raises NoProvider."""
        tenant = await self._tenants.by_id(tenant_id)
        version, client = self._made.get((tenant_id, provider), (None, None))
        if client is None or version != tenant.version:
            client = self._opened(tenant, provider)
            self._made[tenant_id, provider] = (tenant.version, client)
        return client

    async def collecting(self, tenant_id: UUID, provider: str) -> Collects:
        """Raises NoProvider."""
        client = await self.of(tenant_id, provider)
        if not isinstance(client, Collects):
            raise NoProvider(f"{provider} does not collect")
        return client

    async def prompting(self, tenant_id: UUID, provider: str) -> Prompts:
        """Raises NoProvider."""
        client = await self.of(tenant_id, provider)
        if not isinstance(client, Prompts):
            raise NoProvider(f"{provider} does not ask customers' phones")
        return client

    async def opening_pages(self, tenant_id: UUID, provider: str) -> OpensPages:
        """Raises NoProvider."""
        client = await self.of(tenant_id, provider)
        if not isinstance(client, OpensPages):
            raise NoProvider(f"{provider} opens no pages")
        return client

    async def charging(self, tenant_id: UUID, provider: str) -> Charges:
        """Raises NoProvider."""
        client = await self.of(tenant_id, provider)
        if not isinstance(client, Charges):
            raise NoProvider(f"{provider} charges nothing that was saved")
        return client

    async def paying_out(self, tenant_id: UUID, provider: str) -> PaysOut:
        """Raises NoProvider."""
        client = await self.of(tenant_id, provider)
        if not isinstance(client, PaysOut):
            raise NoProvider(f"{provider} does not pay out")
        return client

    async def refunding(self, tenant_id: UUID, provider: str) -> Refunds:
        """Raises NoProvider."""
        client = await self.of(tenant_id, provider)
        if not isinstance(client, Refunds):
            raise NoProvider(f"{provider} does not give payments back")
        return client

    async def names(self, tenant_id: UUID) -> list[str]:
        """Those that the tenant's file has settings of."""
        known = (await self._tenants.by_id(tenant_id)).providers
        return [name for name in self._known if name in known]

    async def statements(self, tenant_id: UUID, provider: str) -> Callable[[bytes, datetime], Listed]:
        """What reads a file that was exported there. Raises NoProvider."""
        settings = self._settings(await self._tenants.by_id(tenant_id), provider)
        reads = self._known[provider].statements
        if reads is None:
            raise NoProvider(f"{provider} has no statements that are read from files")
        return lambda content, now: reads(content, settings, now)

    async def confirm_above(self, tenant_id: UUID, provider: str) -> Money | None:
        """Above this a success is asked for once more; None: never. Raises NoProvider."""
        return self._settings(await self._tenants.by_id(tenant_id), provider).confirm_above_amount

    def _opened(self, tenant: Tenant, provider: str) -> Collects | PaysOut:
        settings = self._settings(tenant, provider)
        tokens = SharedTokens(self._database, self._vault, settings.app, self._clock)
        opening = self._known[provider].open
        return opening(settings, self._http, self._urls[provider], tokens, self._clock)

    def _settings(self, tenant: Tenant, provider: str) -> ProviderSettings:
        if provider not in self._known or provider not in tenant.providers:
            raise NoProvider(f"{tenant.slug} has no settings for {provider}")
        try:
            return settings_of(self._known[provider], tenant.providers[provider])
        except WrongSettings as wrong:
            raise NoProvider(f"{tenant.slug}: wrong settings of {provider}: {wrong}") from None
