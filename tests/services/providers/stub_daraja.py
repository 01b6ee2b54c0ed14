"""A stub of Daraja over real HTTP: says what a test told it to say, and keeps what it was asked."""

import json
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

RECORDED = Path(__file__).parent / "mpesa"

PROMPT = "/mpesa/stkpush/v1/processrequest"
PROMPT_QUERY = "/mpesa/stkpushquery/v1/query"
PAYOUT = "/mpesa/b2c/v3/paymentrequest"
TILL = "/mpesa/b2b/v1/paymentrequest"
PAYOUT_QUERY = "/mpesa/transactionstatus/v1/query"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def recorded(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(raw(name))
    return body


def raw(name: str) -> bytes:
    return (RECORDED / f"{name}.json").read_bytes()


class StubDaraja:
    """Answers each path by its queue, then says again what was last in it."""

    def __init__(self) -> None:
        self.asked: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.answers: dict[str, deque[Answer]] = defaultdict(deque)
        self.authorizations: list[str] = []
        self.basic: list[str] = []
        self.tokens_given = 0

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.get("/oauth/v1/generate", self._token), web.post("/{path:.+}", self._call)])
        return app

    def will(self, path: str, *answers: Answer) -> None:
        self.answers[path] = deque(answers)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        assert request.query == {"grant_type": "client_credentials"}
        self.basic.append(request.headers["Authorization"])
        if self.answers["token"]:
            return await self._next("token")(request)
        self.tokens_given += 1
        return web.json_response({"access_token": f"token-{self.tokens_given}", "expires_in": "3599"})

    async def _call(self, request: web.Request) -> web.StreamResponse:
        self.authorizations.append(request.headers["Authorization"])
        self.asked[request.path].append(await request.json())
        return await self._next(request.path)(request)

    def _next(self, path: str) -> Answer:
        queue = self.answers[path]
        return queue.popleft() if len(queue) > 1 else queue[0]


def says(body: dict[str, Any] | str, status: int = 200) -> Answer:
    """`body`: a JSON object, or the name of a recorded one."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(recorded(body) if isinstance(body, str) else body, status=status)

    return answer


def says_raw(content: bytes, status: int = 200) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=content, status=status)

    return answer


async def drops(request: web.Request) -> web.StreamResponse:
    """The request was taken; then the connection goes."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def sends_half(request: web.Request) -> web.StreamResponse:
    """A body that ends before its announced length."""
    response = web.StreamResponse(headers={"Content-Length": "500"})
    await response.prepare(request)
    await response.write(b'{"ResponseCode": "0", "Checkout')
    assert request.transport is not None
    request.transport.close()
    return response


class OneToken:
    """Tokens of one process."""

    def __init__(self) -> None:
        self.token: str | None = None
        self.seconds = 0
        self.dropped: list[str] = []
        self.others: dict[str, OneToken] = {}

    async def get(self, fetch: Callable[[], Awaitable[tuple[str, int]]]) -> str:
        if self.token is None:
            self.token, self.seconds = await fetch()
        return self.token

    async def drop(self, token: str) -> None:
        self.dropped.append(token)
        if self.token == token:
            self.token = None

    def beside(self, name: str) -> "OneToken":
        return self.others.setdefault(name, OneToken())
