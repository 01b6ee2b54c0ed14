"""Pesapal: the emulated API v3, as far as customers pay by it, and its hosted page.

Source: https://developer.pesapal.com/how-to-integrate/e-commerce/api-30-json/api-reference. Everything stands
under /pesapal here.
"""

from aiohttp import web

from bot.sandbox.bodies import body_of, error, one_of
from bot.sandbox.emulated import Emulated
from bot.sandbox.pesapal_door import Door
from bot.sandbox.pesapal_notices import Notices
from bot.sandbox.pesapal_orders import HOWS, Orders
from bot.sandbox.pesapal_page import HostedPage
from bot.sandbox.stage import Stage
from bot.sandbox.world import Json, PesapalAccount


class Pesapal(Emulated):
    def __init__(self, stage: Stage) -> None:
        self._door = Door(stage)
        self.notices = Notices(stage)
        self.orders = Orders(stage, self.notices)
        self._page = HostedPage(self.orders)

    def routes(self) -> list[web.RouteDef]:
        setup, orders = "/pesapal/api/URLSetup", "/pesapal/api/Transactions"
        answering = self._door.answering
        return [
            *self._door.routes(),
            *self._page.routes(),
            web.post(f"{setup}/RegisterIPN", answering("ipn", self._register)),
            web.get(f"{setup}/GetIpnList", answering("ipns", self._list)),
            web.post(f"{orders}/SubmitOrderRequest", answering("order", self._submit)),
            web.get(f"{orders}/GetTransactionStatus", answering("status", self._status)),
            web.post(f"{orders}/RefundRequest", answering("refund", self._refund)),
            web.post(f"{orders}/CancelOrder", answering("cancel", self._cancel)),
            web.get("/control/pesapal/orders", self.look),
            web.post("/control/pesapal/orders/{order}", self.act),
            web.delete("/control/pesapal/ipns", self.forget),
        ]

    def reset(self) -> None:
        """Forgets the orders, not what it has given to the app, which still holds it."""
        self.orders.reset()

    def sent(self) -> list[Json]:
        """Refunds, those that wait and that were decided."""
        return [self.orders.refund_view(each) for each in self.orders.all() if each.refund is not None]

    def decide(self, payout: str, outcome: str) -> bool:
        return self.orders.answer(payout, outcome)

    # --- the API

    async def _register(
        self, account: PesapalAccount, _request: web.Request, body: Json, _fault: str
    ) -> Json:
        return self.notices.register(account, body)

    async def _list(
        self, account: PesapalAccount, _request: web.Request, _body: Json, _fault: str
    ) -> list[Json]:
        return self.notices.of(account)

    async def _submit(self, account: PesapalAccount, request: web.Request, body: Json, fault: str) -> Json:
        page = f"{request.scheme}://{request.host}/pesapal/page"
        return await self.orders.submit(account, body, page, told_first=fault == "callback_first")

    async def _status(self, account: PesapalAccount, request: web.Request, _body: Json, fault: str) -> Json:
        return self.orders.status(account, request.query.get("orderTrackingId", ""), fault)

    async def _refund(self, account: PesapalAccount, _request: web.Request, body: Json, _fault: str) -> Json:
        return self.orders.refund(account, body)

    async def _cancel(self, account: PesapalAccount, _request: web.Request, body: Json, _fault: str) -> Json:
        return self.orders.cancel(account, body)

    # --- its control

    async def look(self, _request: web.Request) -> web.Response:
        return web.json_response({"orders": [self.orders.view(each) for each in self.orders.all()]})

    async def act(self, request: web.Request) -> web.Response:
        """{"outcome": "mpesa", "card", "fail" or "cancel", as on the page; "give_back": by Pesapal itself}"""
        outcome = one_of(await body_of(request), "outcome", (*HOWS, "give_back"))
        order = self.orders.find(request.match_info["order"])
        if order is None:
            raise error(web.HTTPNotFound, "no such order")
        done = (
            self.orders.act(order, outcome)
            if outcome in HOWS
            else self.orders.answer(order.tracking_id, outcome)
        )
        if not done:
            raise error(web.HTTPConflict, "this order does not wait any more")
        return web.json_response({})

    async def forget(self, _request: web.Request) -> web.Response:
        """The merchant has deleted all addresses of notifications there."""
        self.notices.forget()
        return web.json_response({})
