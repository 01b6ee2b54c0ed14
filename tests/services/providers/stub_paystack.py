"""A stub of Paystack over real HTTP: says what a test told it to say, and keeps what it was asked."""

import json
from collections import defaultdict, deque
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.services.providers.stub_daraja import Answer

RECORDED = Path(__file__).parent / "paystack"

RECIPIENT, TRANSFER, BALANCE = "/transferrecipient", "/transfer", "/balance"


def raw(name: str) -> bytes:
    return (RECORDED / f"{name}.json").read_bytes()


def recorded(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(raw(name))
    return body


class StubPaystack:
    """Answers each path by its queue, then says again what was last in it."""

    def __init__(self) -> None:
        self.asked: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.answers: dict[str, deque[Answer]] = defaultdict(deque)
        self.authorizations: list[str] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.route("*", "/{path:.+}", self._call)])
        return app

    def will(self, path: str, *answers: Answer) -> None:
        self.answers[path] = deque(answers)

    async def _call(self, request: web.Request) -> web.StreamResponse:
        self.authorizations.append(request.headers["Authorization"])
        self.asked[request.path].append(await request.json() if request.can_read_body else {})
        queue = self.answers[request.path]
        return await (queue.popleft() if len(queue) > 1 else queue[0])(request)


def transfer(status: str = "pending", **changes: Any) -> dict[str, Any]:
    """An answer about the transfer that the tests send, as the recorded ones are."""
    told = recorded("transfer_initiate")
    ours = {
        "reference": "019acf00-0000-7000-8000-000000000003",
        "transfer_code": "TRF_ours",
        "amount": 950_00,
        "currency": "KES",
        "status": status,
    }
    return told | {"data": told["data"] | ours | changes}
