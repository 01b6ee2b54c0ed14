"""Text: words that become a language's only at the edge.

`Text("Pay {amount} to {shop}?", amount=..., shop=...)` keeps the English msgid and the facts;
`render(text, language)` looks the msgid up in that language's catalogue (`flows/locale/<language>.po`)
and formats the facts the way the language writes them. Nothing translated is ever stored in a place.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from services.money import PLACES, Money

LANGUAGES = {"en": "English", "sw": "Kiswahili"}
_LOCALE = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True, init=False)
class Text:
    """A msgid with its facts. `plural` and a fact `count` choose the plural form."""

    msgid: str
    facts: dict[str, Any]
    plural: str | None

    def __init__(self, msgid: str, plural: str | None = None, **facts: Any) -> None:
        object.__setattr__(self, "msgid", msgid)
        object.__setattr__(self, "plural", plural)
        object.__setattr__(self, "facts", facts)

    def __hash__(self) -> int:
        return hash(self.msgid)


def render(text: Text, language: str, timezone: str = "Africa/Nairobi") -> str:
    """The words in a language; English where the catalogue has none."""
    facts = {name: _written(fact, language, timezone) for name, fact in text.facts.items()}
    return _words(text, language).format(**facts)


@cache
def catalogue(language: str) -> Catalog:
    """Empty for English, whose words are the msgids themselves."""
    path = _LOCALE / f"{language}.po"
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _words(text: Text, language: str) -> str:
    message = catalogue(language).get(text.msgid) if language != "en" else None
    if text.plural is None:
        return str(message.string) if message and message.string else text.msgid
    many = text.facts["count"] != 1
    if message and isinstance(message.string, tuple) and all(message.string):
        return str(message.string[1 if many else 0])
    return text.plural if many else text.msgid


def _written(fact: Any, language: str, timezone: str) -> str:
    if isinstance(fact, Text):
        return render(fact, language, timezone)
    if isinstance(fact, tuple):
        return "\n".join(_written(each, language, timezone) for each in fact)
    if isinstance(fact, Money):
        places = "0" * PLACES[fact.currency]
        pattern = f"#,##0.{places}" if places else "#,##0"
        return f"{fact.currency} {format_decimal(fact.decimal, pattern, locale=language)}"
    if isinstance(fact, datetime):
        return format_datetime(fact, "d MMM y, HH:mm", tzinfo=ZoneInfo(timezone), locale=language)
    return str(fact)
