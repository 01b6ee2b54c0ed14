"""The hosted page: where a customer of the emulated Checkout pays, is declined, or turns back.

Cards are chosen by what Stripe's test numbers do. A bank that wants to know who pays asks on its own page.
"""

from html import escape
from urllib.parse import urlsplit

from aiohttp import web

from bot.sandbox.stripe import Stripe
from bot.sandbox.stripe_box import Box
from bot.sandbox.stripe_cards import CARDS
from bot.sandbox.stripe_shapes import Intent, Session, StripeError

_HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/static/hosted.css">
<main>
<p class="test">Stripe, emulated: no card is charged here.</p>
"""
_CLOSED = {
    "expired": "This page is no longer open. Nothing was paid.",
    "paid": "This is paid already.",
    "unpaid": "Your bank is paying this. Nothing more is to be done here.",
}


class StripePage:
    def __init__(self, stripe: Stripe) -> None:
        self._stripe = stripe

    def routes(self) -> list[web.RouteDef]:
        at = "/stripe/c/pay/{id}"
        return [web.get(at, self.show), web.post(at, self.pay)]

    async def show(self, request: web.Request) -> web.Response:
        _, session = self._found(request)
        return _page(session, _form(session))

    async def pay(self, request: web.Request) -> web.Response:
        """{"card"}: a test number; {"later": "1"}: by something that takes its time; {"proven": "1" or "0"}:
        the answer to the bank that asked about "card". A card that is declined leaves the page open."""
        box, session = self._found(request)
        if session.status != "open":
            return _page(session, _form(session), status=410)
        form = {name: str(value) for name, value in (await request.post()).items()}
        if form.get("later"):
            self._stripe.sessions.pay_later(box, session)
            raise web.HTTPSeeOther(str(session.asked["success_url"]))
        card = "".join(form.get("card", "").split())
        if form.get("proven") == "0":
            return _page(session, _form(session, "Your bank could not tell that it is you."))
        try:
            outcome = self._stripe.sessions.pay(box, session, card, proven=form.get("proven") == "1")
        except StripeError as error:
            return _page(session, _form(session, str(error)), status=402)
        if outcome == "paid":
            raise web.HTTPSeeOther(str(session.asked["success_url"]))
        if outcome == "asks":
            return _page(session, _question(card))
        intent = box.get(Intent, session.intent or "")
        return _page(session, _form(session, str((intent.error or {}).get("message"))), status=402)

    def _found(self, request: web.Request) -> tuple[Box, Session]:
        found = self._stripe.session(request.match_info["id"])
        if found is None:
            raise web.HTTPNotFound(text="There is no such page.")
        box, session = found
        self._stripe.sessions.sweep(box)
        return box, session


def _form(session: Session, said: str = "") -> str:
    if session.status != "open":
        state = session.status if session.status == "expired" else session.payment_status
        back = escape(str(session.asked["success_url"]), quote=True)
        return f'<p role="status">{_CLOSED[state]}</p>\n<a href="{back}">Back to the shop</a>'
    options = "\n".join(
        f'<option value="{number}">{card.brand} {number[-4:]}: {card.what}</option>'
        for number, card in CARDS.items()
    )
    cancel = session.asked.get("cancel_url")
    back = f'<a href="{escape(cancel, quote=True)}">Turn back</a>' if cancel else ""
    alert = f'<p role="alert">{escape(said)}</p>' if said else ""
    return f"""{alert}
<form method="post">
<label for="card">Card</label>
<select id="card" name="card">
{options}
</select>
<button>Pay</button>
</form>
<form method="post">
<button name="later" value="1" class="plain">Pay by a bank that takes its time</button>
</form>
{back}"""


def _question(card: str) -> str:
    return f"""<p>Your bank asks: is it you who pays?</p>
<form method="post">
<input type="hidden" name="card" value="{escape(card, quote=True)}">
<button name="proven" value="1">Yes, it is me</button>
<button name="proven" value="0" class="plain">No</button>
</form>"""


def _page(session: Session, inside: str, status: int = 200) -> web.Response:
    decimal = f"{session.amount // 100:,}.{session.amount % 100:02}"
    amount = f"{session.currency.upper()} {decimal.removesuffix('.00')}"
    head = _HEAD.format(title=escape(f"{session.name}, {amount}"))
    body = f'{head}<h1>{escape(session.name)}</h1>\n<p class="amount">{amount}</p>\n{inside}\n</main>\n'
    back = urlsplit(str(session.asked["success_url"]))
    # A form that leads back to the shop is one that goes there, to a browser.
    policy = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {back.scheme}://{back.netloc}"
    )
    headers = {"Content-Security-Policy": policy}
    return web.Response(text=body, status=status, content_type="text/html", headers=headers)
