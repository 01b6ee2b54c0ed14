"""The hosted page of the emulated Paystack: pay, be declined, or turn back."""

from html import escape
from urllib.parse import urlsplit

from aiohttp import web

from bot.sandbox.paystack_charges import Charges, Transaction

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/static/hosted.css">
<main>
<p class="test">Paystack, emulated: no card is charged here.</p>
<h1>{merchant}</h1>
<p class="amount">{amount}</p>
{inside}
</main>
"""
_FORM = """<form method="post">
<button name="outcome" value="pay">Pay by card 4081</button>
<button name="outcome" value="fail" class="plain">Be declined</button>
<button name="outcome" value="abandon" class="plain">Turn back</button>
</form>"""


class PaystackPage:
    def __init__(self, charges: Charges) -> None:
        self._charges = charges

    def routes(self) -> list[web.RouteDef]:
        at = "/paystack/pay/{access_code}"
        return [web.get(at, self.show), web.post(at, self.decide)]

    async def show(self, request: web.Request) -> web.Response:
        return _page(self._found(request))

    async def decide(self, request: web.Request) -> web.Response:
        """{"outcome": "pay", "fail" or "abandon"}"""
        made = self._found(request)
        outcome = (await request.post()).get("outcome")
        if outcome == "pay" and not self._charges.pay(made):
            return _page(made, status=410)
        if outcome == "fail":
            self._charges.fail(made)
            return _page(made, "The card was declined. Another one may be tried.", status=402)
        if made.callback_url:
            mark = "&" if urlsplit(made.callback_url).query else "?"
            named = f"trxref={made.reference}&reference={made.reference}"
            raise web.HTTPSeeOther(f"{made.callback_url}{mark}{named}")
        return _page(made)

    def _found(self, request: web.Request) -> Transaction:
        made = self._charges.by_access_code(request.match_info["access_code"])
        if made is None:
            raise web.HTTPNotFound(text="There is no such page.")
        return made


def _page(made: Transaction, said: str = "", status: int = 200) -> web.Response:
    amount = f"KES {made.amount // 100:,}.{made.amount % 100:02}".removesuffix(".00")
    alert = f'<p role="alert">{escape(said)}</p>\n' if said else ""
    paid = made.status == "success"
    inside = '<p role="status">This is paid already.</p>' if paid else alert + _FORM
    merchant = escape(made.account.merchant)
    text = _PAGE.format(title=f"{merchant}, {amount}", merchant=merchant, amount=amount, inside=inside)
    back = urlsplit(made.callback_url)
    there = f" {back.scheme}://{back.netloc}" if back.netloc else ""
    policy = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self'{there}"
    )
    headers = {"Content-Security-Policy": policy}
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)
