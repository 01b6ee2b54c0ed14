"""Control of Stripe: what customers do on its pages, banks decide, and somebody does in its dashboard."""

from aiohttp import web

from bot.sandbox.bodies import body_of, count, error, one_of, text
from bot.sandbox.stripe import Stripe
from bot.sandbox.stripe_box import Box, Kind
from bot.sandbox.stripe_shapes import Charge, Dispute, Intent, Refund, Session, StripeError
from bot.sandbox.world import CannotError, Json

_MOST = 99_999_999
_OUTCOMES = ("pay", "later", "expire", "succeed", "fail")


class StripeControl:
    def __init__(self, stripe: Stripe) -> None:
        self._stripe = stripe

    def routes(self) -> list[web.RouteDef]:
        at = "/control/stripe"
        return [
            web.get(at, self.look),
            web.post(at + "/sessions/{id}", self.session),
            web.post(at + "/refunds", self.refund),
            web.post(at + "/refunds/{id}", self.decide_refund),
            web.post(at + "/disputes", self.dispute),
            web.post(at + "/disputes/{id}", self.close_dispute),
        ]

    def view(self) -> list[Json]:
        """The sessions, as the panel shows them."""
        return [
            self._stripe.sessions.view(session, box)
            for box in self._stripe.boxes.values()
            for session in box.all(Session)
        ]

    async def look(self, _request: web.Request) -> web.Response:
        """All that is held, as the API tells it."""
        kinds = {"payments": Intent, "refunds": Refund, "disputes": Dispute}
        told = {
            name: [each.told() for box in self._stripe.boxes.values() for each in box.all(kind)]
            for name, kind in kinds.items()
        }
        return web.json_response({"sessions": self.view(), **told})

    async def session(self, request: web.Request) -> web.Response:
        """{"outcome": "pay" with "card"? = "4242424242424242", "later" with what takes its time and then
        "succeed" or "fail", or "expire"}; {"result": "paid", "declined", "asks", ...}"""
        body: Json = {"card": "4242424242424242"} | await body_of(request)
        box, session = self._found(Session, request.match_info["id"])
        sessions, outcome = self._stripe.sessions, one_of(body, "outcome", _OUTCOMES)
        if outcome in ("pay", "later") and session.status != "open":
            raise error(web.HTTPConflict, f"this page is {session.status}")
        try:
            result = outcome
            if outcome == "pay":
                result = sessions.pay(box, session, text(body, "card"), proven=body.get("proven") is True)
            elif outcome == "later":
                sessions.pay_later(box, session)
            elif outcome == "expire":
                sessions.expire(box, session)
            elif not sessions.decide(box, session, paid=outcome == "succeed"):
                raise error(web.HTTPConflict, "this page waits for no bank")
        except StripeError as refused:
            raise CannotError(str(refused)) from None
        return web.json_response({"result": result})

    async def refund(self, request: web.Request) -> web.Response:
        """{"payment", "amount"? in their units, all that is left where unsaid}: one made in the dashboard."""
        body = await body_of(request)
        box, intent = self._found(Intent, text(body, "payment"))
        if intent.charge is None:
            raise error(web.HTTPConflict, "nothing was paid")
        charge = box.get(Charge, intent.charge)
        amount = count(body, "amount", 1, _MOST) if "amount" in body else charge.amount - charge.refunded
        try:
            made = self._stripe.refunds.make(box, charge, amount, {})
        except StripeError as refused:
            raise CannotError(str(refused)) from None
        return web.json_response(made.told())

    async def decide_refund(self, request: web.Request) -> web.Response:
        """{"status": "succeeded" or "failed"}: what the bank makes of it."""
        status = one_of(await body_of(request), "status", ("succeeded", "failed"))
        box, refund = self._found(Refund, request.match_info["id"])
        if not self._stripe.refunds.decide(box, refund, status):
            raise error(web.HTTPConflict, f"this refund is {refund.status}")
        return web.json_response(refund.told())

    async def dispute(self, request: web.Request) -> web.Response:
        """{"payment", "amount"? in their units}: its customer disputes it at the bank."""
        body = await body_of(request)
        box, intent = self._found(Intent, text(body, "payment"))
        amount = count(body, "amount", 1, _MOST) if "amount" in body else None
        made = self._stripe.refunds.dispute(box, intent, amount)
        if made is None:
            raise error(web.HTTPConflict, "there is nothing to dispute")
        return web.json_response(made.told())

    async def close_dispute(self, request: web.Request) -> web.Response:
        """{"status": "won" or "lost"}"""
        status = one_of(await body_of(request), "status", ("won", "lost"))
        box, dispute = self._found(Dispute, request.match_info["id"])
        if not self._stripe.refunds.close(box, dispute, status):
            raise error(web.HTTPConflict, f"this dispute is {dispute.status}")
        return web.json_response(dispute.told())

    def _found(self, kind: type[Kind], name: str) -> tuple[Box, Kind]:
        for box in self._stripe.boxes.values():
            try:
                return box, box.get(kind, name)
            except StripeError:
                continue
        raise error(web.HTTPNotFound, "there is no such thing at Stripe")
