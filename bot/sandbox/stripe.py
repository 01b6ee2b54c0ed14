"""Stripe: the emulated API, as far as cards are taken by it and payments given back.

Source: https://docs.stripe.com/api, version 2026-10-28. Everything stands under /stripe here. The key says
whose it is.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from bot.sandbox.emulated import Emulated
from bot.sandbox.faults import CATALOGUE
from bot.sandbox.stage import Stage
from bot.sandbox.stripe_box import Box
from bot.sandbox.stripe_events import VERSION, Event, Events, twisted
from bot.sandbox.stripe_forms import known_only, nested, number
from bot.sandbox.stripe_keys import Keys
from bot.sandbox.stripe_payments import Payments
from bot.sandbox.stripe_refunds import Refunds
from bot.sandbox.stripe_sessions import Sessions
from bot.sandbox.stripe_shapes import (
    Charge,
    Dispute,
    Intent,
    Refund,
    Session,
    StripeError,
    Thing,
    missing,
    wrong,
)
from bot.sandbox.stripe_wallet import Customer, Method
from bot.sandbox.world import Json

# (the account's box, the request, its parameters, the fault that strikes) -> what is told
Call = Callable[[Box, web.Request, Json, str], Awaitable[Thing | Json]]
_READ: dict[str, type[Thing]] = {
    "checkout/sessions": Session,
    "payment_intents": Intent,
    "payment_methods": Method,
    "customers": Customer,
    "charges": Charge,
    "refunds": Refund,
    "disputes": Dispute,
}
_MOST_LISTED = 100


class Stripe(Emulated):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.events = Events(stage)
        self.payments = Payments(stage, self.events)
        self.sessions = Sessions(stage, self.payments)
        self.refunds = Refunds(stage, self.payments)
        self._keys = Keys()
        self.boxes: dict[str, Box] = {}
        self.reset()

    def reset(self) -> None:
        self.boxes = {account.slug: Box(self._stage, account) for account in self._stage.world.stripe}
        self.events.reset()
        self._keys.reset()

    async def watch(self) -> None:
        """Ends the sessions whose time is over."""
        while True:
            await asyncio.sleep(self._stage.world.ledger_every)
            for box in self.boxes.values():
                self.sessions.sweep(box)

    def routes(self) -> list[web.RouteDef]:
        v1 = "/stripe/v1"
        sessions, intents, methods = (
            f"{v1}/{name}" for name in ("checkout/sessions", "payment_intents", "payment_methods")
        )
        return [
            web.post(sessions, self._answering("session", self._open)),
            web.post(sessions + "/{id}/expire", self._answering("expire", self._expire)),
            web.post(intents, self._answering("charge", self._charge)),
            web.post(intents + "/{id}/cancel", self._answering("cancel", self._cancel)),
            web.post(methods, self._answering("method", self._method)),
            web.post(methods + "/{id}/attach", self._answering("attach", self._attach)),
            web.post(methods + "/{id}/detach", self._answering("detach", self._detach)),
            web.post(f"{v1}/customers", self._answering("customer", self._customer)),
            web.post(f"{v1}/refunds", self._answering("refund", self._refund)),
            web.get(f"{v1}/events", self._answering("query", self._events)),
            web.get(f"{v1}/events/{{id}}", self._answering("query", self._event)),
            *(web.get(f"{v1}/{name}", self._answering("query", self._list(name))) for name in _READ),
            *(web.get(f"{v1}/{name}/{{id}}", self._answering("query", self._one(name))) for name in _READ),
        ]

    def session(self, name: str) -> tuple[Box, Session] | None:
        """Whosever it is."""
        for box in self.boxes.values():
            for session in box.all(Session):
                if session.id == name:
                    return box, session
        return None

    # --- the calls

    async def _open(self, box: Box, request: web.Request, params: Json, _fault: str) -> Thing:
        return self.sessions.create(box, params, f"{request.scheme}://{request.host}")

    async def _expire(self, box: Box, request: web.Request, params: Json, _fault: str) -> Thing:
        known_only("bare", params)
        return self.sessions.expire(box, box.get(Session, request.match_info["id"]))

    async def _charge(self, box: Box, _request: web.Request, params: Json, fault: str) -> Thing:
        return await self.payments.create(box, params, told_first=fault == "callback_first")

    async def _cancel(self, box: Box, request: web.Request, params: Json, _fault: str) -> Thing:
        return self.payments.cancel(box, box.get(Intent, request.match_info["id"]), params)

    async def _method(self, box: Box, _request: web.Request, params: Json, _fault: str) -> Thing:
        return self.payments.method(box, params)

    async def _attach(self, box: Box, request: web.Request, params: Json, _fault: str) -> Thing:
        name = request.match_info["id"]
        test_card = name.startswith("pm_card_")
        method = self.payments.card(box, name) if test_card else box.get(Method, name, "payment_method")
        return self.payments.attach(box, method, params)

    async def _detach(self, box: Box, request: web.Request, params: Json, _fault: str) -> Thing:
        known_only("bare", params)
        return self.payments.detach(box.get(Method, request.match_info["id"], "payment_method"))

    async def _customer(self, box: Box, _request: web.Request, params: Json, _fault: str) -> Thing:
        return self.payments.customer(box, params)

    async def _refund(self, box: Box, _request: web.Request, params: Json, _fault: str) -> Thing:
        return self.refunds.create(box, params)

    async def _events(self, box: Box, request: web.Request, params: Json, _fault: str) -> Json:
        listed = [event.shown() for event in reversed(self.events.of(box.account))]
        return _page(request, listed, params)

    async def _event(self, box: Box, request: web.Request, _params: Json, _fault: str) -> Json:
        found: list[Event] = self.events.of(box.account)
        for event in found:
            if event.id == request.match_info["id"]:
                return event.shown()
        raise missing("event", request.match_info["id"])

    def _list(self, name: str) -> Call:
        async def call(box: Box, request: web.Request, params: Json, _fault: str) -> Json:
            known_only("list", params)
            told = [each.told() for each in box.all(_READ[name])]  # type: ignore[type-var]
            for field in ("payment_intent", "customer", "status"):
                if field in params:
                    told = [each for each in told if each.get(field) == params[field]]
            told = _made_within(told, params.get("created", {}))
            return _page(request, told, params)

        return call

    def _one(self, name: str) -> Call:
        async def call(box: Box, request: web.Request, params: Json, _fault: str) -> Thing:
            known_only("bare", params)
            found: Thing = box.get(_READ[name], request.match_info["id"])  # type: ignore[type-var]
            return found

        return call

    # --- the door

    def _answering(self, what: str, call: Call) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        at = f"stripe.{what}"

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                box = self._box(request)
                sent = (await request.read()).decode() if request.method == "POST" else request.query_string
                params = nested(parse_qsl(sent, keep_blank_values=True))
                key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
                fingerprint = f"{request.path} {sorted(parse_qsl(sent, keep_blank_values=True))}"
                known = self._keys.begin(box.account.slug, key, fingerprint, box.now) if key else None
                if known is not None:
                    self._stage.log("stripe", f"{request.path}: told again, {known.status}")
                    return _response(known.status, known.body or {}, {"Idempotent-Replayed": "true"})
                async with self._keeping(box, key) as kept:
                    fault = self._stage.faults.take_name(at) if at in CATALOGUE else ""
                    _refuse(fault)
                    told = await call(box, request, params, fault)
                    shown = twisted(told if isinstance(told, dict) else told.told(), fault)
                    kept.append(box.expanded(shown, params.get("expand", [])))
                    _refuse(fault.removesuffix("_after"), kept=True)
            except StripeError as error:
                self._stage.log("stripe", f"{request.path}: {error.status} {error}", good=False)
                return _response(error.status, error.body, {})
            if fault == "drop" and request.transport is not None:
                request.transport.close()
            return _response(200, kept[0], {})

        return answer

    @asynccontextmanager
    async def _keeping(self, box: Box, key: str | None) -> AsyncIterator[list[Json]]:
        """The answer, or the error that is one, is the key's from now on; anything else leaves it free."""
        told: list[Json] = []
        try:
            yield told
        except BaseException as error:
            if key and isinstance(error, StripeError) and error.kept:
                self._keys.end(box.account.slug, key, error.status, error.body)
            elif key:
                self._keys.drop(box.account.slug, key)
            raise
        if key:
            self._keys.end(box.account.slug, key, 200, told[0])

    def _box(self, request: web.Request) -> Box:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        for box in self.boxes.values():
            if hmac.compare_digest(box.account.secret_key.encode(), key):
                return box
        raise StripeError(401, "invalid_request_error", "Invalid API Key provided")


