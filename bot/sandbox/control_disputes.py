"""Control of disputes: what was paid by card at whichever provider, and what became of it since, for the
page."""

from collections.abc import Iterator

from aiohttp import web

from bot.sandbox.paystack import Paystack
from bot.sandbox.stripe import Stripe
from bot.sandbox.stripe_box import Box
from bot.sandbox.stripe_shapes import Charge, Dispute, Intent, Refund
from bot.sandbox.world import Json

_MOST = 8


class DisputeControl:
    def __init__(self, paystack: Paystack, stripe: Stripe) -> None:
        self._paystack, self._stripe = paystack, stripe

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/control/disputed", self.look)]

    async def look(self, _request: web.Request) -> web.Response:
        """{"payments": [{"provider", "id", "amount" in cents, "currency", "at", "named": what a dispute of it
        names it by, "dispute": {"id", "status": "open", "won" or "lost"} or null, "refunds": [...]}]}, the
        latest first."""
        stripe = (paid for box in self._stripe.boxes.values() for paid in _at_stripe(box))
        payments = sorted([*self._paystack.refunds.view(), *stripe], key=lambda each: -each["at"])
        return web.json_response({"payments": payments[:_MOST]})


def _at_stripe(box: Box) -> Iterator[Json]:
    for intent in box.all(Intent):
        if intent.charge is None or intent.status != "succeeded":
            continue
        disputes = [each for each in box.all(Dispute) if each.intent == intent.id]
        yield {
            "provider": "stripe",
            "id": intent.id,
            "named": {"payment": intent.id},
            "amount": intent.amount,
            "currency": intent.currency.upper(),
            "at": box.get(Charge, intent.charge).created,
            "dispute": _dispute(disputes[0]) if disputes else None,
            "refunds": [
                {"id": each.id, "amount": each.amount, "status": each.status, "dispute": False}
                for each in box.all(Refund)
                if each.intent == intent.id
            ],
        }


def _dispute(dispute: Dispute) -> Json:
    status = dispute.status if dispute.status in ("won", "lost") else "open"
    return {"id": dispute.id, "amount": dispute.amount, "status": status}
