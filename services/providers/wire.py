"""Wire: what can keep a request from being answered. Errors are named, never quoted: their texts hold
addresses."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import aiohttp

from services.points import point
from services.providers.base import NotSent, Unknown
from services.providers.bodies import Json, json_object

# Nothing of the request has left us: no address, nobody listens, no TLS, no connection in time.
NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
LOST = (aiohttp.ClientError, TimeoutError, OSError)


async def asked(
    http: aiohttp.ClientSession,
    method: str,
    url: str,
    token: str,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> tuple[int, Json] | NotSent | Unknown:
    """The status and the JSON object of an answer, or what kept us from one."""
    try:
        async with http.request(
            method,
            url,
            headers={"Authorization": f"Bearer {token}", **(headers or {})},
            allow_redirects=False,  # a redirected POST could be sent twice, or elsewhere
            **more,
        ) as response:
            point(f"unread{response.url.path}")
            status, content = response.status, await response.read()
    except NEVER_SENT as error:
        return NotSent(type(error).__name__)
    except LOST as error:
        return Unknown(type(error).__name__)
    told = json_object(content)
    if told is not None:
        return status, told
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return NotSent("HTTP 429")
    return Unknown(f"HTTP {status} without a JSON object")
