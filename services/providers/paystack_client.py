"""Client: one business's way to Paystack: requests whose every outcome has a name.

https://paystack.com/docs/api
"""

from http import HTTPStatus
from typing import Any

import aiohttp
from pydantic import SecretStr

from services.providers.base import NotSent, Unknown
from services.providers.bodies import Json, json_object
from services.providers.paystack_words import Reply
from services.providers.wire import LOST, NEVER_SENT

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
        try:
            async with self._http.request(
                method,
                self._url + path,
                headers={"Authorization": f"Bearer {self._key.get_secret_value()}"},
                timeout=self._timeout,
                allow_redirects=False,  # a redirected POST could be sent twice, or elsewhere
                **more,
            ) as response:
                status, content = response.status, await response.read()
        except NEVER_SENT as error:
            return NotSent(type(error).__name__)
        except LOST as error:
            return Unknown(type(error).__name__)
        said = json_object(content)
        if said is not None:
            return Reply(status, said)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return NotSent("HTTP 429")
        return Unknown(f"HTTP {status} without a JSON object")
