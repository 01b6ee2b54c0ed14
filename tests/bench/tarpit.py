"""The tarpit: an M-Pesa that gives out tokens, takes every prompt, and answers none before SECONDS have gone.

python -m tests.bench.tarpit PORT SECONDS; GET /held tells how many wait for their answers.
"""

import asyncio
import sys

import uvloop
from aiohttp import web

_HELD: web.AppKey[set[int]] = web.AppKey("held", set)
_SECONDS: web.AppKey[float] = web.AppKey("seconds", float)


async def token(_request: web.Request) -> web.Response:
    return web.json_response({"access_token": "slow", "expires_in": "3599"})


async def held(request: web.Request) -> web.Response:
    return web.json_response(len(request.app[_HELD]))


async def asked(request: web.Request) -> web.Response:
    await request.read()
    request.app[_HELD].add(id(request))
    try:
        await asyncio.sleep(request.app[_SECONDS])
    finally:
        request.app[_HELD].discard(id(request))
    return web.json_response(
        {"errorCode": "500.001.1001", "errorMessage": "Unable to lock subscriber"}, status=500
    )


if __name__ == "__main__":
    uvloop.install()
    app = web.Application()
    app[_HELD], app[_SECONDS] = set(), float(sys.argv[2])
    app.router.add_get("/oauth/v1/generate", token)
    app.router.add_get("/held", held)
    app.router.add_post("/{path:.*}", asked)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
