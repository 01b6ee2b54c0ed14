"""Webhooks: what Meta posts to the app: the JSON of messages and statuses, signed, in order per phone.

Source: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks. Meta tries again
for seven days when the answer is not 200; here for as long as `World.retry_delays` lasts.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.messages import Message
from bot.sandbox.stage import Stage
from bot.sandbox.world import Json, Phone, Shop


@dataclass(frozen=True, slots=True)
class Update:
    """`label` is what the event list says of it; `done` hears whether the app took it."""

    body: bytes
    label: str
    done: Callable[[bool], None]


def nobody_waits(_: bool) -> None:  # noqa: FBT001  the shape of Update.done
    return


class Webhooks:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._waiting: dict[str, asyncio.Queue[Update]] = {}

    def post(
        self, key: str, shop: Shop, value: Json, label: str, done: Callable[[bool], None] = nobody_waits
    ) -> None:
        """Posts after all that was posted for the same phone before."""
        body = envelope(shop, value, int(self._stage.world.now().timestamp()))
        if key not in self._waiting:
            self._waiting[key] = asyncio.Queue()
            self._stage.wire.start(self._carry(self._waiting[key]))
        self._waiting[key].put_nowait(Update(json.dumps(body).encode(), label, done))

    async def _carry(self, waiting: "asyncio.Queue[Update]") -> None:
        while True:
            update = await waiting.get()
            fault = self._stage.faults.take_name("graph.webhook")
            if fault == "forged":
                await self._try(update, "forged signature, ", secret="not the secret")
            taken = await self._insist(update)
            if fault == "twice":
                await self._try(update, "again, ")
            update.done(taken)

    async def _insist(self, update: Update) -> bool:
        for delay in (*self._stage.world.retry_delays, None):
            if await self._try(update):
                return True
            if delay is not None:
                await asyncio.sleep(delay)
        return False

    async def _try(self, update: Update, remark: str = "", secret: str = "") -> bool:
        world = self._stage.world
        signature = {"X-Hub-Signature-256": sign(secret or world.app_secret, update.body)}
        status, took = await self._stage.wire.post(
            f"{world.app_url}/webhooks/whatsapp", update.body, signature
        )
        answer = f"{status} in {took} ms" if status else "no answer"
        self._stage.log("whatsapp", f"{update.label}: {remark}{answer}", good=status == 200)  # noqa: PLR2004
        return status == 200  # noqa: PLR2004  anything else is tried again


def sign(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def envelope(shop: Shop, value: Json, time: int) -> Json:
    told = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": shop.display_phone_number,
            "phone_number_id": shop.phone_number_id,
        },
        **value,
    }
    entry = {"id": shop.account_id, "time": time, "changes": [{"field": "messages", "value": told}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def contact(phone: Phone) -> Json:
    """Without `wa_id` where the person hides the number behind a username."""
    profile = {"name": phone.name} | ({"username": phone.username} if phone.username else {})
    seen = {"wa_id": phone.number.lstrip("+")} if phone.number else {}
    return {"profile": profile, **seen, "user_id": phone.user_id}


def message_value(phone: Phone, message: Message, content: Json) -> Json:
    """`content` is {"type": ..., that type: {...}, "context"?: {...}}."""
    seen = {"from": phone.number.lstrip("+")} if phone.number else {}
    told = {
        **seen,
        "from_user_id": phone.user_id,
        "id": message.id,
        "timestamp": str(message.at // 1000),
        **content,
    }
    return {"contacts": [contact(phone)], "messages": [told]}


def status_value(phone: Phone, message: Message, status: str, now_ms: int) -> Json:
    seen = {"recipient_id": phone.number.lstrip("+")} if phone.number else {}
    category = "utility" if message.kind == "template" else "service"
    pricing = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": category}
    told = {
        "id": message.id,
        "status": status,
        "timestamp": str(now_ms // 1000),
        **seen,
        "recipient_user_id": phone.user_id,
        **({"pricing": pricing} if status in ("sent", "delivered") else {}),
        **opaque(message.opaque),
    }
    return {"contacts": [contact(phone)], "statuses": [told]}


def failed_value(payload: Json, wamid: str, code: int, title: str, now_ms: int) -> Json:
    """A failed status has no contacts, and no user id where a number was addressed."""
    to = payload.get("to") or payload["recipient"]
    error = {"code": code, "title": title, "message": title, "error_data": {"details": title}}
    href = "/documentation/business-messaging/whatsapp/support/error-codes"
    addressed = "recipient_user_id" if "." in to else "recipient_id"
    told = {
        "id": wamid,
        "status": "failed",
        "timestamp": str(now_ms // 1000),
        addressed: to.lstrip("+"),
        "errors": [{**error, "href": href}],
        **opaque(payload.get("biz_opaque_callback_data")),
    }
    return {"statuses": [told]}


def opaque(data: str | None) -> Json:
    """What the sender gave to be told with each status."""
    return {} if data is None else {"biz_opaque_callback_data": data}
