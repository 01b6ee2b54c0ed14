"""Watch: the books proven while the business goes on: what has changed every minute, everything every night,
and the chains of the audit then too.

Both are jobs of the whole installation, so one worker at a time does them. They read in a snapshot, outside
any turn, and write what they found in short transactions, a tenant's in one of its own.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog

from services import audit, books
from services.audit.anchors import Anchors
from services.audit.verify import verify
from services.books import closing, watch
from services.books.breach import Breach
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database
from services.store.schema import tenants
from services.store.scope import AUDITOR, PLATFORM
from services.work import Via, Work

log = structlog.get_logger()

NIGHT_AT = time(23, 30, tzinfo=UTC)  # half past two in Nairobi
# The lease of the night's check: whoever takes it over has let it rest so long.
_NIGHT = timedelta(hours=3)
_MOST_REST_SECONDS = 60.0
_NIGHTLY = Via("clock", watch.NIGHT)


class Watch:
    def __init__(self, database: Database, vault: Vault, bell: Bell, clock: Callable[[], datetime]) -> None:
        self._database, self._vault, self._bell, self._clock = database, vault, bell, clock
        self._begun = False

    async def begin(self) -> None:
        """The checks are due, whichever worker is the first of all."""
        if not self._begun:
            async with self._database.transaction(PLATFORM) as connection:
                await watch.begin(connection, self._clock())
            self._begun = True

    async def minute(self) -> None:
        """What has changed since the last time, and the next time."""
        began = self._clock()
        async with self._database.long_snapshot() as connection:
            last = await watch.last_snapshot(connection, watch.MINUTE)
            checked = await books.check_since(connection, last - watch.MARGIN if last else None)
        await self._tell(checked.breaches)
        ended = self._clock()
        async with self._database.transaction(PLATFORM) as connection:
            await watch.keep(
                connection,
                watch.MINUTE,
                snapshot_at=began,
                ended_at=ended,
                proofs=checked.proofs,
                found=len(checked.breaches),
            )
            await watch.due_again(connection, watch.MINUTE, max(began + watch.EVERY, ended))

    async def night(self) -> None:
        """Everything, one tenant after another, each in a snapshot of its own and with as long a rest after
        it (a minute at most), so that it takes half the time of one core."""
        began = self._clock()
        async with self._database.transaction(PLATFORM) as connection:
            await watch.due_again(connection, watch.NIGHT, began + _NIGHT)
        async with self._database.reading(PLATFORM) as connection:
            ids = (await connection.execute(sa.select(tenants.c.id).order_by(tenants.c.id))).scalars().all()
        found = 0
        for tenant in ids:
            start = asyncio.get_running_loop().time()
            try:
                found += await self._prove(tenant)
            except Exception:  # it counts as wrong, and the others are still to be looked at
                log.exception("books.unproven", tenant_id=str(tenant))
                found += 1
            took = asyncio.get_running_loop().time() - start
            await asyncio.sleep(min(took, _MOST_REST_SECONDS))
        async with self._database.transaction(PLATFORM) as connection:
            await watch.keep(connection, watch.NIGHT, snapshot_at=began, ended_at=self._clock(), found=found)
        log.info("books.proven", tenants=len(ids), breaches=found)
        await self._audit()
        async with self._database.transaction(PLATFORM) as connection:
            await watch.due_again(connection, watch.NIGHT, next_night(began))

    async def _prove(self, tenant: UUID) -> int:
        """How much is wrong; where nothing is, the books are closed."""
        async with self._database.long_snapshot() as connection:
            proven = await books.prove(connection, tenant)
        await self._tell(proven.breaches)
        if not proven.breaches:
            async with self._database.transaction(tenant) as connection:
                work = Work(connection, self._vault, tenant, self._clock(), _NIGHTLY)
                await closing.close(work, proven.ends)
        return len(proven.breaches)

    async def _audit(self) -> None:
        """All chains, as far as the database itself can tell; with the anchors it is the command line's."""
        began = self._clock()
        async with self._database.reading(AUDITOR) as connection:
            verified = await verify(connection, self._vault, Anchors())
        for bad in verified.findings:
            facts = {"finding": bad.finding, "position": str(bad.position)}
            log.error("audit.broken", tenant_id=str(bad.tenant_id), **facts)
            try:
                async with self._database.transaction(bad.tenant_id) as connection:
                    work = Work(connection, self._vault, bad.tenant_id, self._clock(), _NIGHTLY)
                    await audit.record(work, audit.CLOCK, "audit.broken", bad.tenant_id, facts, alert=True)
            except Exception:  # a chain without its head takes no entry, and the others are to be told of
                log.exception("audit.unwritable", tenant_id=str(bad.tenant_id))
        found = len(verified.findings)
        async with self._database.transaction(PLATFORM) as connection:
            await watch.keep(connection, watch.AUDIT, snapshot_at=began, ended_at=self._clock(), found=found)
        log.info("audit.proven", tenants=verified.tenants, entries=verified.entries, broken=found)

    async def _tell(self, breaches: Sequence[Breach]) -> None:
        for tenant, wrong in watch.by_tenant(breaches).items():
            async with self._database.transaction(tenant) as connection:
                new = await watch.tell(Work(connection, self._vault, tenant, self._clock()), wrong)
            for breach in new:
                log.error(
                    "books.breach",
                    tenant_id=str(tenant),
                    rule=breach.rule,
                    row=breach.row,
                    expected=breach.expected,
                    found=breach.found,
                )
            if new:
                self._bell.ring("turns")


def next_night(after: datetime) -> datetime:
    """The next quiet hour, by the platform's clock."""
    tonight = datetime.combine(after.astimezone(UTC).date(), NIGHT_AT)
    return tonight if tonight > after else tonight + timedelta(days=1)
