"""Control of Paystack: what is done on its own pages, by banks, and by customers at theirs."""

from aiohttp import web

from bot.sandbox.bodies import body_of, count, error, one_of, text
from bot.sandbox.paystack import Paystack
from bot.sandbox.stage import Stage

_MOST = 25_000_000
_STATUSES = ("processing", "processed", "failed", "needs-attention")


class PaystackControl:
    def __init__(self, stage: Stage, paystack: Paystack) -> None:
        self._stage, self._paystack = stage, paystack

    def routes(self) -> list[web.RouteDef]:
        at = "/control/paystack"
        return [
            web.get(at, self.look),
            web.post(at + "/transactions", self.transaction),
            web.post(at + "/refunds", self.refund),
            web.post(at + "/refunds/{id}", self.decide_refund),
            web.post(at + "/disputes", self.dispute),
            web.post(at + "/disputes/{id}", self.close_dispute),
        ]

    async def look(self, _request: web.Request) -> web.Response:
        """{"payments": what was paid, with what went back of it and is disputed}"""
        return web.json_response({"payments": self._paystack.refunds.view()})

    async def transaction(self, request: web.Request) -> web.Response:
        """{"slug", "amount" in cents, "reference", "status"? = "success"}: one made at Paystack itself."""
        body = {"status": "success"} | await body_of(request)
        amount = count(body, "amount", 1, _MOST)
        told = self._paystack.transactions.make(
            text(body, "slug"), amount, text(body, "reference"), text(body, "status")
        )
        return web.json_response(told)

    async def refund(self, request: web.Request) -> web.Response:
        """{"slug", "amount" in cents, "reference" of what was paid, "status"? = "processed", "told"? =
        whether an event tells of it, true}: one made at Paystack itself."""
        body = {"status": "processed", "told": True} | await body_of(request)
        slug, amount = text(body, "slug"), count(body, "amount", 1, _MOST)
        of = self._paystack.transactions.called(slug, text(body, "reference"))
        refunds = self._paystack.refunds
        made = refunds.make(slug, amount, of, text(body, "status"))
        if body["told"] is True:
            self._stage.wire.start(refunds.tell(made))
        return web.json_response(refunds.told(made))

    async def decide_refund(self, request: web.Request) -> web.Response:
        """{"status": "processing", "processed", "failed" or "needs-attention"}: what becomes of it there."""
        status = one_of(await body_of(request), "status", _STATUSES)
        if not self._paystack.refunds.decide(request.match_info["id"], status):
            raise error(web.HTTPConflict, "there is no such refund, or it stands so already")
        return web.json_response({})

    async def dispute(self, request: web.Request) -> web.Response:
        """{"slug", "reference" of what was paid, "amount"? in cents}: its customer disputes it at the
        bank."""
        body = await body_of(request)
        amount = count(body, "amount", 1, _MOST) if "amount" in body else None
        made = self._paystack.refunds.dispute(text(body, "slug"), text(body, "reference"), amount)
        if made is None:
            raise error(web.HTTPConflict, "there is nothing to dispute")
        return web.json_response({"id": str(made.id)})

    async def close_dispute(self, request: web.Request) -> web.Response:
        """{"status": "won" or "lost"}"""
        status = one_of(await body_of(request), "status", ("won", "lost"))
        if not self._paystack.refunds.close(request.match_info["id"], won=status == "won"):
            raise error(web.HTTPConflict, "this dispute is closed")
        return web.json_response({})
