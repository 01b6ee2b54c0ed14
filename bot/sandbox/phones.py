"""Phones page: the static files, the live events, and who may ask for them: this machine's browser only."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from bot.sandbox.stage import Stage
from bot.sandbox.world import CannotError, Json

STATIC = Path(__file__).parent / "static"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Page:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        app = urlsplit(stage.world.app_url)
        # Such a policy cannot name an address of IPv6.
        host = f"*:{app.port}" if ":" in (app.hostname or "") else app.netloc
        self._policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            f"img-src 'self' data: {app.scheme}://{host}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/", self.page),
            web.get("/events", self.events),
            web.static("/static", STATIC),
        ]

    async def page(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / "index.html")

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events after the Last-Event-ID (a browser's on its own return) or ?after=."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        after = request.headers.get("Last-Event-ID") or request.query.get("after", "")
        watching = self._stage.feed.watch(after)
        try:
            await response.write(b"retry: 1000\n\n")
            async for number, kind, data in watching:
                mark = f"id: {number}\nevent: {kind}\ndata: {data}\n\n" if number else ": beat\n\n"
                await response.write(mark.encode())
        except ConnectionError:
            pass  # the page was closed
        finally:
            await watching.aclose()
        return response

    async def watch(self, kind: str, read: Callable[[], Awaitable[Json]]) -> None:
        """Tells what the app has, as news of that kind, when it has changed and somebody looks."""
        last: Json | None = None
        while True:
            await asyncio.sleep(self._stage.world.ledger_every)
            if self._stage.feed.watchers == 0:
                continue
            try:
                now = await read()
            except Exception as error:  # noqa: BLE001  an edge: the page lives on, and says what it cannot read
                now = {"error": f"{type(error).__name__}: {error}"}
            if now != last:
                last = now
                self._stage.feed.tell(kind, now)

    async def add_headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers.setdefault("Content-Security-Policy", self._policy)  # a hosted page has its own
        response.headers["X-Content-Type-Options"] = "nosniff"
        # To itself it does say where a form comes from, or hosted pages could not be told from foreign sites.
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cache-Control"] = "no-cache"


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keeps foreign sites away that a browser has open beside the page, and words what cannot be done."""
    host = urlsplit(f"//{request.host}").hostname
    origin = request.headers.get("Origin")
    if host not in LOOPBACK or (origin and urlsplit(origin).netloc != request.host):
        raise web.HTTPForbidden(text="The sandbox answers its own machine only.")
    try:
        return await handler(request)
    except CannotError as error:
        return web.json_response({"error": str(error)}, status=400)
