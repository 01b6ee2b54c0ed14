"""Chats: what stands on the phones, and what the business may still write to them.

A chat is one phone with one shop. The service window of 24 hours opens with each message from the phone.
"""

import asyncio
from datetime import timedelta

from bot.sandbox import webhooks
from bot.sandbox.graph_limits import TITLES, GraphError
from bot.sandbox.media import Media
from bot.sandbox.messages import Message, drawn
from bot.sandbox.stage import Stage
from bot.sandbox.world import Json, Phone, Shop

WINDOW_MS = int(timedelta(hours=24).total_seconds() * 1000)
TYPING_MS = 25_000


class Chats:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.webhooks = webhooks.Webhooks(stage)
        self.media = Media(stage.ids)
        self._messages: dict[str, Message] = {}
        self._heard: dict[tuple[str, str], int] = {}
        self._typing: dict[tuple[str, str], int] = {}
        self._last: dict[tuple[str, str], tuple[Json, str]] = {}

    def reset(self) -> None:
        self.media.reset()
        self._last.clear()
        self._messages.clear()
        self._heard.clear()
        self._typing.clear()

    # --- reading -------------------------------------------------------------------------------------

    def messages(self, phone: Phone, shop: Shop) -> list[Message]:
        return [one for one in self._messages.values() if (one.phone, one.shop) == _key(phone, shop)]

    def message(self, wamid: str) -> Message | None:
        return self._messages.get(wamid)

    def window_open(self, phone: Phone, shop: Shop) -> bool:
        heard = self._heard.get(_key(phone, shop))
        return heard is not None and self.stage.now_ms - heard < WINDOW_MS

    def view(self, phone: Phone, shop: Shop) -> Json:
        return {
            "phone": phone.key,
            "shop": shop.phone_number_id,
            "window_open": self.window_open(phone, shop),
            "typing_until": self._typing.get(_key(phone, shop), 0),
            "messages": [message.view() for message in self.messages(phone, shop)],
        }

    # --- what the business does ----------------------------------------------------------------------

    def addressed(self, payload: Json) -> Phone | None:
        """Whose phone. `to` wins over `recipient`, and knows no user ids."""
        if "to" in payload:
            to = payload["to"]
            return None if "." in to else self.stage.holder("".join(filter(str.isdigit, to)))
        phones = self.stage.world.everybody
        return next((phone for phone in phones if phone.user_id == payload["recipient"]), None)

    def deliver(self, shop: Shop, phone: Phone, kind: str, payload: Json) -> Message:
        """Shows the message and starts its statuses. Raises GraphError 131047 outside the window."""
        if kind != "template" and not self.window_open(phone, shop):
            details = "Message failed to send because more than 24 hours have passed since the customer "
            raise GraphError(131047, details + "last replied to this number.")
        shown, text, parts = drawn(kind, payload, self.stage.world.templates)
        if quoted := self.message(payload.get("context", {}).get("message_id", "")):
            parts["quote"] = {"text": quoted.text, "mine": quoted.mine}
        message = Message(
            id=self.stage.ids.wamid(),
            phone=phone.key,
            shop=shop.phone_number_id,
            mine=False,
            at=self.stage.now_ms,
            kind=shown,
            text=text,
            parts=parts,
            status="sending",
            opaque=payload.get("biz_opaque_callback_data"),
        )
        self._typing.pop(_key(phone, shop), None)
        self.show(message)
        self.stage.wire.start(self._follow(shop, phone, message))
        return message

    def fail(self, shop: Shop, payload: Json, code: int) -> str:
        """Accepted, and never arrives: the id; a failed status follows."""
        wamid = self.stage.ids.wamid()
        to = payload.get("to") or payload["recipient"]
        value = webhooks.failed_value(payload, wamid, code, TITLES[code], self.stage.now_ms)
        self.webhooks.post(to, shop, value, f"status failed {code}")
        return wamid

    def mark_read(self, shop: Shop, wamid: str, *, typing: bool) -> None:
        """Blue ticks on that message and all before it. Raises GraphError for an unknown one."""
        message = self.message(wamid)
        phone = self.stage.world.phone(message.phone) if message else None
        if message is None or phone is None or not message.mine or message.shop != shop.phone_number_id:
            raise GraphError(131009, f"message_id {wamid!r} is no message to this number.")
        for earlier in self.messages(phone, shop):
            if earlier.mine and earlier.at <= message.at:
                self.advance(earlier, "read")
        if typing:
            until = self.stage.now_ms + TYPING_MS
            self._typing[_key(phone, shop)] = until
            told = {"phone": phone.key, "shop": shop.phone_number_id, "until": until}
            self.stage.feed.tell("typing", told)

    def note(self, phone: Phone, shop: Shop, text: str) -> None:
        """A line for the developer in the chat: what the Graph API refused."""
        note = Message(
            id=self.stage.ids.trace(),
            phone=phone.key,
            shop=shop.phone_number_id,
            mine=False,
            at=self.stage.now_ms,
            kind="note",
            text=text,
        )
        self.show(note)

    # --- what the phone does -------------------------------------------------------------------------

    def hear(self, phone: Phone, shop: Shop, message: Message, content: Json) -> None:
        """Shows what was written on the phone and tells the app."""
        self._heard[_key(phone, shop)] = self.stage.now_ms
        self.show(message)

        def ticks(taken: bool) -> None:  # noqa: FBT001  the shape of Update.done
            if taken:
                self.advance(message, "delivered")

        value = webhooks.message_value(phone, message, content)
        label = f"{phone.name}: {message.text[:40]}"
        self._last[_key(phone, shop)] = (value, label)
        self.webhooks.post(phone.key, shop, value, label, ticks)

    def repeat(self, phone: Phone, shop: Shop) -> bool:
        """Tells the app the last message once more, as Meta sometimes does. False where there is none."""
        if _key(phone, shop) not in self._last:
            return False
        value, label = self._last[_key(phone, shop)]
        self.webhooks.post(phone.key, shop, value, f"{label} (again)")
        return True

    def look(self, phone: Phone, shop: Shop) -> None:
        """The person sees the chat: a read status for each message that had none."""
        for message in self.messages(phone, shop):
            if message.mine or message.seen or message.kind == "note":
                continue
            message.seen = True
            if message.status == "delivered":
                self._tell_status(shop, phone, message, "read")

    def set_window(self, phone: Phone, shop: Shop, *, open_: bool) -> None:
        if open_:
            self._heard[_key(phone, shop)] = self.stage.now_ms
        else:
            self._heard.pop(_key(phone, shop), None)
        told = {"phone": phone.key, "shop": shop.phone_number_id, "open": open_}
        self.stage.feed.tell("window", told)

    def show(self, message: Message) -> None:
        self._messages[message.id] = message
        self.stage.feed.tell("message", message.view())

    def advance(self, message: Message, status: str) -> None:
        if message.advance(status):
            told = {"id": message.id, "phone": message.phone, "shop": message.shop, "status": status}
            self.stage.feed.tell("status", told)

    # --- statuses ------------------------------------------------------------------------------------

    async def _follow(self, shop: Shop, phone: Phone, message: Message) -> None:
        """sent, delivered, and read where the person looked in between."""
        order = ["sent", "delivered"]
        if self.stage.faults.take_name("graph.statuses") == "reversed":
            order.reverse()
        for status in order:
            await asyncio.sleep(self.stage.world.delivery_delay)
            self._tell_status(shop, phone, message, status)
        if message.seen:
            self._tell_status(shop, phone, message, "read")

    def _tell_status(self, shop: Shop, phone: Phone, message: Message, status: str) -> None:
        self.advance(message, status)
        value = webhooks.status_value(phone, message, status, self.stage.now_ms)
        self.webhooks.post(phone.key, shop, value, f"status {status} to {phone.name}")


def _key(phone: Phone, shop: Shop) -> tuple[str, str]:
    return phone.key, shop.phone_number_id
