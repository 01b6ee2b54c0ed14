"""Outgoing: a neutral reply -> Cloud API messages within Meta's limits.

Up to three short options are buttons, up to ten a list, anything else numbers to type. Text that is too
long is split between paragraphs, sentences or words, never inside one; above what can be tapped, what
people have typed is shortened first.
https://developers.facebook.com/docs/whatsapp/cloud-api/messages/interactive-reply-buttons-messages
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.jsons import dumps
from bot.whatsapp.documents import attached
from flows.document import Document
from flows.form import Form
from flows.reply import Option, Reply
from flows.text import Text, render

MOST_TEXT = 4096
MOST_INTERACTIVE = 1024
_BUTTONS, _BUTTON_TITLE = 3, 20
_ROWS, _ROW_TITLE, _ROW_NOTE = 10, 24, 72
_LABEL = 20
_WITH_PICTURES = ("button", "cta_url")
_TYPED = (400, 200, 100, 50, 25)  # signs of what people have typed, where all of it would be too long
_BREAKS = (re.compile(r"\n\n+"), re.compile(r"\n"), re.compile(r"(?<=[.!?])\s+"), re.compile(r"\s+"))


@dataclass(frozen=True, slots=True)
class FormAt:
    """Where a form is at WhatsApp, and whose asking it answers."""

    flow_id: str
    token: str


def bodies(
    reply: Reply, language: str, timezone: str = "UTC", form: FormAt | None = None
) -> list[dict[str, Any]]:
    """The messages of a reply, in order; the last one carries what can be tapped."""

    def words(text: Text) -> str:
        return render(text, language, timezone)

    kind = _form(reply.form, form, words) if reply.form and form else _kind(reply, words)
    if reply.document is not None:
        return _with_document(reply.document, words, kind, _in_one(reply.text, words))
    if kind is None:
        text = words(reply.text)
        numbered = [_numbered(n, option, words) for n, option in enumerate(reply.options, start=1)]
        return _plain("\n".join([text, *numbered]), reply.image)
    *before, last = split(_in_one(reply.text, words), MOST_INTERACTIVE)
    interactive = {**kind, **_header(reply, kind), "body": {"text": last}}
    return [*map(_text, before), {"type": "interactive", "interactive": interactive}]


def _in_one(text: Text, words: Callable[[Text], str]) -> str:
    """Short enough to stay together with what is tapped below it, where shortening what people have typed
    does that: else a part of their words alone could stand above the buttons, and pass for the facts."""
    whole = words(text)
    for most in _TYPED:
        if length(whole) <= MOST_INTERACTIVE:
            break
        whole = words(text.shortened(most))
    return whole


def _with_document(
    document: Document, words: Callable[[Text], str], kind: dict[str, Any] | None, text: str
) -> list[dict[str, Any]]:
    """The text is its caption; beside a file there is room for buttons, and for nothing else to tap."""
    if kind is not None and kind["type"] != "button":
        raise ValueError(f"a document goes with no {kind['type']}")
    *before, last = split(text, MOST_INTERACTIVE)
    return [*map(_text, before), attached(document, words, kind, last)]


def _plain(text: str, image: str | None) -> list[dict[str, Any]]:
    """A picture has as much of the words below it as fit there."""
    if image is None:
        return [_text(part) for part in split(text, MOST_TEXT)]
    caption, *rest = split(text, MOST_INTERACTIVE)
    return [{"type": "image", "image": {"link": image, "caption": caption}}, *map(_text, rest)]


def _header(reply: Reply, kind: dict[str, Any]) -> dict[str, Any]:
    if reply.image is None or kind["type"] not in _WITH_PICTURES:
        return {}
    return {"header": {"type": "image", "image": {"link": reply.image}}}


def _numbered(place: int, option: Option, words: Any) -> str:
    note = "" if option.note is None else f": {words(option.note)}"
    return f"{place}. {words(option.label)}{note}"


def addressed(body: bytes, phone: str | None, user_id: str | None, opaque: str) -> bytes:
    """The JSON of one of `bodies`, with its recipient: by phone where it is known (that keeps phones coming
    in webhooks), else by business-scoped user id, which goes into `recipient` and never into `to`."""
    to = {"to": phone} if phone else {"recipient": user_id}
    head = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **to,
        "biz_opaque_callback_data": opaque,
    }
    return dumps(head)[:-1] + b"," + body[1:]


def _kind(reply: Reply, words: Any) -> dict[str, Any] | None:
    """The interactive part, or None where plain text must do."""
    if reply.asks_for_number:
        return {"type": "request_contact_info", "action": {"name": "request_contact_info"}}
    if reply.link is not None and length(words(reply.link.label)) <= _LABEL:
        parameters = {"display_text": words(reply.link.label), "url": reply.link.url}
        return {"type": "cta_url", "action": {"name": "cta_url", "parameters": parameters}}
    titles = [words(option.label) for option in reply.options]
    if not titles or len(set(titles)) < len(titles):
        return None
    if _fits(titles, _BUTTONS, _BUTTON_TITLE) and not any(option.note for option in reply.options):
        return _buttons(reply, titles)
    if _fits(titles, _ROWS, _ROW_TITLE):
        return _list(reply, titles, words)
    return None


def _form(form: Form, at: FormAt, words: Any) -> dict[str, Any]:
    parameters = {
        "flow_message_version": "3",
        "flow_id": at.flow_id,
        "flow_cta": words(form.label)[:_LABEL],
        "flow_token": at.token,
        "flow_action": "data_exchange",
    }
    return {"type": "flow", "action": {"name": "flow", "parameters": parameters}}


def _fits(titles: Sequence[str], most: int, longest: int) -> bool:
    return len(titles) <= most and all(length(title) <= longest for title in titles)


def _buttons(reply: Reply, titles: Sequence[str]) -> dict[str, Any]:
    buttons = [
        {"type": "reply", "reply": {"id": reply.tap(option).encode(), "title": title}}
        for option, title in zip(reply.options, titles, strict=True)
    ]
    return {"type": "button", "action": {"buttons": buttons}}


def _list(reply: Reply, titles: Sequence[str], words: Any) -> dict[str, Any]:
    rows = [_row(reply, option, title, words) for option, title in zip(reply.options, titles, strict=True)]
    button = words(reply.menu or Text("Choose"))
    return {"type": "list", "action": {"button": button[:_LABEL], "sections": [{"rows": rows}]}}


def _row(reply: Reply, option: Option, title: str, words: Any) -> dict[str, Any]:
    row = {"id": reply.tap(option).encode(), "title": title}
    if option.note is not None:
        row["description"] = split(words(option.note), _ROW_NOTE)[0]
    return row


def _text(body: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body, "preview_url": False}}


def length(text: str) -> int:
    """In UTF-16 units: Meta does not say what it counts, and this is the larger."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str, most: int) -> list[str]:
    """Parts of at most `most`, cut at the largest break that leaves a fair part before it, else at any."""
    parts = []
    while length(text) > most:
        cut = _cut(text, most)
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*parts, text]


def _cut(text: str, most: int) -> int:
    window = text[:most]
    while length(window) > most:
        window = window[:-1]
    for least in (len(window) // 2, 0):
        for pattern in _BREAKS:
            ends = [match.start() for match in pattern.finditer(window) if match.start() > least]
            if ends:
                return ends[-1]
    return len(window)  # one endless word
