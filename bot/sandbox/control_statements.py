"""Control of statements: the file that M-Pesa's portal exports, and payments that nobody has asked for."""

from datetime import UTC, datetime

from aiohttp import web

from bot.sandbox.bodies import body_of, count, error, text
from bot.sandbox.daraja import Daraja
from bot.sandbox.stage import Stage
from bot.sandbox.world import DarajaApp

_MOST = 250_000


class StatementControl:
    def __init__(self, stage: Stage, daraja: Daraja) -> None:
        self._stage, self._daraja = stage, daraja

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/control/statement", self.statement),
            web.post("/control/counter", self.counter),
            web.post("/control/c2b/forget", self.forget_addresses),
        ]

    async def statement(self, request: web.Request) -> web.Response:
        """?shortcode=, the first where unsaid; ?from= and ?to= as 2026-11-24T09:00:00Z: a CSV file."""
        app = self._app(request.query.get("shortcode"))
        since, until = (_moment(request.query.get(name)) for name in ("from", "to"))
        content = self._daraja.portal.export(app, since, until)
        name = f'attachment; filename="statement-{app.shortcode}.csv"'
        return web.Response(text=content, content_type="text/csv", headers={"Content-Disposition": name})

    async def counter(self, request: web.Request) -> web.Response:
        """{"amount", "shortcode"?, "number"? = a stranger's, "account"? = what the customer types}"""
        body = {"shortcode": None, "number": "+254799000111", "account": ""} | await body_of(request)
        app, amount = self._app(body["shortcode"]), count(body, "amount", 1, _MOST)
        receipt = self._daraja.counter.pay(app, text(body, "number"), amount, text(body, "account"))
        return web.json_response({"receipt": receipt})

    async def forget_addresses(self, request: web.Request) -> web.Response:
        """{"shortcode"?}: somebody takes its registered addresses out in M-Pesa's portal."""
        body = {"shortcode": None} | await body_of(request)
        self._daraja.c2b.take_out(self._app(body["shortcode"]))
        return web.json_response({})

    def _app(self, shortcode: str | None) -> DarajaApp:
        for app in self._stage.world.daraja:
            if shortcode in (None, app.shortcode, app.till):
                return app
        raise error(web.HTTPNotFound, "no such shortcode")


def _moment(told: str | None) -> datetime | None:
    if told is None:
        return None
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        raise error(web.HTTPBadRequest, "from and to are times such as 2026-11-24T09:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
