"""Client: one merchant's way to Pesapal: its token, its notification id, and requests whose every outcome has
a name.

https://developer.pesapal.com/how-to-integrate/e-commerce/api-30-json/authentication, /registeripnurl and
/getregisteredipns
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson

from services.providers.base import Misconfigured, NoToken, NotSent, Tokens, Unknown
from services.providers.bodies import Json, code_of, id_of, json_object, json_objects
from services.providers.pesapal_settings import PesapalSettings
from services.providers.pesapal_words import Reply, judge
from services.providers.wire import LOST, answered, unreadable

TIMEOUT = aiohttp.ClientTimeout(total=20, connect=5)
TOKEN_TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
# Below the lease under which one process fetches for all, and for those who wait for it.
WAIT_SECONDS = 18.0

_IPN_SECONDS = 30 * 24 * 3600  # it stays until somebody there deletes it, and then it is called unknown
_TOKEN_SECONDS = 300  # as documented, where the answer does not say

Told = Reply | NotSent | Misconfigured | Unknown


class PesapalClient:
    """Stateless but for what it was given to keep, which all processes share."""

    def __init__(
        self,
        settings: PesapalSettings,
        http: aiohttp.ClientSession,
        url: str,
        tokens: Tokens,
        now: Callable[[], datetime],
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> None:
        self._settings, self._http, self._url = settings, http, url.rstrip("/")
        self._tokens, self._now, self._timeout = tokens, now, timeout
        self._ipns: dict[str, Tokens] = {}

    async def post(self, path: str, body: Json) -> Told:
        """What is to be written as it is comes as an `orjson.Fragment`."""
        sent = {"data": orjson.dumps(body), "headers": {"Content-Type": "application/json"}}
        return await self._asked("POST", path, **sent)

    async def get(self, path: str, **query: str) -> Told:
        return await self._asked("GET", path, params=query)

    async def prove_keys(self) -> NotSent | Misconfigured | None:
        """None where Pesapal takes them."""
        try:
            await _kept(self._tokens, self._fetch)
        except NoToken as none:
            return none.answer
        return None

    async def ipn(self, url: str, *, instead_of: str | None = None) -> str:
        """The id by which an order names where its notifications go: registered once, and kept. Raises
        NoToken, where nothing can be ordered yet."""
        if url not in self._ipns:
            self._ipns[url] = self._tokens.beside(f"ipn:{hashlib.sha256(url.encode()).hexdigest()}")
        return await _kept(self._ipns[url], lambda: self._registered(url), instead_of)

    async def _asked(self, method: str, path: str, **more: Any) -> Told:
        """Once; once more only where the token was refused, since then nothing was looked at."""
        try:
            token = await _kept(self._tokens, self._fetch)
            reply = await self._send(method, path, token, **more)
            if isinstance(reply, Reply) and reply.token_refused:
                token = await _kept(self._tokens, self._fetch, token)
                reply = await self._send(method, path, token, **more)
        except NoToken as none:
            return none.answer
        return reply

    async def _send(self, method: str, path: str, token: str, **more: Any) -> Reply | NotSent | Unknown:
        url, timeout = self._url + path, self._timeout
        answer = await answered(self._http, method, url, token, timeout=timeout, **more)
        if not isinstance(answer, tuple):
            return answer
        status, content = answer
        if (listed := json_objects(content)) is not None:
            return Reply(status, {}, tuple(listed))
        told = json_object(content)
        return Reply(status, told) if told is not None else unreadable(status)

    async def _registered(self, url: str) -> tuple[str, int]:
        """Looked for first, or there would be one more of it each time that ours is forgotten."""
        listed = await self.get("/api/URLSetup/GetIpnList")
        if not isinstance(listed, Reply):
            raise NoToken(_not_sent(listed))
        if not listed.fine:
            raise NoToken(_not_sent(judge(listed)))
        if (known := _active(listed.listed, url)) is not None:
            return known, _IPN_SECONDS
        wanted = {"url": url, "ipn_notification_type": "POST"}
        made = await self.post("/api/URLSetup/RegisterIPN", wanted)
        if not isinstance(made, Reply):
            raise NoToken(_not_sent(made))
        if not made.fine or (found := id_of(made.body.get("ipn_id"))) is None:
            raise NoToken(_not_sent(judge(made)))
        return found, _IPN_SECONDS

    async def _fetch(self) -> tuple[str, int]:
        """A new token and its seconds. Raises NoToken."""
        keys = {
            "consumer_key": self._settings.consumer_key.get_secret_value(),
            "consumer_secret": self._settings.consumer_secret.get_secret_value(),
        }
        try:
            async with self._http.post(
                f"{self._url}/api/Auth/RequestToken",
                json=keys,
                timeout=TOKEN_TIMEOUT,
                allow_redirects=False,
            ) as response:
                reply = Reply(response.status, json_object(await response.read()) or {})
        except LOST as error:
            raise NoToken(NotSent(f"token: {type(error).__name__}")) from None
        token = reply.body.get("token")
        if reply.fine and isinstance(token, str) and token:
            return token, self._seconds(reply.body.get("expiryDate"))
        wrong = "consumer" in reply.error or "credentials" in reply.error
        if wrong or reply.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}:
            raise NoToken(Misconfigured(f"token: {reply}: consumer_key or consumer_secret is wrong"))
        raise NoToken(NotSent(f"token: {reply} without a token"))

    def _seconds(self, told: Any) -> int:
        """Until it ends, which is told in UTC, whether it says so or not."""
        try:
            end = datetime.fromisoformat(told) if isinstance(told, str) else None
        except ValueError:
            end = None
        if end is None:
            return _TOKEN_SECONDS
        seconds = (end if end.tzinfo else end.replace(tzinfo=UTC)) - self._now()
        return max(int(seconds.total_seconds()), 0)


async def _kept(
    tokens: Tokens, fetch: Callable[[], Awaitable[tuple[str, int]]], instead_of: str | None = None
) -> str:
    """Raises NoToken for whatever keeps us from one, a queue of others who ask in vain too: nothing of what
    it is wanted for has left us."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            if instead_of is not None:
                await tokens.drop(instead_of)
            return await tokens.get(fetch)
    except NoToken:
        raise
    except Exception as error:  # noqa: BLE001  they are kept where we do not look: the database is away
        raise NoToken(NotSent(f"token: {type(error).__name__}")) from None


def _not_sent(answer: Any) -> NotSent | Misconfigured:
    """Of what only comes before a request."""
    return answer if isinstance(answer, NotSent | Misconfigured) else NotSent(f"IPN: {answer.detail}")


def _active(listed: tuple[Json, ...], url: str) -> str | None:
    """The id of the address, unless it was switched off."""
    for each in listed:
        if each.get("url") == url and code_of(each.get("ipn_status", 1)) != "0":
            return id_of(each.get("ipn_id"))
    return None
