"""Queries: the names that may stand in the address behind the question mark, and what they take."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bot.api.problems import Problem


@dataclass(frozen=True)
class Query:
    """One name. `schema`: of its value, as JSON Schema has it."""

    name: str
    about: str
    schema: Mapping[str, Any]
    required: bool = False


class Choice(Query):
    """One of a few words."""

    def __init__(self, name: str, about: str, *words: str, **more: Any) -> None:
        super().__init__(name, about, {"type": "string", "enum": [str(word) for word in words], **more})

    def of(self, query: Mapping[str, str]) -> str | None:
        """What was asked for; None where nothing was. Raises Problem."""
        word: str | None = query.get(self.name)
        words = self.schema["enum"]
        if word is not None and word not in words:
            title, detail = f"Invalid {self.name}", f"{self.name} is one of {', '.join(words)}."
            raise Problem(400, f"invalid_{self.name}", title, detail=detail)
        return word


_USUAL, _MOST = 50, 200
LIMIT = Query(
    "limit",
    "How many there may be on a page.",
    {"type": "integer", "minimum": 1, "maximum": _MOST, "default": _USUAL},
)
CURSOR = Query("cursor", "`next_cursor` of the page before.", {"type": "string"})
PAGING = (LIMIT, CURSOR)


def limit(query: Mapping[str, str]) -> int:
    """Raises Problem."""
    text = query.get("limit", str(_USUAL))
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_MOST)) and 1 <= int(text) <= _MOST):
        raise Problem(400, "invalid_limit", "Invalid limit", detail=f"limit is a number from 1 to {_MOST}.")
    return int(text)


def refuse_unknown(query: Mapping[str, str], known: Collection[Query]) -> None:
    """Raises Problem: what is misspelt would answer another question, and two values are two questions."""
    names = {each.name for each in known}
    for name, times in Counter(name for name, _ in query.items()).items():
        if name not in names:
            raise Problem(
                400, "unknown_field", "Unknown field", detail=f"There is no {name} here.", field=name
            )
        if times > 1:
            detail = f"{name} stands there more than once."
            raise Problem(400, "invalid_query", "Invalid query", detail=detail, field=name)
