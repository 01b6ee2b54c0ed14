"""Collect calls: how a customer is asked, by what the services hand out; and pages and saved cards that are
to be over at their provider."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from bot.providers import NoProvider, Providers
from services.jobs import Job
from services.payments import forgetting, pages
from services.points import point
from services.providers.abilities import Charge, Page, Prompt
from services.safety.vault import Vault
from services.store.database import Database
from services.work import Via, Work

log = structlog.get_logger()

ClientOf = Callable[[UUID, str], Awaitable[Any]]
Ask = Callable[[Any], Awaitable[Any]]


def sends(providers: Providers, wanted: Prompt | Page | Charge) -> tuple[ClientOf, Ask]:
    """Who can do it, and how it is asked to."""
    match wanted:
        case Prompt():
            return providers.prompting, lambda client: client.prompt(wanted)
        case Page():
            return providers.opening_pages, lambda client: client.open_page(wanted)
        case Charge():
            return providers.charging, lambda client: client.charge(wanted)


def operation(wanted: Prompt | Page | Charge) -> str:
    """What its breaker is called by."""
    match wanted:
        case Prompt():
            return "prompt"
        case Page():
            return "page"
        case Charge():
            return "charge"


class Ends:
    """What is over here is ended there, as far as the provider can."""

    def __init__(
        self, database: Database, vault: Vault, providers: Providers, clock: Callable[[], datetime]
    ) -> None:
        self._database, self._vault, self._providers, self._clock = database, vault, providers, clock

    async def close_page(self, job: Job) -> None:
        """What its provider says of that is not waited for: it is asked about the payment next."""
        async with self._work(job) as work:
            closing = await pages.begin_close(work, job.target_id)
        if closing is None:
            return
        point("page.closing")
        try:
            client = await self._providers.opening_pages(job.tenant_id, closing.provider)
            await client.close_page(closing.reference)
            point("page.close_answered")
        except NoProvider as none:
            log.warning("page.not_closed", why=str(none))
        async with self._work(job) as work:
            await pages.closed(work, job.target_id)

    async def forget(self, job: Job) -> None:
        async with self._work(job) as work:
            gone = await forgetting.begin(work, job.target_id)
        if gone is None:
            return
        point("card.forgetting")
        try:
            client = await self._providers.charging(job.tenant_id, gone.provider)
            left = await client.forget(gone.details)
            point("card.forget_answered")
        except NoProvider as none:  # the shop has left it, and with it its cards there
            log.warning("method.not_forgotten", why=str(none))
            left = None
        async with self._work(job) as work:
            await forgetting.forgotten(work, job.target_id, left)

    @asynccontextmanager
    async def _work(self, job: Job) -> AsyncIterator[Work]:
        async with self._database.transaction(job.tenant_id) as connection:
            yield Work(connection, self._vault, job.tenant_id, self._clock(), Via("clock", job.kind))
