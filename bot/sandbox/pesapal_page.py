"""Page: where a customer pays an order, and comes back from to the shop.

A browser returns with the order's ids and `OrderNotificationType=CALLBACKURL`, whatever became of it.
"""

from html import escape
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from bot.sandbox.pesapal_orders import HOWS, Order, Orders

_BUTTONS = {
    "mpesa": "Pay by M-Pesa",
    "card": "Pay by card",
    "fail": "Pay, and fail",
    "cancel": "Back to the shop",
}
_FRAME = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pesapal (emulated)</title>
<link rel="stylesheet" href="/static/page.css">
<main>
<h1>Pesapal <small>(emulated)</small></h1>
{inside}
</main>
</html>
"""


class HostedPage:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def routes(self) -> list[web.RouteDef]:
        path = "/pesapal/page/{order}"
        return [web.get(path, self.show), web.post(path, self.act)]

    async def show(self, request: web.Request) -> web.Response:
        return _page(_paid_or_not(self._order(request)))

    async def act(self, request: web.Request) -> web.Response:
        """`how` of a form: "mpesa", "card", "fail" or "cancel"."""
        order, how = self._order(request), (await request.post()).get("how")
        if how not in HOWS:
            raise web.HTTPBadRequest(text="how is one of " + ", ".join(HOWS))
        if not self._orders.act(order, str(how)):
            return _page(_paid_or_not(order), 409)
        raise web.HTTPSeeOther(back(order, canceled=how == "cancel"))

    def _order(self, request: web.Request) -> Order:
        order = self._orders.find(request.match_info["order"])
        if order is None:
            raise web.HTTPNotFound(text="No such order.")
        return order


def back(order: Order, *, canceled: bool) -> str:
    """Where the browser goes."""
    url = order.cancellation_url if canceled else order.callback_url
    told = {
        "OrderTrackingId": order.tracking_id,
        "OrderMerchantReference": order.reference,
        "OrderNotificationType": "CALLBACKURL",
    }
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(told)}"


def _paid_or_not(order: Order) -> str:
    what = (
        f"<p>{escape(order.account.merchant)}: {escape(order.description)}</p>"
        f"<p><strong>{escape(order.currency)} {order.amount:,.2f}</strong></p>"
    )
    if not order.open:
        return f"{what}<p>This page is closed.</p>"
    buttons = "".join(
        f'<button name="how" value="{how}">{escape(words)}</button> ' for how, words in _BUTTONS.items()
    )
    return f'{what}<form method="post">{buttons}</form>'


def _page(inside: str, status: int = 200) -> web.Response:
    page = web.Response(text=_FRAME.format(inside=inside), content_type="text/html", status=status)
    # A browser holds where a form's answer leads to against this too: the shop is anywhere.
    page.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action *; frame-ancestors 'none'"
    )
    return page
