"""Pages: a list by cursor. The cursor is the last row shown, so that new rows shift nothing."""

from collections.abc import Sequence
from urllib.parse import urlencode

from bot.api.answers import Page, T
from bot.api.problems import Problem
from bot.api.routes import Call, Reply


def bad_cursor() -> Problem:
    return Problem(400, "invalid_cursor", "Invalid cursor", detail="The cursor is none that was given.")


def page(call: Call, count: int, results: Sequence[T], next_cursor: str | None) -> Reply[Page[T]]:
    """With the address of the next one, where there is one."""
    return Reply(Page(count=count, results=list(results), next_cursor=next_cursor), link(call, next_cursor))


def whole(results: Sequence[T]) -> Reply[Page[T]]:
    """All that there are, on one page."""
    return Reply(Page(count=len(results), results=list(results), next_cursor=None))


def link(call: Call, next_cursor: str | None) -> dict[str, str] | None:
    """The header that leads to the next page."""
    if next_cursor is None:
        return None
    query = urlencode(dict(call.query) | {"cursor": next_cursor})
    return {"Link": f'<{call.path}?{query}>; rel="next"'}
