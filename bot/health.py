"""Health: is the process alive, is it ready, and what do its numbers say."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
import structlog
from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot import metrics
from bot.away import AWAY
from bot.measured import Measured
from services.store.database import Database
from services.store.scope import AUDITOR

log = structlog.get_logger()

_PATIENCE_SECONDS = 3  # less than whoever asks has


class Health:
    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock
        self._measured = Measured(database, clock)
        self.draining = False

    def add_to(self, app: web.Application) -> None:
        for name in ("livez", "readyz", "metrics"):
            app.router.add_get(f"/{name}", getattr(self, name))

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
        """Without the database what is read there stands as it was measured last."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._measured.measure()
        except AWAY as error:
            log.warning("metrics.database_away", error=type(error).__name__)
        body = metrics.exposition(self._measured)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
