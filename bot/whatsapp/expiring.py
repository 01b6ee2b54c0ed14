"""Expiring: once a day Meta is asked how long each tenant's access token lives, so that somebody hears of its
end two weeks ahead and not by messages that wait."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog

from bot.whatsapp.account import Account, Trouble
from services import conditions, jobs
from services.people.tenants import TenantBook
from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import NOBODY, tenants
from services.store.scope import PLATFORM
from services.work import Via, Work

log = structlog.get_logger()

JOB = "tokens"
EVERY = timedelta(days=1)
SOON = timedelta(days=14)
_VIA = Via("clock", JOB)


class Expiring:
    def __init__(
        self,
        database: Database,
        vault: Vault,
        book: TenantBook,
        account: Account,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._vault, self._book, self._clock = database, vault, book, clock
        self._account = account

    async def as_job(self) -> None:
        """Tomorrow's comes first: whatever becomes of this one, nobody is asked about twice in a day."""
        now = self._clock()
        async with self._database.transaction(NOBODY) as connection:
            await jobs.schedule(Work(connection, self._vault, NOBODY, now, _VIA), JOB, NOBODY, now + EVERY)
        await self.once()

    async def once(self) -> None:
        numbered = sa.select(tenants.c.id).where(tenants.c.phone_number_id.is_not(None))
        async with self._database.reading(PLATFORM) as connection:
            found = (await connection.execute(numbered.order_by(tenants.c.id))).scalars().all()
        for tenant in found:
            try:
                await self._look(tenant)
            except Exception:  # one tenant's is none of the others'
                log.exception("token.unseen", tenant_id=str(tenant))

    async def _look(self, tenant_id: UUID) -> None:
        token = (await self._book.by_id(tenant_id)).access_token
        if token is None:
            return
        told = await self._account.token(token)
        if isinstance(told, Trouble):
            log.warning("token.unseen", tenant_id=str(tenant_id), because=told.said)
            return
        now = self._clock()
        if told.expires_at is None or not now < told.expires_at <= now + SOON:
            return
        async with self._database.transaction(tenant_id) as connection:
            work = Work(connection, self._vault, tenant_id, now, _VIA)
            await conditions.tell(work, {conditions.TOKEN_EXPIRING: [told.expires_at.isoformat()]})
