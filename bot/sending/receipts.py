"""Receipts: "we have read this, and are at it", shown to a person who now waits for somebody else's word.

Not for every message: that would double the calls to Meta, and elsewhere the answer itself, which is there
within a moment, says as much. A courtesy beside the messages: none of them waits for one, and one that
fails is not tried again.
"""

import asyncio

import structlog

from bot.whatsapp.client import WhatsApp
from services.people.tenants import Tenant

log = structlog.get_logger()

_MOST_AT_ONCE = 50


class Receipts:
    def __init__(self, whatsapp: WhatsApp) -> None:
        self._whatsapp = whatsapp
        self._on_their_way: set[asyncio.Task[None]] = set()

    def begin(self, tenant: Tenant, wamid: str) -> None:
        """Blue ticks on the person's message, and the sign of typing; nothing where many are on their way."""
        if len(self._on_their_way) < _MOST_AT_ONCE:
            task = asyncio.create_task(self._send(tenant, wamid))
            self._on_their_way.add(task)
            task.add_done_callback(self._on_their_way.discard)

    def drop(self) -> None:
        for task in self._on_their_way:
            task.cancel()

    async def _send(self, tenant: Tenant, wamid: str) -> None:
        number, token = tenant.phone_number_id, tenant.access_token
        if number and token and not await self._whatsapp.mark_read(number, token, wamid):
            log.info("receipt.failed", tenant_id=str(tenant.id))
