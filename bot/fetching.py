"""Fetching: a file that one of the staff sent in a chat, had from Meta between two commits."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.whatsapp.client import Fetched, NotSent, WhatsApp
from services.batches import fetching
from services.batches.sheet import MOST_BYTES
from services.jobs import Job
from services.people.tenants import TenantBook
from services.safety.vault import Vault
from services.store.database import Database
from services.work import Via, Work


class Fetching:
    def __init__(
        self,
        database: Database,
        vault: Vault,
        tenants: TenantBook,
        whatsapp: WhatsApp,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._vault, self._tenants = database, vault, tenants
        self._whatsapp, self._clock = whatsapp, clock

    async def as_job(self, job: Job) -> None:
        tenant = await self._tenants.by_id(job.tenant_id)
        async with self._database.transaction(job.tenant_id) as connection:
            media = await fetching.wanted(
                Work(connection, self._vault, job.tenant_id, self._clock()), job.target_id
            )
        if media is None:
            return
        number, token = tenant.phone_number_id, tenant.access_token
        found = await self._whatsapp.fetch(number, token, media, MOST_BYTES) if number and token else None
        async with self._database.transaction(job.tenant_id) as connection:
            work = self._work(job, connection)
            if isinstance(found, Fetched):
                await fetching.came(work, job.target_id, found.content, tenant.shop.pays_out_by)
            else:
                await fetching.lost(work, job.target_id, again=isinstance(found, NotSent))

    def _work(self, job: Job, connection: AsyncConnection) -> Work:
        return Work(connection, self._vault, job.tenant_id, self._clock(), Via("clock", job.kind))
