"""Guarded: one call of a provider, outside any transaction, and what its breaker learns of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import metrics, tracing
from bot.away import AWAY
from bot.failures import log_failure
from bot.providers import NoProvider
from services import breakers
from services.jobs import Job
from services.points import point
from services.providers.base import Misconfigured, NotSent, Pending, Unknown
from services.safety.vault import Vault
from services.store.database import Database
from services.work import Via, Work

log = structlog.get_logger()

Client = TypeVar("Client")
Told = TypeVar("Told")


class Guarded:
    """`most_seconds`: for one call with all that it takes."""

    def __init__(
        self, database: Database, vault: Vault, clock: Callable[[], datetime], most_seconds: float
    ) -> None:
        self._database, self._vault, self._clock = database, vault, clock
        self._most_seconds = most_seconds
        self._news: dict[Job, tuple[str, str, bool]] = {}  # of calls whose answers are being kept

    async def call(
        self,
        job: Job,
        provider: str,
        client_of: Callable[[UUID, str], Awaitable[Client]],
        ask: Callable[[Client], Awaitable[Told]],
        operation: str | None = None,
    ) -> Told | Misconfigured | NotSent | Unknown:
        """What ends it without an answer leaves it unknown, once it was begun. `operation`: what its breaker
        is called by, None where it has none."""
        point(f"{job.kind}.begun")
        began = time.monotonic()
        ids = {"tenant_id": str(job.tenant_id), "target_id": str(job.target_id)}
        with tracing.span("provider", provider=provider, operation=job.kind, **ids) as note:
            told = await self._told(job, lambda: client_of(job.tenant_id, provider), ask)
            note(outcome=type(told).__name__.lower())
        point(f"{job.kind}.answered")
        metrics.call_seconds.labels(provider, job.kind).observe(time.monotonic() - began)
        metrics.calls.labels(provider, job.kind, type(told).__name__.lower()).inc()
        if isinstance(told, Misconfigured) or (isinstance(told, Pending) and told.ours):
            log.error("call.misconfigured", kind=job.kind, tenant_id=str(job.tenant_id), detail=told.detail)
        if operation is not None and (lost := breakers.lost(told)) is not None:
            self._news[job] = (provider, operation, lost)
        return told

    async def note(self, job: Job) -> None:
        """What its call has told of the provider, once its answer is kept. An answer is news only after calls
        without one: in good times nothing is written. What cannot be noted is not."""
        if (news := self._news.pop(job, None)) is None:
            return
        provider, operation, lost = news
        try:
            if not lost:
                async with self._database.reading(job.tenant_id) as connection:
                    if not await breakers.is_known(self._work(connection, job), provider, operation):
                        return
            async with self._database.transaction(job.tenant_id) as connection:
                await breakers.heard(self._work(connection, job), provider, operation, lost=lost)
        except AWAY as error:
            log.warning("breaker.not_noted", error=type(error).__name__)

    async def _told(
        self, job: Job, client: Callable[[], Awaitable[Client]], ask: Callable[[Client], Awaitable[Told]]
    ) -> Told | Misconfigured | NotSent | Unknown:
        asked = False
        try:
            async with asyncio.timeout(self._most_seconds):
                found = await client()
                asked = True
                return await ask(found)
        except NoProvider as none:
            return Misconfigured(str(none))
        except Exception as error:  # noqa: BLE001  no answer in time; or a bug of ours, perhaps after it was sent
            log_failure("call.failed", job, error)
            return Unknown(type(error).__name__) if asked else NotSent(type(error).__name__)

    def _work(self, connection: AsyncConnection, job: Job) -> Work:
        return Work(connection, self._vault, job.tenant_id, self._clock(), Via("clock", job.kind))