def _response(status: int, body: Json, headers: dict[str, str]) -> web.Response:
    if status >= 500:  # noqa: PLR2004  the same would be told again
        headers = headers | {"Stripe-Should-Retry": "false"}
    return web.json_response(body, status=status, headers={"Stripe-Version": VERSION, **headers})


def _page(request: web.Request, listed: list[Json], params: Json) -> Json:
    size = min(number(params, "limit") if "limit" in params else 10, _MOST_LISTED)
    if after := params.get("starting_after"):
        at = next((at for at, each in enumerate(listed) if each["id"] == after), len(listed))
        listed = listed[at + 1 :]
    path = request.path.removeprefix("/stripe")
    return {"object": "list", "url": path, "has_more": len(listed) > size, "data": listed[:size]}


def _made_within(listed: list[Json], created: Any) -> list[Json]:
    """Raises StripeError."""
    if not isinstance(created, dict) or not created.keys() <= {"gt", "gte", "lt", "lte"}:
        raise wrong("Invalid created", "created")
    since = max(
        number(created, "gte") if "gte" in created else 0,
        number(created, "gt") + 1 if "gt" in created else 0,
    )
    until = [number(created, "lt")] if "lt" in created else []
    until += [number(created, "lte") + 1] if "lte" in created else []
    return [each for each in listed if since <= each["created"] < min(until, default=each["created"] + 1)]


def _refuse(fault: str, *, kept: bool = False) -> None:
    """Raises StripeError for a fault that refuses."""
    match fault:
        case "500":
            raise StripeError(
                500, "api_error", "Sorry! There was an error while talking to one of our backends", kept=kept
            )
        case "spike":
            raise StripeError(429, "invalid_request_error", "Too many requests made to the API", "rate_limit")
