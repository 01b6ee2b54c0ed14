"""Client: one business's way to Paystack: requests whose every outcome has a name.

https://paystack.com/docs/api
"""

from typing import Any

import aiohttp
from pydantic import SecretStr

from services.providers.base import NotSent, Unknown
from services.providers.bodies import Json
from services.providers.paystack_words import Reply
from services.providers.wire import asked

# Three of them, a stale recipient made anew between, fit into the time that a call may take altogether.
TIMEOUT = aiohttp.ClientTimeout(total=25, connect=5)


class PaystackClient:
    """Stateless."""

    def __init__(
        self, key: SecretStr, http: aiohttp.ClientSession, url: str, timeout: aiohttp.ClientTimeout
    ) -> None:
        self._key, self._http, self._url, self._timeout = key, http, url.rstrip("/"), timeout

    async def post(self, path: str, body: Json) -> Reply | NotSent | Unknown:
        return await self._send("POST", path, json=body)

    async def get(self, path: str) -> Reply | NotSent | Unknown:
        return await self._send("GET", path)

    async def _send(self, method: str, path: str, **more: Any) -> Reply | NotSent | Unknown:
        key = self._key.get_secret_value()
        answer = await asked(self._http, method, self._url + path, key, timeout=self._timeout, **more)
        return Reply(*answer) if isinstance(answer, tuple) else answer
