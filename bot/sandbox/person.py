"""Person: what somebody does on a phone: type, tap, share a number, send a contact card."""

import hashlib
import json

from bot.sandbox.chats import Chats
from bot.sandbox.messages import Message
from bot.sandbox.world import CannotError, Json, Phone, Shop

TEXT_MOST = 4096


class Person:
    def __init__(self, chats: Chats, phone: Phone, shop: Shop) -> None:
        self._chats = chats
        self._phone = phone
        self._shop = shop

    def write(self, text: str) -> Message:
        """Raises CannotError for an empty or too long text."""
        if not text.strip() or len(text) > TEXT_MOST:
            raise CannotError(f"a text has 1 to {TEXT_MOST} characters")
        return self._send("text", text, {"type": "text", "text": {"body": text}}, {})

    def tap(self, choice: str, wamid: str | None = None) -> Message:
        """Taps a button or row by its id or title; in the last message that has it, unless `wamid` is given.

        Raises CannotError where there is none.
        """
        message, found = self._find(choice, wamid)
        content: Json = {"context": self._context(message)}
        if message.kind == "template":
            content |= {"type": "button", "button": {"payload": found["id"], "text": found["title"]}}
        else:
            kind = "list_reply" if message.kind == "list" else "button_reply"
            content |= {"type": "interactive", "interactive": {"type": kind, kind: found}}
        parts: Json = {"quote": {"text": message.text, "mine": False}}
        if "description" in found:
            parts["footer"] = found["description"]
        return self._send("text", found["title"], content, parts)

    def share(self, number: str | None, wamid: str | None = None) -> Message:
        """Shares the own number: the answer to the contact request `wamid`, or to the last one.

        Raises CannotError for a number that is none, or where no request stands.
        """
        asked = [
            one
            for one in self._chats.messages(self._phone, self._shop)
            if one.kind == "request_contact_info" and wamid in (None, one.id)
        ]
        if not asked:
            raise CannotError("no contact request stands in this chat")
        return self._card(self._number(number), self._phone.name, "contact_request", asked[-1])

    def send_card(self, number: str, name: str) -> Message:
        """Sends a contact card that nobody asked for. Raises CannotError for a number that is none."""
        return self._card(self._number(number), name, "other", None)

    def send_file(self, name: str, content: bytes, media_type: str = "text/csv") -> Message:
        media = self._chats.media.sent(self._shop, media_type, content)
        document: Json = {"id": media, "filename": name, "mime_type": media_type}
        document["sha256"] = hashlib.sha256(content).hexdigest()
        return self._send("text", name, {"type": "document", "document": document}, {})

    def send_form(self, asked: Message, params: Json) -> Message:
        """What was filled in, as WhatsApp tells it: JSON as text."""
        reply = {"name": "flow", "body": "Sent", "response_json": json.dumps(params)}
        content: Json = {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": reply}}
        content["context"] = self._context(asked)
        return self._send("text", "Form sent", content, {"quote": {"text": asked.text, "mine": False}})

    def _number(self, number: str | None) -> str:
        digits = "".join(filter(str.isdigit, number or self._phone.line or ""))
        if not 8 <= len(digits) <= 15:  # noqa: PLR2004  E.164
            raise CannotError(f"{number!r} is no phone number with its country code")
        return "+" + digits

    def _card(self, number: str, name: str, origin: str, asked: Message | None) -> Message:
        stage = self._chats.stage
        if origin == "contact_request":
            stage.share(number, self._phone)
        card: Json = {
            "name": {"formatted_name": name, "first_name": name.partition(" ")[0]},
            "phones": [{"phone": number, "wa_id": number.lstrip("+"), "type": "CELL"}],
            "origin": origin,
        }
        content: Json = {"type": "contacts", "contacts": [card]}
        if asked:
            content["context"] = self._context(asked)
        return self._send("contacts", number, content, {"card": {"name": name, "number": number}})

    def _send(self, kind: str, text: str, content: Json, parts: Json) -> Message:
        stage = self._chats.stage
        message = Message(
            id=stage.ids.wamid(),
            phone=self._phone.key,
            shop=self._shop.phone_number_id,
            mine=True,
            at=stage.now_ms,
            kind=kind,
            text=text,
            parts=parts,
        )
        self._chats.hear(self._phone, self._shop, message, content)
        return message

    def _find(self, choice: str, wamid: str | None) -> tuple[Message, Json]:
        for message in reversed(self._chats.messages(self._phone, self._shop)):
            if wamid not in (None, message.id):
                continue
            for offered in message.choices():
                if choice in (offered["id"], offered["title"]):
                    return message, offered
        raise CannotError(f"no {choice!r} to tap on this phone")

    def _context(self, message: Message) -> Json:
        return {"from": self._shop.display_phone_number, "id": message.id}
