"""Reconciling: providers' statements taken, compared with the books, and told of. Every provider is asked
outside any transaction, and each page that it tells is kept before the next one is asked for."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import statements
from bot.providers import NoProvider, Providers
from services import audit, jobs
from services.errors.reconciliation import InvalidStatement, NoStatements
from services.payments import by_hand
from services.providers.listing import Listed, WrongStatement
from services.reconciliation import ages, alerts, record, theirs
from services.reconciliation.facts import State
from services.reconciliation.held import references
from services.reconciliation.reach import Span
from services.reconciliation.record import Kept
from services.reconciliation.run import Found, found
from services.reconciliation.seen import Seen
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database
from services.store.schema import NOBODY, breaks, statement_coverages, tenants
from services.store.scope import PLATFORM
from services.work import CLI, Via, Work

log = structlog.get_logger()

JOB, BY_HAND = "reconcile", "by_hand"
DAYS = timedelta(days=7)  # that a night looks at; what is open is looked at however old it is
NIGHT_AT = time(0, 30, tzinfo=UTC)  # half past three in Nairobi, when the day is over for all
_LEASE = timedelta(hours=3)
_SETTLED = timedelta(minutes=10)  # what is younger may still be on its way to either side
# How often, and how far back, it is looked for who has paid without being asked.
_OFTEN, _LATELY = timedelta(minutes=10), timedelta(hours=2)
_AT_ONCE = 50
_WAIT_SECONDS = 2.0


@dataclass(frozen=True)
class Report:
    """What a run has found of one provider; `opened` is all that is open now, the oldest first. `trouble`:
    why the provider could not be asked."""

    provider: str
    span: Span
    found: Found
    kept: Kept
    opened: tuple[Seen, ...]
    new_lines: int = 0
    trouble: str | None = None


class Reconciling:
    def __init__(
        self,
        database: Database,
        vault: Vault,
        providers: Providers,
        bell: Bell,
        clock: Callable[[], datetime],
        via: Via = CLI,
        *,
        wait_seconds: float = _WAIT_SECONDS,
    ) -> None:
        self._database, self._vault, self._providers = database, vault, providers
        self._bell, self._clock, self._via, self._wait = bell, clock, via, wait_seconds

    async def read_file(self, tenant: UUID, provider: str, content: bytes) -> tuple[Span, int]:
        """Keep a statement that somebody has exported: its period, and how many of its lines are new. Raises
        InvalidStatement, and keeps nothing then; NoStatements."""
        listed = await self._parsed(tenant, provider, content)
        async with self._database.transaction(tenant) as connection:
            work = self._work(tenant, connection)
            return await theirs.read_in(work, audit.OPERATOR, provider, listed)

    async def _parsed(self, tenant: UUID, provider: str, content: bytes) -> Listed:
        try:
            reads = await self._providers.statements(tenant, provider)
        except NoProvider:
            raise NoStatements(provider) from None
        try:
            return await asyncio.to_thread(reads, content, self._clock())
        except WrongStatement as wrong:
            faults = (f"line {line}: {what}" if line else f"the file {what}" for line, what in wrong.faults)
            raise InvalidStatement(tuple(faults)) from None

    async def asked(self, tenant: UUID, provider: str, span: Span) -> tuple[int, str | None]:
        """Ask the provider itself: how many new lines it told, and what kept it from telling all."""
        try:
            client = await self._providers.of(tenant, provider)
        except NoProvider as none:
            return 0, str(none)
        new = 0
        async for part in statements.parts(client, span, self._wait, self._held(tenant, provider, span)):
            if isinstance(part, str):
                return new, part
            new += await self._take(tenant, provider, part)
            await self._by_hand(tenant, provider, part)
        return new, None

    def _held(self, tenant: UUID, provider: str, span: Span) -> statements.Held:
        async def held(after: UUID | None) -> list[tuple[UUID, str]]:
            async with self._database.transaction(tenant) as connection:
                work = self._work(tenant, connection)
                return await references(work, provider, span, after, _AT_ONCE)

        return held

    async def _take(self, tenant: UUID, provider: str, listed: Listed) -> int:
        async with self._database.transaction(tenant) as connection:
            work = self._work(tenant, connection)
            new = await theirs.take(work, provider, listed.lines, "api")
            if listed.following is None:
                await theirs.cover(work, provider, listed.covered, "api")
            return new

    async def _by_hand(self, tenant: UUID, provider: str, listed: Listed) -> None:
        """Orders whose numbers were typed at the till are paid, each in a transaction of its own."""
        paid = False
        for line in filter(by_hand.may_be, listed.lines if provider in by_hand.PROVIDERS else ()):
            async with self._database.transaction(tenant) as connection:
                paid |= await by_hand.take(self._work(tenant, connection), provider, line)
        if paid:
            self._bell.ring("turns")

    async def compare(self, tenant: UUID, provider: str, span: Span) -> tuple[Found, Kept, tuple[Seen, ...]]:
        """What is found, kept and told; then all that is open."""
        async with self._database.snapshot(tenant) as connection:
            result = await found(connection, tenant, provider, span, self._clock())
        async with self._database.transaction(tenant) as connection:
            work = self._work(tenant, connection)
            kept = await record.keep(work, provider, result.breaks, result.asked)
            told = await alerts.tell_aged(work, provider)
            opened = await record.read(work, breaks.c.provider == provider, breaks.c.state == State.OPEN)
        if told:
            self._bell.ring("turns")
        return result, kept, tuple(opened)

    async def reconcile(
        self, tenant: UUID, provider: str, span: Span, *, new: int = 0, ask: bool = True
    ) -> Report:
        """Ask the provider, where it tells, then compare."""
        trouble = None
        if ask:
            told, trouble = await self.asked(tenant, provider, span)
            new += told
        result, kept, opened = await self.compare(tenant, provider, span)
        return Report(provider, span, result, kept, opened, new, trouble)

    # --- every night

    async def as_job(self) -> None:
        """All tenants, one after the other. What fails for one costs no other its night."""
        began = self._clock()
        await self._due_again(began + _LEASE)
        await self._due_again(began, BY_HAND)
        span = Span(began - DAYS, began - _SETTLED)
        open_count = 0
        for tenant, provider in await self._concerned():
            try:
                report = await self.reconcile(tenant, provider, span)
            except Exception:
                log.exception("reconcile.failed", tenant_id=str(tenant), step="statements", provider=provider)
                await self._failed(tenant, "statements", provider)
                continue
            open_count += len(report.opened)
            if report.trouble:
                log.error(
                    "reconcile.not_told", tenant_id=str(tenant), provider=provider, detail=report.trouble
                )
        await self._tell_old()
        log.info("reconcile.done", open=open_count)
        await self._due_again(next_night(began))

    async def as_frequent_job(self) -> None:
        """What was paid lately without anybody being asked, of all tenants. Nothing is compared by it."""
        began = self._clock()
        await self._due_again(began + _LEASE, BY_HAND)
        span = Span(began - _LATELY, began - _SETTLED)
        for tenant, provider in await self._concerned():
            if provider not in by_hand.PROVIDERS:
                continue
            try:
                await self.asked(tenant, provider, span)
            except Exception:
                log.exception("by_hand.failed", tenant_id=str(tenant), provider=provider)
                await self._failed(tenant, "by_hand", provider)
        await self._due_again(began + _OFTEN, BY_HAND)

    async def _concerned(self) -> list[tuple[UUID, str]]:
        """Who can be asked about, and whose statements somebody has read in."""
        async with self._database.reading(PLATFORM) as connection:
            active = (await connection.execute(sa.select(tenants.c.id).where(tenants.c.active))).scalars()
            known = sa.select(statement_coverages.c.tenant_id, statement_coverages.c.provider).distinct()
            pairs = {(row.tenant_id, row.provider) for row in await connection.execute(known)}
            ids = list(active)
        for tenant in ids:
            try:
                for provider in await self._providers.names(tenant):
                    if await self.tells(tenant, provider):
                        pairs.add((tenant, provider))
            except Exception:
                log.exception("reconcile.failed", tenant_id=str(tenant), step="settings")
                await self._failed(tenant, "settings")
        return sorted((pair for pair in pairs if pair[0] in set(ids)), key=str)

    async def _tell_old(self) -> None:
        """What has stood in a clearing account for too long, of every tenant."""
        async with self._database.reading(PLATFORM) as connection:
            query = sa.select(tenants.c.id).where(tenants.c.active).order_by(tenants.c.id)
            ids = list((await connection.execute(query)).scalars())
        for tenant in ids:
            try:
                async with self._database.transaction(tenant) as connection:
                    old = await ages.tell_old(self._work(tenant, connection))
            except Exception:
                log.exception("reconcile.failed", tenant_id=str(tenant), step="ages")
                await self._failed(tenant, "ages")
                continue
            for each in old:
                log.warning("clearing.aged", tenant_id=str(tenant), account=each.account)

    async def _failed(self, tenant: UUID, step: str, provider: str | None = None) -> None:
        """An alert, so that somebody looks. Where it cannot be kept, the log says so, and that is all."""
        facts = {"step": step, "provider": provider}
        try:
            async with self._database.transaction(tenant) as connection:
                work = self._work(tenant, connection)
                await audit.record(work, audit.CLOCK, "reconciliation.failed", tenant, facts, alert=True)
        except Exception:
            log.exception("reconcile.not_alerted", tenant_id=str(tenant), step=step)

    async def tells(self, tenant: UUID, provider: str) -> bool:
        try:
            client = await self._providers.of(tenant, provider)
        except NoProvider:
            return False
        return statements.tells(client)

    async def _due_again(self, at: datetime, job: str = JOB) -> None:
        async with self._database.transaction(NOBODY) as connection:
            work = Work(connection, self._vault, NOBODY, self._clock(), self._via)
            await jobs.schedule(work, job, NOBODY, at)

    def _work(self, tenant: UUID, connection: AsyncConnection) -> Work:
        return Work(connection, self._vault, tenant, self._clock(), self._via)


def next_night(after: datetime) -> datetime:
    """The next quiet hour, by the platform's clock."""
    tonight = datetime.combine(after.astimezone(UTC).date(), NIGHT_AT)
    return tonight if tonight > after else tonight + timedelta(days=1)
