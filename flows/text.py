"""Text: words that become a language's only at the edge.

`Text("Pay {amount} to {shop}?", amount=..., shop=...)` keeps the English msgid and the facts;
`render(text, language)` looks the msgid up in that language's catalogue (`flows/locale/<language>.po`)
and formats the facts the way the language writes them. Nothing translated is ever stored in a place.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.money import Money

Fact = "str | int | Money | datetime | date | Text"


@dataclass(frozen=True, slots=True, init=False)
class Text:
    """A msgid with its facts. `plural` and a fact `count` choose the plural form."""

    msgid: str
    facts: dict[str, Any]
    plural: str | None

    def __init__(self, msgid: str, plural: str | None = None, **facts: Any) -> None:  # noqa: ANN401
        object.__setattr__(self, "msgid", msgid)
        object.__setattr__(self, "plural", plural)
        object.__setattr__(self, "facts", facts)

    def __hash__(self) -> int:
        return hash(self.msgid)
