"""Client: one app's way to Daraja: its token, and a POST whose every outcome has a name.

https://developer.safaricom.co.ke/APIs/Authorization
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

import aiohttp
from pydantic import SecretStr

from services.providers.base import Misconfigured, NoToken, NotSent, Tokens, Unknown
from services.providers.bodies import code_of, json_object
from services.providers.daraja_calls import Call, Reply
from services.providers.wire import LOST, asked

TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5)
# Below the lease under which one process fetches for all, or a second one would kill this token.
TOKEN_TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
# Two of them and a request fit into the time that a call may take altogether.
TOKEN_WAIT_SECONDS = 25.0


class Daraja:
    """Stateless but for the token, which all processes share. Errors are named, never quoted: their
    texts hold addresses."""

    def __init__(
        self,
        keys: tuple[SecretStr, SecretStr],
        http: aiohttp.ClientSession,
        url: str,
        tokens: Tokens,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
        token_wait: float = TOKEN_WAIT_SECONDS,
    ) -> None:
        self._keys, self._http, self._tokens = keys, http, tokens
        self._url = url.rstrip("/")
        self._timeout, self._token_wait = timeout, token_wait

    async def post(self, call: Call, body: Mapping[str, str]) -> Reply | NotSent | Misconfigured | Unknown:
        """Send it once; once more only where the token was refused, since then it was not looked at."""
        try:
            token = await self._token()
            reply = await self._send(call, body, token)
            if isinstance(reply, Reply) and reply.token_refused:
                reply = await self._send(call, body, await self._token(instead_of=token))
        except NoToken as none:
            return none.answer
        return reply

    async def prove_keys(self) -> NotSent | Misconfigured | None:
        """None where Daraja takes them."""
        try:
            await self._token()
        except NoToken as none:
            return none.answer
        return None

    async def _token(self, *, instead_of: str | None = None) -> str:
        """Raises NoToken for whatever keeps us from one, a queue of others who ask in vain too: nothing of
        what it is wanted for has left us."""
        try:
            async with asyncio.timeout(self._token_wait):
                if instead_of is not None:
                    await self._tokens.drop(instead_of)
                return await self._tokens.get(self._fetch)
        except NoToken:
            raise
        except Exception as error:  # noqa: BLE001  tokens are kept where we do not look: the database is away
            raise NoToken(NotSent(f"token: {type(error).__name__}")) from None

    async def _send(self, call: Call, body: Mapping[str, str], token: str) -> Reply | NotSent | Unknown:
        url, timeout = self._url + call.path, self._timeout
        answer = await asked(self._http, "POST", url, token, json=dict(body), timeout=timeout)
        return Reply(*answer) if isinstance(answer, tuple) else answer

    async def _fetch(self) -> tuple[str, int]:
        """A new token and its seconds. Raises NoToken."""
        key, secret = (part.get_secret_value() for part in self._keys)
        try:
            async with self._http.get(
                f"{self._url}/oauth/v1/generate",
                params={"grant_type": "client_credentials"},
                headers={"Authorization": aiohttp.encode_basic_auth(key, secret)},
                timeout=TOKEN_TIMEOUT,
                allow_redirects=False,
            ) as response:
                return _token(response.status, await response.read())
        except LOST as error:
            raise NoToken(NotSent(f"token: {type(error).__name__}")) from None


def _token(status: int, content: bytes) -> tuple[str, int]:
    """Wrong keys are answered by a 400 with an empty body; `expires_in` is a string or a number."""
    told = json_object(content) or {}
    token, seconds = told.get("access_token"), code_of(told.get("expires_in"))
    if status == HTTPStatus.OK and isinstance(token, str) and token and seconds.isdecimal():
        return token, int(seconds)
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}:
        raise NoToken(Misconfigured(f"token: HTTP {status}: consumer_key or consumer_secret is wrong"))
    raise NoToken(NotSent(f"token: HTTP {status} without a token"))
