"""Incoming: Meta's envelope -> events, each with its own slice of the body.

A POST may hold up to a thousand updates of any shape. Whatever cannot be read becomes an event of its
own and never costs its neighbours; nothing is dropped.
https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bot.jsons import dumps, exactly, is_rounded, loads
from bot.whatsapp.clean import name_of
from bot.whatsapp.struck import strike_out

MOST_DEPTH = 64
_USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)
_PHONE = re.compile(r"\+?(\d{6,15})", re.ASCII)
_DIALLED = re.compile(r"\s*\+(?:\D*\d){6,15}\D*")
_MILLISECONDS_FROM = 10**12
_MOST_OF_AN_ID = 512
_MOST_DIGITS = 300  # Python turns no longer number into text again
# Values that name things: digits in them are no card numbers, and ids must stay whole.
_NAMES = frozenset(
    {
        "id",
        "from",
        "from_user_id",
        "from_parent_user_id",
        "wa_id",
        "user_id",
        "parent_user_id",
        "recipient_id",
        "recipient_user_id",
        "phone_number_id",
        "display_phone_number",
        "timestamp",
        "sha256",
        "mime_type",
        "type",
        "status",
        "message_id",
        "catalog_id",
        "product_retailer_id",
        "identity_key_hash",
        "hash",
        "ctwa_clid",
        "href",
        "url",
        "biz_opaque_callback_data",
    }
)


class NotAnObject(ValueError):
    """Not a JSON object, or nested deeper than any real one."""


class Event(NamedTuple):
    """One message, status or other notice. (kind, external_id, status) is what makes it the same one."""

    kind: str
    external_id: str
    status: str
    phone_number_id: str | None
    phone: str | None  # E.164 with plus
    user_id: str | None
    name: str | None
    timestamp: Any  # as it was told
    body: bytes  # canonical JSON, cards and codes struck out
    key: str | None = None  # a hash of the keys of the sender's account, where the number asks for it

    @property
    def happened_at(self) -> datetime | None:
        """None where what was told is no moment."""
        return moment(self.timestamp)


class _Rounded(Exception):
    """A number has lost digits."""


def read(body: bytes) -> list[Event]:
    """All events of a POST, in its order. Raises NotAnObject."""
    try:
        return _events(_parse(body, loads))
    except _Rounded:
        return _events(_parse(body, exactly))


def _events(envelope: dict[str, Any]) -> list[Event]:
    entries = envelope.get("entry")
    if not isinstance(entries, list):
        return [_unknown("unknown", {"envelope": envelope}, None)]
    return [event for entry in entries for event in _entry(entry)]


def _parse(body: bytes, loads: Callable[[bytes], Any]) -> dict[str, Any]:
    if _depth(body) > MOST_DEPTH:
        raise NotAnObject(f"nested deeper than {MOST_DEPTH}")
    try:
        envelope = loads(body)
    except ValueError:
        raise NotAnObject("no JSON") from None
    if not isinstance(envelope, dict):
        raise NotAnObject("no object")
    return envelope


def _depth(body: bytes) -> int:
    """An upper bound: brackets inside strings count too, so it is only refined when it matters."""
    if body.count(b"{") + body.count(b"[") <= MOST_DEPTH:
        return 0
    depth = deepest = 0
    for bracket in re.sub(rb'"(?:[^"\\]|\\.)*"', b"", body, flags=re.DOTALL):
        if bracket in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in b"}]":
            depth -= 1
    return deepest


def _entry(entry: Any) -> Iterator[Event]:
    changes = entry.get("changes") if isinstance(entry, dict) else None
    if not isinstance(changes, list):
        yield _unknown("unknown", {"entry": entry}, None)
        return
    for change in changes:
        value = change.get("value") if isinstance(change, dict) else None
        field = change.get("field") if isinstance(change, dict) else None
        if not isinstance(value, dict) or not isinstance(field, str):
            yield _unknown("unknown", {"change": change}, None)
        elif field == "messages":
            yield from _value(value)
        elif field == "user_preferences" and isinstance(value.get("user_preferences"), list):
            yield from (_preference(value, each) for each in value["user_preferences"])
        else:
            yield _unknown(
                f"change:{_storable(field)[:40]}", {"entry": entry.get("id"), **change}, _number(value)
            )


def _value(value: dict[str, Any]) -> Iterator[Event]:
    number = _number(value)
    found = False
    for key, one in (("messages", _message), ("statuses", _status), ("errors", None)):
        if key not in value:
            continue
        found = True
        elements = value[key] if isinstance(value[key], list) else [value[key]]
        for element in elements:
            if one is None or not isinstance(element, dict) or not isinstance(element.get("id"), str):
                yield _unknown("errors" if one is None else "unknown", {key: element}, number)
            else:
                yield one(value, element, number)
    if not found:
        yield _unknown("unknown", {"value": value}, number)


def _message(value: dict[str, Any], message: dict[str, Any], number: str | None) -> Event:
    phone, user_id = phone_of(message.get("from")), user_id_of(message.get("from_user_id"))
    contact = _contact(value, message)
    if message.get("type") == "system":  # it is about who was there before, and goes to their conversation
        user_id, contact = _previous_user_id(message, None if phone else user_id), None
    if contact:
        phone = phone or phone_of(contact.get("wa_id"))
        user_id = user_id or user_id_of(contact.get("user_id"))
    return Event(
        "group_message" if "group_id" in message else "message",
        _id(message["id"]),
        "",
        number,
        phone,
        user_id,
        name_of(contact.get("profile")) if contact else None,
        message.get("timestamp"),
        _canonical({"contact": contact, "message": message}),
        _key(contact, message),
    )


def _key(contact: dict[str, Any] | None, message: dict[str, Any]) -> str | None:
    """It comes beside the contact, or with the message."""
    match contact, message:
        case ({"identity_key_hash": str(told)}, _) | (_, {"identity": {"hash": str(told)}}):
            return told if 0 < len(told) <= _MOST_OF_AN_ID else None
    return None


def _previous_user_id(message: dict[str, Any], else_: str | None) -> str | None:
    system = message.get("system")
    return (user_id_of(system.get("previous_user_id")) if isinstance(system, dict) else None) or else_


def _status(_value: dict[str, Any], status: dict[str, Any], number: str | None) -> Event:
    payment = status.get("type") == "payment"
    word = status.get("status")
    return Event(
        "payment_status" if payment else "status",
        _id(status["id"]),
        _storable(word)[:40] if isinstance(word, str) else "",
        number,
        phone_of(status.get("from" if payment else "recipient_id")),
        user_id_of(status.get("recipient_user_id")),
        None,
        status.get("timestamp"),
        _canonical({"status": status}),
    )


def _preference(value: dict[str, Any], preference: Any) -> Event:
    """Whether the person wants marketing: WhatsApp's own switch, which has no id."""
    number = _number(value)
    if not isinstance(preference, dict):
        return _unknown("unknown", {"user_preference": preference}, number)
    phone, user_id = phone_of(preference.get("wa_id")), user_id_of(preference.get("user_id"))
    unknown = _unknown("preference", {"preference": preference}, number)
    return unknown._replace(phone=phone, user_id=user_id, timestamp=preference.get("timestamp"))


