"""Watching: every minute, once for all processes, what lasts and should not becomes an alert of the audit and
news of the chat, and what the audit has that somebody must see is posted to those who read e-mail."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from bot.mail.posting import Posting
from services import conditions, jobs
from services.safety.vault import Vault
from services.store import schema
from services.store.bell import Bell
from services.store.database import Database
from services.store.schema import NOBODY
from services.store.scope import AUDITOR, PLATFORM
from services.work import Via, Work

log = structlog.get_logger()

JOB = "watching"
EVERY = timedelta(minutes=1)


class Watching:
    def __init__(
        self,
        database: Database,
        vault: Vault,
        bell: Bell,
        clock: Callable[[], datetime],
        posting: Posting,
        daily: Sequence[str] = (),
    ) -> None:
        """`daily`: jobs of the installation that put themselves off, and are begun where there are none."""
        self._database, self._vault, self._bell, self._clock = database, vault, bell, clock
        self._posting, self._daily = posting, daily

    async def once(self) -> None:
        now = self._clock()
        async with self._database.reading(AUDITOR) as connection:
            found = await conditions.standing(connection, now)
            untold = await conditions.news(connection, found, now)
        told = 0
        for tenant, kinds in untold.items():
            async with self._database.transaction(tenant) as connection:
                told += await conditions.tell(Work(connection, self._vault, tenant, now, _VIA), kinds)
        async with self._database.transaction(PLATFORM) as connection:
            await conditions.note(connection, found, now)
        if told:
            self._bell.ring("turns")
        if await self._posting.once():
            self._bell.ring("jobs")

    async def as_job(self) -> None:
        """And again after a while."""
        await self.once()
        now = self._clock()
        async with self._database.transaction(NOBODY) as connection:
            work = Work(connection, self._vault, NOBODY, now, _VIA)
            rows = [
                {"tenant_id": NOBODY, "target_id": NOBODY, "kind": kind, "due_at": now}
                for kind in self._daily
            ]
            if rows:
                await connection.execute(work.insert(schema.jobs).on_conflict_do_nothing(), rows)
            await jobs.schedule(work, JOB, NOBODY, now + EVERY)


_VIA = Via("clock", JOB)
