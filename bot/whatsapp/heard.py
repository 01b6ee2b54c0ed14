"""Heard: a stored message -> what a conversation hears."""

import json
from typing import Any

from flows.reply import Heard, Other, Said, SharedNumber, Tap

# Answered by silence: they are about other messages, or not by the person.
_SILENT = frozenset(("reaction", "edit", "revoke", "request_welcome", "system"))


def hear(body: bytes) -> Heard | None:
    """None for what is not answered. Never raises on an odd shape."""
    message = json.loads(body).get("message")
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(kind, str):
        return Other("unknown")
    return None if kind in _SILENT else _read(kind, message)


def _read(kind: str, message: Any) -> Heard:
    match message:
        case {"type": "text", "text": {"body": str(text)}}:
            return Said(text)
        case {"type": "interactive", "interactive": {"button_reply": {"id": str(id_)} as button}}:
            return _tap(id_, button)
        case {"type": "interactive", "interactive": {"list_reply": {"id": str(id_)} as row}}:
            return _tap(id_, row)
        case {"type": "button", "button": {"payload": str(payload)} as button}:
            return _tap(payload, button)
        case {"type": "contacts", "contacts": [dict(contact), *_]}:
            return _number(contact)
    return Other(kind)


def _tap(id_: str, button: dict[str, Any]) -> Heard:
    return Tap.decode(id_) or Said(str(button.get("title") or button.get("text") or id_))


def _number(contact: dict[str, Any]) -> Heard:
    match contact.get("phones"):
        case [{"wa_id": str(digits)}, *_] if digits.isdigit():
            phone = f"+{digits}"
        case [{"phone": str(phone)}, *_]:
            pass
        case _:
            return Other("contacts")
    return SharedNumber(phone, own=contact.get("origin") == "contact_request")
