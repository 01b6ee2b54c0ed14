"""Providers: each tenant's clients, kept for as long as its settings last."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import aiohttp
from pydantic import ValidationError

from services.money import Money
from services.people.tenants import Tenant, TenantBook
from services.providers.mpesa import Mpesa
from services.providers.mpesa_settings import MpesaSettings
from services.safety.vault import Vault
from services.store.database import Database
from services.store.tokens import SharedTokens


class NoProvider(Exception):
    """The tenant has no settings, or wrong ones, for this provider."""


class Providers:
    """`urls` by provider name, e.g. {"mpesa": "https://api.safaricom.co.ke"}."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        tenants: TenantBook,
        http: aiohttp.ClientSession,
        urls: dict[str, str],
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._vault, self._tenants = database, vault, tenants
        self._http, self._urls, self._clock = http, urls, clock
        self._made: dict[tuple[UUID, str], tuple[int, Mpesa]] = {}

    async def of(self, tenant_id: UUID, provider: str) -> Mpesa:
        """Raises NoProvider."""
        tenant = await self._tenants.by_id(tenant_id)
        version, client = self._made.get((tenant_id, provider), (None, None))
        if client is None or version != tenant.version:
            client = self._mpesa(_settings(tenant, provider))
            self._made[tenant_id, provider] = (tenant.version, client)
        return client

    async def confirm_above(self, tenant_id: UUID, provider: str) -> Money | None:
        """Above this a success is asked for once more; None: never."""
        return _settings(await self._tenants.by_id(tenant_id), provider).confirm_above_amount

    def _mpesa(self, settings: MpesaSettings) -> Mpesa:
        app = settings.consumer_key.get_secret_value()
        tokens = SharedTokens(self._database, self._vault, app, self._clock)
        return Mpesa(settings, self._http, self._urls["mpesa"], tokens, self._clock)


def _settings(tenant: Tenant, provider: str) -> MpesaSettings:
    if provider != "mpesa" or provider not in tenant.providers:
        raise NoProvider(f"{tenant.slug} has no settings for {provider}")
    try:
        return MpesaSettings.model_validate(tenant.providers[provider])
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, each["loc"])) for each in error.errors(include_input=False))
        raise NoProvider(f"{tenant.slug}: wrong settings of {provider}: {wrong}") from None
