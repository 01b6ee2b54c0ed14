"""Codes: pictures that a customer scans to pay an order, drawn by the provider whose app scans them."""

import asyncio
from typing import Any

import structlog

from bot.providers import NoProvider, Providers
from services.money import Money
from services.people.tenants import Tenant
from services.providers.abilities import DrawsCodes

log = structlog.get_logger()

_PATIENCE_SECONDS = 5.0  # less than a file may take to be made


class Codes:
    def __init__(self, providers: Providers) -> None:
        self._providers = providers

    async def drawn(self, tenant: Tenant, paper: dict[str, Any]) -> bytes | None:
        """A PNG; None where there is none to be had, which the log says: somebody waits at the counter, and
        the words say how to pay without it."""
        amount = Money.parse(paper["amount"], paper["currency"])
        try:
            client = await self._providers.of(tenant.id, paper["provider"])
            if not isinstance(client, DrawsCodes):
                return None
            async with asyncio.timeout(_PATIENCE_SECONDS):
                answer = await client.draw(tenant.shop.name, paper["number"], amount)
        except (NoProvider, TimeoutError) as error:
            log.warning("code.not_drawn", tenant_id=str(tenant.id), detail=str(error) or type(error).__name__)
            return None
        if isinstance(answer, bytes):
            return answer
        log.warning("code.not_drawn", tenant_id=str(tenant.id), detail=answer.detail)
        return None