def _unknown(kind: str, body: dict[str, Any], number: str | None) -> Event:
    canonical = _canonical(body)
    digest = f"sha256:{hashlib.sha256(canonical).hexdigest()}"
    return Event(kind, digest, "", number, None, None, None, None, canonical)


def _contact(value: dict[str, Any], message: dict[str, Any]) -> dict[str, Any] | None:
    """The sender's own, by id: several people may stand in one update."""
    contacts = value.get("contacts")
    listed = [one for one in contacts if isinstance(one, dict)] if isinstance(contacts, list) else []
    for ours, theirs in (("from_user_id", "user_id"), ("from", "wa_id")):
        if isinstance(message.get(ours), str):
            for contact in listed:
                if contact.get(theirs) == message[ours]:
                    return contact
    nameless = "from" not in message and "from_user_id" not in message
    return listed[0] if len(listed) == 1 and nameless else None


def _number(value: dict[str, Any]) -> str | None:
    metadata = value.get("metadata")
    number = metadata.get("phone_number_id") if isinstance(metadata, dict) else None
    return _storable(number)[:64] if isinstance(number, str) else None


def _id(value: str) -> str:
    """Whole, or the hash of one that is too long: two that begin alike are two."""
    if len(value) > _MOST_OF_AN_ID:
        return f"sha256:{hashlib.sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return _storable(value)


def _storable(text: str) -> str:
    """With NUL and lone surrogates written out, which no column of PostgreSQL takes."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def phone_of(value: Any) -> str | None:
    shape = _PHONE.fullmatch(value) if isinstance(value, str) else None
    return f"+{shape[1]}" if shape else None


def user_id_of(value: Any) -> str | None:
    return value if isinstance(value, str) and _USER_ID.fullmatch(value) else None


def moment(value: Any) -> datetime | None:
    """As Meta tells it: seconds or milliseconds since 1970, as a string or a number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        number = int(value)
        return datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS_FROM else number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _canonical(body: dict[str, Any]) -> bytes:
    return dumps(_struck(body))


def _struck(value: Any, key: str = "") -> Any:
    if isinstance(value, str):
        named = key in _NAMES or (key == "phone" and _DIALLED.fullmatch(value))
        return value if named else strike_out(value)
    if isinstance(value, dict):
        return {
            name: inner if name in _NAMES and isinstance(inner, str) else _struck(inner, name)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_struck(inner, key) for inner in value]
    if is_rounded(value):
        raise _Rounded
    return value
