"""Webhook scenes: a program of the shop's is told of a payment, whatever dies in between."""

import json
from collections import Counter
from uuid import UUID

import aiohttp
import sqlalchemy as sa

from services.store.schema import payments, webhook_deliveries
from tests.bot.webhooks_out.receiver import receiving
from tests.crash.page_scenes import PageScenes
from tests.crash.scenes import RESTED


class WebhookScenes(PageScenes):
    async def webhooks(self) -> str:
        """Each try of the one event has the same id and the same bytes; more than one of them may come."""
        async with receiving() as receiver:
            wanted = {"url": receiver.url, "types": ["payment.succeeded"]}
            endpoint = await self._call("Njeri", "/webhooks/endpoints", wanted)

            its = webhook_deliveries.c.endpoint_id == UUID(endpoint["id"])
            left = sa.select(sa.func.count()).where(its, webhook_deliveries.c.state != "delivered")

            async def told() -> bool:
                return bool(receiver.got) and not await self._one(left)

            await self.pay()
            await self._until(told, "the webhook of a payment")
        payment = await self._one(sa.select(payments.c.id).where(payments.c.amount == self.paid[-1] * 100))
        came = Counter((got.headers["webhook-id"], got.body) for got in receiver.got)
        ((_, body),) = came
        assert json.loads(body)["data"]["id"] == str(payment)
        await self._until(lambda: self._removed(endpoint["id"]), "the endpoint removed")
        return RESTED

    async def _removed(self, endpoint: str) -> bool:
        try:
            status, _ = await self._ground.programs["Njeri"]("DELETE", f"/webhooks/endpoints/{endpoint}")
        except (aiohttp.ClientError, OSError):
            return False
        return status in (200, 404)
