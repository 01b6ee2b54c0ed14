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
_LEAVING, _PLAIN = ("fail", "cancel"), ' class="plain"'
_FRAME = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/static/hosted.css">
<main>
<p class="test">Pesapal, emulated: nobody is charged here.</p>
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
        return _page(self._order(request))

    async def act(self, request: web.Request) -> web.Response:
        """`how` of a form: "mpesa", "card", "fail" or "cancel"."""
        order, how = self._order(request), (await request.post()).get("how")
        if how not in HOWS:
            raise web.HTTPBadRequest(text="how is one of " + ", ".join(HOWS))
        if not self._orders.act(order, str(how)):
            return _page(order, 409)
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
        f"<h1>{escape(order.account.merchant)}: {escape(order.description)}</h1>\n"
        f'<p class="amount">{escape(order.currency)} {order.amount:,.2f}</p>\n'
    )
    if not order.open:
        return f'{what}<p role="status">This page is closed.</p>'
    buttons = "\n".join(
        f'<button name="how" value="{how}"{_PLAIN if how in _LEAVING else ""}>{escape(words)}</button>'
        for how, words in _BUTTONS.items()
    )
    return f'{what}<form method="post">{buttons}</form>'


def _page(order: Order, status: int = 200) -> web.Response:
    title = escape(f"{order.account.merchant}, {order.currency} {order.amount:,.2f}")
    text = _FRAME.format(title=title, inside=_paid_or_not(order))
    page = web.Response(text=text, content_type="text/html", status=status)
    # A browser holds where a form's answer leads to against this too: the shop is anywhere.
    page.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action *; frame-ancestors 'none'"
    )
    return page
