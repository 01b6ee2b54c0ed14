"""Health: is the process alive, is it ready, and what do its numbers say."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
import structlog
from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot import metrics
from bot.away import AWAY
from services import breakers
from services.store.database import Database
from services.store.schema import book_checks, breaches, inbox, jobs, outbox
from services.store.scope import AUDITOR

log = structlog.get_logger()

_OPEN = ("waiting", "sending", "unknown")
_PATIENCE_SECONDS = 3  # less than whoever asks has


class Health:
    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock
        self.draining = False

    async def livez(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def readyz(self, _request: web.Request) -> web.Response:
        """503 while draining or without the database."""
        if self.draining:
            return web.json_response({"status": "draining"}, status=503)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), self._database.reading(AUDITOR) as connection:
                await connection.execute(sa.select(sa.literal(1)))
        except AWAY as error:
            detail = f"The database does not answer ({type(error).__name__})."
            return web.json_response({"status": "unavailable", "detail": detail}, status=503)
        return web.json_response({"status": "ready"})

    async def metrics(self, _request: web.Request) -> web.Response:
        """Without the database the queues keep what was measured last."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._measure_queues()
        except AWAY as error:
            log.warning("metrics.database_away", error=type(error).__name__)
        body = generate_latest(metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _measure_queues(self) -> None:
        now = self._clock()
        queues = {
            "turns": sa.select(sa.func.count(), sa.func.min(inbox.c.received_at)).where(
                inbox.c.state == "waiting", inbox.c.conversation_id.is_not(None)
            ),
            "parked": sa.select(sa.func.count(), sa.func.min(inbox.c.received_at)).where(
                inbox.c.state == "parked"
            ),
            "outbox": sa.select(sa.func.count(), sa.func.min(outbox.c.created_at)).where(
                outbox.c.state.in_(_OPEN)
            ),
            "jobs": sa.select(sa.func.count(), sa.func.min(jobs.c.due_at)).where(jobs.c.due_at <= now),
        }
        wrong = sa.select(sa.func.count()).select_from(breaches).where(breaches.c.repaired_at.is_(None))
        async with self._database.reading(AUDITOR) as connection:
            metrics.books_breaches.set(await connection.scalar(wrong) or 0)
            metrics.breakers_open.clear()
            for (provider, operation), accounts in (await breakers.counted(connection, now)).items():
                metrics.breakers_open.labels(provider, operation).set(accounts)
            for check in await connection.execute(sa.select(book_checks)):
                metrics.books_age.labels(check.kind).set((now - check.snapshot_at).total_seconds())
            for name, query in queues.items():
                count, oldest = (await connection.execute(query)).one()
                metrics.queue_depth.labels(name).set(count)
                metrics.queue_age.labels(name).set((now - oldest).total_seconds() if oldest else 0)
