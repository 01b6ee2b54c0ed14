"""The HTTP client session: refuses to call anybody inside a transaction."""

from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver

from services.store.database import in_transaction


class NetworkInTransaction(RuntimeError):
    """A network call was made while a transaction was open: a bug, whatever the other side answers."""


class Outside(aiohttp.TCPConnector):
    """Asked for a connection by every request. (A trace would do, for a tenth of a message's time.)"""

    async def connect(self, req: Any, *args: Any, **kwargs: Any) -> Any:
        if in_transaction.get():
            raise NetworkInTransaction(req.url.host)
        return await super().connect(req, *args, **kwargs)


def open_session(resolver: AbstractResolver | None = None) -> aiohttp.ClientSession:
    """No cookies, no redirects by surprise of a proxy's environment, a bounded pool: one host that answers to
    nobody takes what calls may be under way (bot/calls.py), and leaves as much for the messages. `resolver`:
    instead of the loop's own."""
    return aiohttp.ClientSession(
        connector=Outside(limit=1200, limit_per_host=600, keepalive_timeout=60, resolver=resolver),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=30, connect=5),
    )
