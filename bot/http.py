"""The HTTP client session: refuses to call anybody inside a transaction."""

from types import SimpleNamespace

import aiohttp

from services.store.database import in_transaction


class NetworkInTransaction(RuntimeError):
    """A network call was made while a transaction was open: a bug, whatever the other side answers."""


async def _outside(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestStartParams
) -> None:
    if in_transaction.get():
        raise NetworkInTransaction(params.url.host)


def open_session() -> aiohttp.ClientSession:
    """No cookies, no redirects by surprise of a proxy's environment, a bounded pool."""
    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(_outside)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=600, limit_per_host=300, keepalive_timeout=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=30, connect=5),
        trace_configs=[trace],
    )
