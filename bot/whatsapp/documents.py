"""Documents: a reply's file -> a Cloud API message that lacks only the id of the uploaded media.

What is on the file travels with the message in its words, so that it can be made again whenever it is
sent: `bot/paper/papers.py` makes it, and puts the id in its place.
https://developers.facebook.com/docs/whatsapp/cloud-api/messages/document-messages
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any

from flows.document import BatchFile, Document, Sheet, StatementFile, mapped
from flows.text import Text

PAPER = "_paper"  # sorted before every key of Meta's
_MOST_NAME = 240
_UNFIT = re.compile(r'[\\/:*?"<>|]+')  # in the names of files, on one system or another
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # line breaks, marks of direction, halves of pairs


def attached(
    document: Document, words: Callable[[Text], str], interactive: dict[str, Any] | None, caption: str
) -> dict[str, Any]:
    """The message: with buttons as its header, else with the text as its caption."""
    content = mapped(document.content, words)
    if isinstance(content, Sheet):
        kind, media = "document", {"filename": file_name(words(document.name), ".pdf")}
    elif isinstance(content, StatementFile):
        kind, media = "document", {"filename": file_name(words(document.name), f".{content.form}")}
    elif isinstance(content, BatchFile):
        kind, media = "document", {"filename": file_name(words(document.name), ".csv")}
    else:
        kind, media = "image", {}
    paper = {"kind": type(content).__name__, "media": kind}
    paper |= {each.name: _plain(getattr(content, each.name)) for each in fields(content)}
    if interactive is not None:
        header = {"header": {"type": kind, kind: media}, "body": {"text": caption}}
        return {PAPER: paper, "type": "interactive", "interactive": interactive | header}
    return {PAPER: paper, "type": kind, kind: media | {"caption": caption}}


def file_name(name: str, ending: str) -> str:
    """Of a name of any length and letters."""
    seen = "".join(" " if unicodedata.category(each) in _UNSEEN else each for each in name)
    bare = " ".join(_UNFIT.sub("-", unicodedata.normalize("NFC", seen)).split())[: _MOST_NAME - len(ending)]
    return (bare.strip(" .") or "document") + ending


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def slot(message: dict[str, Any], paper: dict[str, Any]) -> dict[str, Any]:
    """Where a message names its file."""
    interactive = message.get("interactive")
    holder = interactive["header"] if interactive else message
    named: dict[str, Any] = holder[paper["media"]]
    return named


def in_words(message: dict[str, Any], paper: dict[str, Any]) -> dict[str, Any]:
    """The same message without its file, which cannot be had."""
    interactive = message.get("interactive")
    if interactive:
        bare = {key: value for key, value in interactive.items() if key != "header"}
        return message | {"interactive": bare}
    rest = {key: value for key, value in message.items() if key not in ("type", paper["media"])}
    return rest | {"type": "text", "text": {"body": message[paper["media"]]["caption"]}}
