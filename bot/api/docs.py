"""The documents of the API for readers: the OpenAPI document, and a page to read it and to try calls out. No
key is needed to read; nothing is fetched from anywhere else."""

from functools import cache
from pathlib import Path

from aiohttp import web

from bot.api import openapi

_VIEWER = Path(__file__).parent / "viewer"
FILES = ("swagger-ui.css", "narrow.css", "swagger-ui-bundle.js", "start.js")
# The viewer writes styles into its page, and has its signs as data.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}


def add_to(app: web.Application) -> None:
    app.router.add_get("/openapi.json", _document)
    app.router.add_get("/docs", _page)
    app.router.add_get("/docs/{name}", _file)


async def _document(_request: web.Request) -> web.Response:
    return web.Response(body=_written(), content_type="application/json", headers=_SAFE)


async def _page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(_VIEWER / "index.html", headers=_SAFE)


async def _file(request: web.Request) -> web.FileResponse:
    name = request.match_info["name"]
    if name not in FILES:
        raise web.HTTPNotFound
    return web.FileResponse(_VIEWER / name, headers=_SAFE)


@cache
def _written() -> bytes:
    return openapi.written().encode()
