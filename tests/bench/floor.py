"""The floor: a bare aiohttp server that checks the HMAC and answers 200.

python -m tests.bench.floor PORT
"""

import hmac
import sys

import uvloop
from aiohttp import web

_SECRET = b"app-secret"


async def updates(request: web.Request) -> web.Response:
    body = await request.read()
    given = request.headers.get("X-Hub-Signature-256", "").removeprefix("sha256=")
    if not hmac.compare_digest(hmac.digest(_SECRET, body, "sha256").hex(), given):
        return web.Response(status=401)
    return web.Response()


if __name__ == "__main__":
    uvloop.install()
    app = web.Application()
    app.router.add_post("/webhooks/whatsapp", updates)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
