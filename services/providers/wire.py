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
    answer = await answered(http, method, url, token, headers, **more)
    if not isinstance(answer, tuple):
        return answer
    told = json_object(answer[1])
    return (answer[0], told) if told is not None else unreadable(answer[0])


def unreadable(status: int) -> NotSent | Unknown:
    """An answer that is none of the provider's own."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return NotSent("HTTP 429")
    return Unknown(f"HTTP {status} without a JSON object")


async def answered(
    http: aiohttp.ClientSession,
    method: str,
    url: str,
    token: str,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> tuple[int, bytes] | NotSent | Unknown:
    """The status and the bytes of an answer, whatever they are."""
    try:
        async with http.request(
            method,
            url,
            headers={"Authorization": f"Bearer {token}", **(headers or {})},
            allow_redirects=False,  # a redirected POST could be sent twice, or elsewhere
            **more,
        ) as response:
            point(f"unread{response.url.path}")
            return response.status, await response.read()
    except NEVER_SENT as error:
        return NotSent(type(error).__name__)
    except LOST as error:
        return Unknown(type(error).__name__)
