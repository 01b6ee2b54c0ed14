"""Retention: what has grown old is forgotten every night, once for all processes, by a job of the
installation's own."""

from collections.abc import Callable
from datetime import datetime

import structlog

from bot.watch import next_night
from services import jobs
from services.privacy.periods import Periods
from services.privacy.retention import JOB, forget
from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import NOBODY
from services.store.scope import PLATFORM
from services.work import Via, Work

log = structlog.get_logger()


class Retention:
    def __init__(
        self, database: Database, vault: Vault, clock: Callable[[], datetime], periods: Periods
    ) -> None:
        self._database, self._vault, self._clock, self._periods = database, vault, clock, periods

    async def as_job(self) -> None:
        """Due again before it begins: what it is broken off at is gone on with the next night."""
        now = self._clock()
        async with self._database.transaction(PLATFORM) as connection:
            work = Work(connection, self._vault, NOBODY, now, Via("clock", JOB))
            await jobs.schedule(work, JOB, NOBODY, next_night(now))
        told = await forget(self._database, self._vault, self._periods, now, really=True)
        log.info(
            "retention.applied", tenants=len(told), rows=sum(sum(each.values()) for each in told.values())
        )
