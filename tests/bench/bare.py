"""Bare: an aiohttp handler with one query, on the database that is measured.

python -m tests.bench.bare PORT URL
"""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import aiosqlite
import asyncpg
import uvloop
from aiohttp import web
from sqlalchemy.engine import make_url

_SQL = "SELECT posted, held FROM accounts WHERE name = 'wallet' LIMIT 1"
_CONNECTIONS = 4  # as many as a process of ours reads by

ASK: web.AppKey[Callable[[], Awaitable[object]]] = web.AppKey("ASK")


async def wallet(request: web.Request) -> web.Response:
    found = await request.app[ASK]()
    return web.json_response({"wallet": str(found)})


async def connected(app: web.Application) -> AsyncIterator[None]:
    url = make_url(sys.argv[2])
    if url.get_backend_name() == "sqlite":
        async with aiosqlite.connect(f"file:{url.database}?mode=ro", uri=True) as connection:

            async def ask() -> object:
                async with connection.execute(_SQL) as cursor:
                    return await cursor.fetchone()

            app[ASK] = ask
            yield
        return
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with asyncpg.create_pool(plain, min_size=_CONNECTIONS, max_size=_CONNECTIONS) as pool:
        app[ASK] = lambda: pool.fetchrow(_SQL)
        yield


if __name__ == "__main__":
    uvloop.install()
    app = web.Application()
    app.router.add_get("/", wallet)
    app.cleanup_ctx.append(connected)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
