"""Client: one account's way to Stripe: requests whose every outcome has a name.

https://docs.stripe.com/api: parameters as a form, lists and objects by brackets; a key makes a POST happen
once, however often it is sent.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import aiohttp
from pydantic import SecretStr

from services.providers.base import NotSent, Unknown
from services.providers.stripe_words import Reply
from services.providers.wire import asked

VERSION = "2026-10-28.endive"  # of the API: answers keep this shape, whatever the account's own version is
# A charge is a look at the card, the charge and a page, the latter two sent twice at most: all of it fits
# into the time that a call may take altogether.
TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
_AGAIN_SECONDS = 0.5
_AT_THE_DOOR = (401, 403, 429)  # refused before anybody looked what became of the first


class StripeClient:
    """Stateless."""

    def __init__(
        self, key: SecretStr, http: aiohttp.ClientSession, url: str, timeout: aiohttp.ClientTimeout
    ) -> None:
        self._key, self._http, self._url, self._timeout = key, http, url.rstrip("/"), timeout

    async def get(self, path: str, **params: Any) -> Reply | NotSent | Unknown:
        return await self._send("GET", path, params=flat(params))

    async def post(
        self, path: str, params: Mapping[str, Any] | None = None, key: str | None = None
    ) -> Reply | NotSent | Unknown:
        """What is not known to have happened is asked for once more under the same key: Stripe then tells
        what became of the first. Without a key only what is the same when it happens twice."""
        params = params or {}
        reply = await self._post(path, params, key)
        if isinstance(reply, NotSent) or not _in_doubt(reply):
            return reply
        await asyncio.sleep(_AGAIN_SECONDS)
        again = await self._post(path, params, key)
        if isinstance(again, NotSent):
            return Unknown(again.detail)
        return Unknown(str(again)) if isinstance(again, Reply) and again.status in _AT_THE_DOOR else again

    async def _post(self, path: str, params: Mapping[str, Any], key: str | None) -> Reply | NotSent | Unknown:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self._send("POST", path, data=flat(params), headers=headers)

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Reply | NotSent | Unknown:
        headers = {"Stripe-Version": VERSION, **(headers or {})}
        key, url = self._key.get_secret_value(), self._url + path
        answer = await asked(self._http, method, url, key, headers=headers, timeout=self._timeout, **more)
        return Reply(*answer) if isinstance(answer, tuple) else answer


def flat(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """{"a": {"b": [True]}} is a[b][0]=true."""
    return [pair for name, value in params.items() for pair in _pairs(name, value)]


def _pairs(name: str, value: Any) -> Iterator[tuple[str, str]]:
    inside: list[tuple[Any, Any]] = []
    match value:
        case None:
            return
        case Mapping():
            inside = list(value.items())
        case list() | tuple():
            inside = list(enumerate(value))
        case bool():
            yield name, "true" if value else "false"
        case _:
            yield name, str(value)
    for key, each in inside:
        yield from _pairs(f"{name}[{key}]", each)


def _in_doubt(reply: Reply | Unknown) -> bool:
    if isinstance(reply, Unknown):
        return True
    return reply.status in {408, 409} or reply.status >= 500  # noqa: PLR2004
