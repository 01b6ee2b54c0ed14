"""Sender: what tenants' own systems are to be told, posted to them.

A claim is committed before anything leaves, the post holds no connection to the database, and its outcome is
a commit of its own that takes the next ones of the same endpoint with it. A receiver that is slow has its own
lanes alone, and one that takes nothing a single one; so it holds up nobody.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import aiohttp
import structlog

from bot import metrics
from bot.stopping import unbroken
from bot.webhooks_out import http as outside
from services.points import point
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database
from services.store.scope import PLATFORM
from services.webhooks import deliveries
from services.webhooks.deliveries import LANES, Outcome, Sendable
from services.work import Via, Work

log = structlog.get_logger()

_POLL_SECONDS = 1.0
_VIA = Via("clock", "webhook")


class Sender:
    """`abreast` posts at once, of all tenants together."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        http: aiohttp.ClientSession,
        bell: Bell,
        clock: Callable[[], datetime],
        *,
        abreast: int = 500,
    ) -> None:
        self._database, self._vault, self._http = database, vault, http
        self._bell, self._clock, self._abreast = bell, clock, abreast
        self._under_way: dict[asyncio.Task[None], UUID] = {}
        self._stopping = False

    async def run(self) -> None:
        """For ever; whatever goes wrong below a post (the database is away) is waited out."""
        self._stopping = False
        try:
            while True:
                await unbroken(self._begun())
                await asyncio.sleep(_POLL_SECONDS)
        finally:
            self._stopping = True

    async def _begun(self) -> None:
        try:
            await self._begin()
        except Exception:  # the edge: a worker outlives its database
            log.exception("webhooks.failed")

    async def once(self) -> bool:
        """What is due, and what that makes due, posted; False when nothing was."""
        await self._begin()
        begun = bool(self._under_way)
        await self.drain()
        return begun

    async def drain(self) -> None:
        """What was claimed is finished; after `run` has ended nothing more is."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _begin(self) -> None:
        async with self._database.reading(PLATFORM) as connection:
            due = await deliveries.due(connection, self._clock())
        lanes = Counter(self._under_way.values())
        for tenant, endpoint in due:
            if lanes[endpoint] < LANES:
                await self._try_to_take(tenant, endpoint)

    async def _try_to_take(self, tenant: UUID, endpoint: UUID) -> None:
        """Whatever is wrong with one endpoint is none of the others'."""
        try:
            await self._take(tenant, endpoint, self._room)
        except Exception:
            log.exception("webhooks.untaken", endpoint_id=str(endpoint))

    @property
    def _room(self) -> int:
        return self._abreast - len(self._under_way)

    async def _take(self, tenant: UUID, endpoint: UUID, room: int) -> None:
        if self._stopping or room <= 0:
            return
        async with self._work(tenant) as work:
            claimed = await deliveries.claim(work, endpoint, room)
        if claimed:
            point("webhook.claimed")
        for each in claimed:
            task = asyncio.create_task(self._post(each))
            self._under_way[task] = endpoint
            task.add_done_callback(self._under_way.pop)

    async def _post(self, sent: Sendable) -> None:
        """One try; what goes wrong with it is none of the others'. Without its outcome it counts as
        one that failed, once its lease has ended."""
        try:
            outcome = await self._posted(sent)
            point("webhook.answered")
            async with self._work(sent.tenant_id) as work:
                await deliveries.answered(work, sent, outcome)
            point("webhook.kept")
            self._bell.ring("turns")
            await self._take(sent.tenant_id, sent.endpoint_id, self._room + 1)  # in its own place
        except Exception:
            log.exception("webhook.failed", delivery_id=str(sent.delivery_id))

    async def _posted(self, sent: Sendable) -> Outcome:
        loop = asyncio.get_running_loop()
        start = loop.time()
        outcome = await outside.post(self._http, sent, self._clock())
        metrics.webhooks.labels(_named(outcome)).inc()
        took = timedelta(seconds=loop.time() - start)
        log.info(
            "webhook.posted",
            delivery_id=str(sent.delivery_id),
            tenant_id=str(sent.tenant_id),
            status=outcome.status,
            because=outcome.because,
        )
        return Outcome(outcome.status, outcome.because, outcome.retry_after, took)

    @asynccontextmanager
    async def _work(self, tenant: UUID) -> AsyncIterator[Work]:
        async with self._database.transaction(tenant) as connection:
            yield Work(connection, self._vault, tenant, self._clock(), _VIA)


def _named(outcome: Outcome) -> str:
    """Of few words, whatever a receiver answers."""
    if outcome.because is None:
        return "delivered"
    return outcome.because if outcome.status is None else f"http_{outcome.status // 100}xx"
