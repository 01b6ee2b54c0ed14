"""Text: words that become a language's only at the edge.

`Text("Pay {amount} to {shop}?", amount=..., shop=...)` keeps the English msgid and the facts;
`render(text, language)` looks the msgid up in that language's catalogue (`flows/locale/<language>.po`)
and formats the facts the way the language writes them. Nothing translated is ever stored in a place.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from gettext import c2py
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from services.languages import LANGUAGES, LOCALE
from services.money import PLACES, Money
from services.readable import one_line

__all__ = ["LANGUAGES", "Text", "Typed", "catalogue", "render", "spellings"]


class Typed(str):
    """A fact that a person has typed freely: where there is no room for all, it gives way to the others."""

    __slots__ = ()


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

    def told(self, **facts: Any) -> "Text":
        """The same with more facts."""
        return type(self)(self.msgid, self.plural, **self.facts, **facts)

    def shortened(self, most: int) -> "Text":
        """The same with at most so many signs of each fact that was typed."""
        facts = {name: _shortened(fact, most) for name, fact in self.facts.items()}
        return type(self)(self.msgid, self.plural, **facts)

    def __hash__(self) -> int:
        return hash(self.msgid)


def render(text: Text, language: str, timezone: str = "Africa/Nairobi") -> str:
    """The words in a language; English where the catalogue has none."""
    facts = {name: _written(fact, language, timezone) for name, fact in text.facts.items()}
    return _words(text, language).format(**facts)


@cache
def catalogue(language: str) -> Catalog:
    """Empty for English, whose words are the msgids themselves."""
    path = LOCALE / f"{language}.po"
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


@cache
def spellings(word: str) -> tuple[str, ...]:
    """What the catalogues want understood as this English word, beside it: messages of the context "word",
    with commas between them."""
    found = [catalogue(language).get(word, context="word") for language in LANGUAGES]
    return tuple(each.strip() for message in found if message for each in str(message.string).split(","))


def _words(text: Text, language: str) -> str:
    message = catalogue(language).get(text.msgid) if language != "en" else None
    if text.plural is None:
        return str(message.string) if message and message.string else text.msgid
    count = text.facts["count"]
    if message and isinstance(message.string, tuple) and all(message.string):
        return str(message.string[c2py(catalogue(language).plural_expr)(count)])
    return text.msgid if count == 1 else text.plural


def _shortened(fact: Any, most: int) -> Any:
    match fact:
        case Text():
            return fact.shortened(most)
        case tuple():
            return tuple(_shortened(each, most) for each in fact)
        case Typed():
            words = one_line(fact)
            return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"
    return fact


def _written(fact: Any, language: str, timezone: str) -> str:
    """A tuple is lines; whatever else it is keeps to one, as nobody's words may pass for a line of ours."""
    if isinstance(fact, Text):
        return render(fact, language, timezone)
    if isinstance(fact, tuple):
        return "\n".join(_written(each, language, timezone) for each in fact)
    if isinstance(fact, Money):
        return _money(fact, language)
    if isinstance(fact, datetime):
        return format_datetime(fact, "d MMM y, HH:mm", tzinfo=ZoneInfo(timezone), locale=language)
    return one_line(str(fact))


def _money(money: Money, language: str) -> str:
    """With the currency's code, on the side where the language writes it."""
    places = "0" * PLACES[money.currency]
    pattern = f"#,##0.{places}" if places else "#,##0"
    number = format_decimal(money.decimal, pattern, locale=language)
    leads = Locale.parse(language).currency_formats["standard"].pattern.startswith("¤")
    return f"{money.currency} {number}" if leads else f"{number}\N{NO-BREAK SPACE}{money.currency}"
