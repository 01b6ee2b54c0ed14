"""Refusals: who was refused what, in the audit of their tenant; the first at once, and how many more there
were in its ten minutes when these are over, so that a flood of them is two entries."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from bot import metrics
from bot.away import AWAY
from services import audit
from services.safety.vault import Vault
from services.store.database import Database
from services.work import Via, Work

log = structlog.get_logger()

SPAN = timedelta(minutes=10)
_LOOK_SECONDS = 30.0


@dataclass(frozen=True)
class Refused:
    """By which key, on which route, with which status and code; `because`: what the code leaves open."""

    tenant_id: UUID
    person_id: UUID
    prefix: str
    route: str
    status: int
    code: str
    because: str


@dataclass
class _Span:
    until: datetime
    more: int = 0


class Refusals:
    def __init__(self, database: Database, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._database, self._vault, self._clock = database, vault, clock
        self._spans: dict[Refused, _Span] = {}  # of keys that there are: few

    async def note(self, refused: Refused) -> None:
        metrics.api_refusals.labels(str(refused.status), refused.code, refused.because).inc()
        now = self._clock()
        span = self._spans.get(refused)
        if span is not None and now < span.until:
            span.more += 1
            return
        self._spans[refused] = _Span(now + SPAN)
        await self._record(refused, 1 + (span.more if span else 0))

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Spans that are over are recorded meanwhile, and all of them at the end."""
        looking = asyncio.create_task(self._run())
        try:
            yield
        finally:
            looking.cancel()
            await self.look(all_of_them=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self.look()
            except Exception:
                log.exception("api.refusals_not_recorded")

    async def look(self, *, all_of_them: bool = False) -> None:
        """What was counted in spans that are over, or in all of them, is recorded."""
        now = self._clock()
        for refused, span in list(self._spans.items()):
            if all_of_them or span.until <= now:
                del self._spans[refused]
                if span.more:
                    await self._record(refused, span.more)

    async def _record(self, refused: Refused, times: int) -> None:
        """A refusal stands, whether or not it can be recorded."""
        facts = {name: str(value) for name, value in asdict(refused).items()}
        log.warning("api.refused", times=times, **facts)
        person, told = refused.person_id, ("prefix", "route", "status", "code", "because")
        try:
            async with self._database.transaction(refused.tenant_id) as connection:
                via = Via("api", refused.prefix)
                work = Work(connection, self._vault, refused.tenant_id, self._clock(), via)
                entry = {name: facts[name] for name in told} | {"times": times}
                await audit.record(work, person, "api.refused", person, entry)
        except AWAY as error:
            log.warning("api.refusal_not_recorded", error=type(error).__name__, **facts)
