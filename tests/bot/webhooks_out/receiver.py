"""Receiver: a tenant's own system, over real HTTP on this machine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass(frozen=True)
class Got:
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers`: what it says next; 204 once there is no more."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    answers: list[web.StreamResponse | Callable[[web.Request], Awaitable[web.StreamResponse]]] = field(
        default_factory=list
    )
    under_way: int = 0
    most_at_once: int = 0
    hold: asyncio.Event | None = None

    async def first(self) -> Got:
        """Once it has come."""
        async with asyncio.timeout(10):
            while not self.got:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return self.got[0]

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.got.append(Got(dict(request.headers), await request.read()))
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            if self.hold is not None:
                await self.hold.wait()
        finally:
            self.under_way -= 1
        answer = self.answers.pop(0) if self.answers else web.Response(status=204)
        return answer if isinstance(answer, web.StreamResponse) else await answer(request)


@asynccontextmanager
async def receiving(host: str = "127.0.0.1", port: int | None = None) -> AsyncIterator[Receiver]:
    receiver, app = Receiver(), web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.take)
    async with TestServer(app, host=host, port=port) as server:
        receiver.url = str(server.make_url("/hooks?token=of-theirs"))
        yield receiver
