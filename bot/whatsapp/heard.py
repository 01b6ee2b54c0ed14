"""Heard: a stored message -> what a conversation hears.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from datetime import datetime
from typing import Any

from bot.jsons import loads
from bot.whatsapp.clean import clean
from bot.whatsapp.incoming import moment, phone_of, user_id_of
from bot.whatsapp.ordered import ordered
from bot.whatsapp.struck import held_card
from flows.kinds import CARD, FORWARDED
from flows.reply import Filled, Heard, NewIdentity, Other, Said, SentFile, SharedNumber, Tap, Wishes

# Answered by silence: a reaction and a deletion are about another message and ask for nothing (what was done
# stays done), and who has only opened the chat has said nothing yet.
_SILENT = frozenset(("reaction", "revoke", "request_welcome"))
_UNAVAILABLE = 131060  # it could not be handed to us, say of a phone that was away; another try may be

# Whoever is behind the chat may be another person now.
_NEW_IDENTITY = frozenset(("user_changed_number", "user_changed_user_id", "customer_identity_changed"))


def hear(body: bytes) -> Heard | None:
    """None for what is answered by silence. Never raises on an odd shape."""
    told = loads(body)
    if "preference" in told:
        return _wishes(told["preference"])
    message = told.get("message")
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(kind, str):
        return Other("unknown")
    if kind == "system":
        return _new_identity(message.get("system"))
    if kind in ("unsupported", "unknown"):
        kind = _unsupported(message)
    return None if kind in _SILENT else _read(kind, message)


def written_at(body: bytes) -> datetime | None:
    """By Meta's clock, to the second; None where it does not say."""
    message = loads(body).get("message")
    return moment(message.get("timestamp")) if isinstance(message, dict) else None


def _read(kind: str, message: Any) -> Heard:  # noqa: C901  a case a kind
    match message.get(kind):
        case {"caption": str(caption)} if held_card(caption):
            return Other(CARD)
    match message:
        case {"type": "text", "context": {"forwarded": True} | {"frequently_forwarded": True}}:
            return Other(FORWARDED)  # somebody else's words: "pay 500" in them is no wish of this person
        case {"type": "text", "text": {"body": str(text)}}:
            return Other(CARD) if held_card(text) else Said(clean(text))
        case {"type": "interactive", "interactive": {"button_reply": {"id": str(id_)} as button}}:
            return _tap(id_, button)
        case {"type": "interactive", "interactive": {"list_reply": {"id": str(id_)} as row}}:
            return _tap(id_, row)
        case {"type": "interactive", "interactive": {"nfm_reply": {"response_json": str(told)} as form}}:
            return _filled(told) if form.get("name", "flow") == "flow" else Other(kind)
        case {"type": "button", "button": {"payload": str(payload)} as button}:
            return _tap(payload, button)
        case {"type": "button", "button": {"text": str(text)}}:
            return Said(clean(text))
        case {"type": "order", "order": {"product_items": [_, *_] as items} as order}:
            return ordered(items, order.get("text"))
        case {"type": "document", "document": {"id": str(media)} as document}:
            return SentFile(media, clean(str(document.get("filename") or "")))
        case {"type": "contacts", "contacts": [dict(contact), *_]}:
            return _number(contact)
    return Other(kind)


def _unsupported(message: dict[str, Any]) -> str:
    """What it was, where WhatsApp says so."""
    match message:
        case {"unsupported": {"type": str(kind)}}:
            return kind
        case {"errors": [{"code": code}, *_]} if code == _UNAVAILABLE:
            return "unavailable"
    return "unsupported"


def _new_identity(system: Any) -> NewIdentity | None:
    if not isinstance(system, dict) or system.get("type") not in _NEW_IDENTITY:
        return None
    return NewIdentity(phone_of(system.get("wa_id")), user_id_of(system.get("user_id")))


def _wishes(preference: Any) -> Wishes | None:
    """https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/user_preferences"""
    match preference:
        case {"category": "marketing_messages", "value": "stop" | "resume" as value}:
            return Wishes(unasked=value == "resume")
    return None


def _tap(id_: str, button: dict[str, Any]) -> Heard:
    return Tap.decode(id_) or Said(clean(str(button.get("title") or button.get("text") or id_)))


def _filled(told: str) -> Heard:
    """A form's answer, which need not be an object; some phones leave the token out."""
    try:
        values = loads(told.encode("utf-8", "surrogatepass"))
    except ValueError:
        values = None
    if not isinstance(values, dict):
        return Other("interactive")
    token = values.pop("flow_token", None)
    texts = {str(name): clean(value) for name, value in values.items() if isinstance(value, str)}
    return Filled(texts, token if isinstance(token, str) else None)


def _number(contact: dict[str, Any]) -> Heard:
    match contact.get("phones"):
        case [{"wa_id": str(digits)}, *_] if digits.isdigit():
            phone = f"+{digits}"
        case [{"phone": str(phone)}, *_]:
            pass
        case _:
            return Other("contacts")
    if held_card(phone):
        return Other(CARD)
    return SharedNumber(clean(phone), own=contact.get("origin") == "contact_request")
