"""A stub of Stripe over real HTTP: says what a test told it to say, and keeps what it was asked."""

import json
from collections import defaultdict, deque
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.services.providers.stub_daraja import Answer

RECORDED = Path(__file__).parent / "stripe"
ATTEMPT = "019acf00-0000-7000-8000-000000000003"

SESSIONS, INTENTS, REFUNDS = "/v1/checkout/sessions", "/v1/payment_intents", "/v1/refunds"
CARD = "/v1/payment_methods/pm_1Pgc75B7WZ01zgkWlHVgdEGJ"
INTENT = "pi_1PgafyB7WZ01zgkWSjxsAJo3"


def recorded(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text())
    return body


class StubStripe:
    """Answers each path by its queue, then says again what was last in it."""

    def __init__(self) -> None:
        self.asked: dict[str, list[dict[str, str]]] = defaultdict(list)
        self.headers: dict[str, list[dict[str, str]]] = defaultdict(list)
        self.answers: dict[str, deque[Answer]] = defaultdict(deque)

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.route("*", "/{path:.+}", self._call)])
        return app

    def will(self, path: str, *answers: Answer) -> None:
        self.answers[path] = deque(answers)

    def keys(self, path: str) -> list[str | None]:
        return [headers.get("Idempotency-Key") for headers in self.headers[path]]

    async def _call(self, request: web.Request) -> web.StreamResponse:
        form = dict(request.query) | {name: str(value) for name, value in (await request.post()).items()}
        self.asked[request.path].append(form)
        self.headers[request.path].append(dict(request.headers))
        queue = self.answers[request.path]
        return await (queue.popleft() if len(queue) > 1 else queue[0])(request)


def session(**changes: Any) -> dict[str, Any]:
    """Of the page that the tests open, as the recorded one is."""
    ours = {
        "client_reference_id": ATTEMPT,
        "metadata": {"attempt": ATTEMPT, "by": "page"},
        "amount_total": 950_00,
        "currency": "kes",
        "payment_intent": None,
        "ui_mode": "hosted_page",
    }
    return recorded("session") | ours | changes


def intent(**changes: Any) -> dict[str, Any]:
    """Of the card that the tests charge."""
    ours = {
        "metadata": {"attempt": ATTEMPT, "by": "card"},
        "amount": 950_00,
        "currency": "kes",
        "customer": "cus_1",
        "last_payment_error": None,
        "next_action": None,
        "payment_method": card(),
    }
    if changes.get("status") == "succeeded":
        ours["amount_received"] = 950_00
    return recorded("payment_intent") | ours | changes


def card(**changes: Any) -> dict[str, Any]:
    return recorded("payment_method") | {"customer": "cus_1"} | changes


def refund(**changes: Any) -> dict[str, Any]:
    ours = {
        "metadata": {"attempt": ATTEMPT, "by": "refund"},
        "amount": 950_00,
        "currency": "kes",
        "payment_intent": INTENT,
    }
    return recorded("refund") | ours | changes


def event(kind: str, told: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps(recorded("event") | {"type": kind, "data": {"object": told}} | changes).encode()


def error(kind: str, code: str | None = None, **more: Any) -> dict[str, Any]:
    """https://docs.stripe.com/api/errors"""
    message = "Your card was declined." if kind == "card_error" else "No such payment_method: 'pm_secret'"
    return {"error": {"type": kind, "message": message} | ({"code": code} if code else {}) | more}
