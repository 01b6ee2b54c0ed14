"""Listening: a tenant's endpoint, and what becomes of what is sent to it, with no network."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.store.schema import webhook_deliveries, webhook_endpoints
from services.store.scope import PLATFORM
from services.webhooks import deliveries, endpoints
from services.webhooks.deliveries import Outcome, Sendable
from tests.services.business import Business

URL = "https://shop.example/hooks"
TAKEN = Outcome(200)
AWAY = Outcome(503, "http_503")


class Listening:
    def __init__(self, business: Business, endpoint: UUID, secret: str) -> None:
        self.business, self.endpoint, self.secret = business, endpoint, secret

    @classmethod
    async def at(cls, business: Business, url: str = URL, types: Sequence[str] | None = None) -> "Listening":
        async with business.work() as work:
            row, secret = await endpoints.add(work, business.owner, url, types)
        return cls(business, row.id, secret)

    async def due(self) -> bool:
        async with self.business.database.reading(PLATFORM) as connection:
            return (self.business.tenant, self.endpoint) in await deliveries.due(
                connection, self.business.now
            )

    async def claimed(self) -> list[Sendable]:
        async with self.business.work() as work:
            return await deliveries.claim(work, self.endpoint)

    async def answered(self, sent: Sendable, outcome: Outcome = TAKEN) -> None:
        async with self.business.work() as work:
            await deliveries.answered(work, sent, outcome)

    async def took(self, outcome: Outcome = TAKEN) -> list[str]:
        """Everything that is due now, in the order in which it came; the types."""
        came = []
        while claimed := await self.claimed():
            for sent in claimed:
                came.append(await self.type(sent))
                await self.answered(sent, outcome)
        return came

    async def type(self, sent: Sendable) -> str:
        return str((await self.business.row(webhook_deliveries, sent.delivery_id)).type)

    async def written(self) -> list[sa.Row[Any]]:
        """What was written for it, in order."""
        table = webhook_deliveries
        async with self.business.behind() as work:
            query = sa.select(table).where(table.c.endpoint_id == self.endpoint).order_by(table.c.seq)
            return list(await work.connection.execute(query))

    async def types(self) -> list[str]:
        return [row.type for row in await self.written()]

    async def states(self) -> list[str]:
        return [row.state for row in await self.written()]

    async def row(self) -> sa.Row[Any]:
        return await self.business.row(webhook_endpoints, self.endpoint)

    async def until_next(self) -> timedelta:
        """Of the one that waits."""
        (waits,) = [row for row in await self.written() if row.state == "waiting"]
        return waits.due_at - self.business.now  # type: ignore[no-any-return]
