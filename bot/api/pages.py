"""Pages: a list by cursor. The cursor is the last row shown, so that new rows shift nothing."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from bot.api.problems import Problem
from bot.api.routes import Call, Reply

PAGING = ("limit", "cursor")
_USUAL, _MOST = 50, 200


def limit(call: Call) -> int:
    """Raises Problem."""
    text = call.query.get("limit", str(_USUAL))
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_MOST)) and 1 <= int(text) <= _MOST):
        raise Problem(400, "invalid_limit", "Invalid limit", detail=f"limit is a number from 1 to {_MOST}.")
    return int(text)


def refuse_unknown(query: Mapping[str, str], names: Collection[str]) -> None:
    """Raises Problem: what is misspelt would answer another question, and two values are two questions."""
    for name, times in Counter(name for name, _ in query.items()).items():
        if name not in names:
            raise Problem(
                400, "unknown_field", "Unknown field", detail=f"There is no {name} here.", field=name
            )
        if times > 1:
            detail = f"{name} stands there more than once."
            raise Problem(400, "invalid_query", "Invalid query", detail=detail, field=name)


def bad_cursor() -> Problem:
    return Problem(400, "invalid_cursor", "Invalid cursor", detail="The cursor is none that was given.")


def page(call: Call, count: int, results: Sequence[Any], next_cursor: str | None) -> Reply:
    """With the address of the next one, where there is one."""
    body = {"count": count, "results": list(results), "next_cursor": next_cursor}
    if next_cursor is None:
        return Reply(body)
    query = urlencode(dict(call.query) | {"cursor": next_cursor})
    return Reply(body, {"Link": f'<{call.path}?{query}>; rel="next"'})
