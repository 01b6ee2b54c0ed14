"""Events: what Stripe posts to an endpoint, signed by its secret, until it is answered by 200.

Source: https://docs.stripe.com/webhooks. Each try is signed anew; in no order, and now and then twice. Stripe
tries again for three days; here for as long as `World.retry_delays` lasts.
"""

import asyncio
import copy
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.sandbox.faults import Fault
from bot.sandbox.stage import Stage
from bot.sandbox.stripe_shapes import Thing
from bot.sandbox.world import Json, StripeAccount

VERSION = "2026-10-28.endive"
_OK = 200
_STALE_SECONDS = 3600
_AMOUNTS = ("amount", "amount_total", "amount_received")


@dataclass(frozen=True, slots=True)
class Event:
    id: str
    created: int
    kind: str
    told: Json

    def shown(self, pending: int = 0) -> Json:
        return {
            "id": self.id,
            "object": "event",
            "api_version": VERSION,
            "created": self.created,
            "data": {"object": self.told},
            "livemode": False,
            "pending_webhooks": pending,
            "request": {"id": None, "idempotency_key": None},
            "type": self.kind,
        }


class Events:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._made: dict[str, list[Event]] = {}

    def reset(self) -> None:
        self._made.clear()

    def of(self, account: StripeAccount) -> list[Event]:
        return self._made.get(account.slug, [])

    def make(self, account: StripeAccount, happened: Sequence[tuple[str, Thing]]) -> list[Event]:
        """As things are now: what becomes of them later is told by later events."""
        now = self._stage.now_ms // 1000
        made = [
            Event(f"evt_{self._stage.ids.token()[:24]}", now, kind, copy.deepcopy(thing.told()))
            for kind, thing in happened
        ]
        self._made.setdefault(account.slug, []).extend(made)
        return made

    async def post(self, account: StripeAccount, made: Sequence[Event]) -> None:
        """What has happened at once, one after the other; "unordered" turns that round."""
        fault = self._stage.faults.take("stripe.webhook") if made else None
        if fault and fault.name == "unordered":
            made = made[::-1]
        for event in made:
            await self._post(account, event, fault)

    async def _post(self, account: StripeAccount, event: Event, fault: Fault | None) -> None:
        name = fault.name if fault else ""
        if name == "lost":
            self._stage.log("stripe", f"{event.kind}: webhook lost", good=False)
            return
        if fault and name == "late":
            await asyncio.sleep(fault.seconds)
        body = _body(event, name, pending=1)
        if name == "forged":
            await self._try(account, f"{event.kind}, forged", body, "whsec_of_nobody")
        if name == "stale":
            await self._try(
                account, f"{event.kind}, of an hour ago", body, account.webhook_secret, stale=True
            )
        await self._insist(account, event.kind, body)
        if name == "twice":
            again = _body(event, name, pending=0)
            await self._try(account, f"{event.kind}, again", again, account.webhook_secret)

    async def _insist(self, account: StripeAccount, what: str, body: bytes) -> None:
        for delay in (*self._stage.world.retry_delays, None):
            if await self._try(account, what, body, account.webhook_secret) or delay is None:
                return
            await asyncio.sleep(delay)

    async def _try(
        self, account: StripeAccount, what: str, body: bytes, secret: str, *, stale: bool = False
    ) -> bool:
        at = self._stage.now_ms // 1000 - (_STALE_SECONDS if stale else 0)
        signature = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        url = f"{self._stage.world.app_url}/hooks/stripe/{account.slug}"
        headers = {"Stripe-Signature": f"t={at},v1={signature},v0={'0' * 64}"}
        status, took = await self._stage.wire.post(url, body, headers)
        answer = f"{status} in {took} ms" if status else "no answer"
        self._stage.log("stripe", f"{what}: {answer}", good=status == _OK)
        return status == _OK


def _body(event: Event, fault: str, pending: int) -> bytes:
    """Signed all the same where it tells another amount or currency than there is."""
    shown = event.shown(pending)
    shown["data"] = {"object": twisted(event.told, fault)}
    return json.dumps(shown, indent=2).encode()


def twisted(told: Json, fault: str) -> Json:
    """As it is not, or as none of a list is."""
    if told.get("object") == "list":
        return told | {"data": [twisted(each, fault) for each in told["data"]]}
    if fault == "wrong_amount":
        return told | {name: told[name] + 100 for name in _AMOUNTS if told.get(name)}
    if fault == "wrong_currency" and "currency" in told:
        return told | {"currency": "zar" if told["currency"] != "zar" else "usd"}
    if fault == "unheard" and "status" in told:
        return told | {"status": "pondered"}
    return told
