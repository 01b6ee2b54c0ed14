"""A stub of Pesapal over real HTTP: says what a test told it to say, and keeps what it was asked."""

import json
from collections import defaultdict, deque
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.services.providers.stub_daraja import Answer

RECORDED = Path(__file__).parent / "pesapal"

TOKEN = "/api/Auth/RequestToken"
LIST, REGISTER = "/api/URLSetup/GetIpnList", "/api/URLSetup/RegisterIPN"
ORDER, STATUS = "/api/Transactions/SubmitOrderRequest", "/api/Transactions/GetTransactionStatus"
REFUND, CANCEL = "/api/Transactions/RefundRequest", "/api/Transactions/CancelOrder"


def raw(name: str) -> bytes:
    return (RECORDED / f"{name}.json").read_bytes()


def recorded(name: str, **changes: Any) -> Any:
    body = json.loads(raw(name))
    return body | changes if changes else body


class StubPesapal:
    """Answers each path by its queue, then says again what was last in it. Each token is another one."""

    def __init__(self) -> None:
        self.asked: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.answers: dict[str, deque[Answer]] = defaultdict(deque)
        self.authorizations: list[str] = []
        self.expiry = "2026-11-29T12:05:00.5177702Z"

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.route("*", "/{path:.+}", self._call)])
        return app

    def will(self, path: str, *answers: Answer) -> None:
        self.answers[path] = deque(answers)

    async def _call(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json() if request.can_read_body else dict(request.query)
        self.asked[request.path].append(asked)
        queue = self.answers[request.path]
        if request.path == TOKEN and not queue:
            token = f"token-{len(self.asked[TOKEN])}"
            return web.json_response(recorded("token", token=token, expiryDate=self.expiry))
        if request.path != TOKEN:
            self.authorizations.append(request.headers["Authorization"])
        return await (queue.popleft() if len(queue) > 1 else queue[0])(request)


def says(body: Any, status: int = 200) -> Answer:
    """`body`: JSON, or the name of a recorded one."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response(recorded(body) if isinstance(body, str) else body, status=status)

    return answer
