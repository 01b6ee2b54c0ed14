"""Statements: what a provider tells of its own movements, part after part: by its lists, or payment by
payment where it has none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TypeVar
from uuid import UUID

from services.providers.base import Misconfigured, NotSent, Unknown
from services.providers.listing import Covered, Kind, Line, Listed, Lists, TellsEach
from services.reconciliation.reach import Span

Told = TypeVar("Told")
# The next payments after this one, with what they are asked about by.
Held = Callable[[UUID | None], Awaitable[list[tuple[UUID, str]]]]

_MOST_PAGES = 2000
_TRIES = 3
_MOST_TROUBLES = 5  # of single payments, until it is asked no more


def tells(client: object) -> bool:
    return isinstance(client, TellsEach) or (isinstance(client, Lists) and client.lists)


async def parts(client: object, span: Span, wait_seconds: float, held: Held) -> AsyncIterator[Listed | str]:
    """What kept it from telling all is told at the end, as words."""
    if isinstance(client, TellsEach):
        told = _each(client, span, wait_seconds, held)
    elif isinstance(client, Lists) and client.lists:
        told = _pages(client, span, wait_seconds)
    else:
        return
    async for part in told:
        yield part


async def _pages(client: Lists, span: Span, wait_seconds: float) -> AsyncIterator[Listed | str]:
    page = None
    for _ in range(_MOST_PAGES):
        ask = partial(client.list_lines, span.since, span.until, page)
        listed = await _patiently(ask, wait_seconds)
        if not isinstance(listed, Listed):
            yield listed.detail
            return
        yield listed
        page = listed.following
        if page is None:
            return
    yield f"more than {_MOST_PAGES} pages"


async def _each(
    client: TellsEach, span: Span, wait_seconds: float, held: Held
) -> AsyncIterator[Listed | str]:
    """All that we hold is covered once each has been told of. One that is not told stops no other."""
    troubles: list[str] = []
    after: UUID | None = None
    while some := await held(after):
        lines: list[Line] = []
        for _, reference in some:
            told = await _patiently(partial(client.lines_of, reference, span.until), wait_seconds)
            if isinstance(told, tuple):
                lines += told
                continue
            troubles.append(told.detail)
            if isinstance(told, Misconfigured) or len(troubles) >= _MOST_TROUBLES:
                yield told.detail
                return
        after = some[-1][0]
        yield Listed(tuple(lines), following=str(after))
    if troubles:
        yield troubles[0]
        return
    covered = (Covered(kind, span.since, span.until) for kind in (Kind.PAID, Kind.BACK))
    yield Listed((), tuple(covered))


async def _patiently(
    ask: Callable[[], Awaitable[Told | Misconfigured | NotSent | Unknown]], wait_seconds: float
) -> Told | Misconfigured | NotSent | Unknown:
    """To ask moves nothing, so it may be asked again."""
    for attempt in range(_TRIES):
        await asyncio.sleep(wait_seconds * attempt)
        answer = await ask()
        if not isinstance(answer, NotSent | Unknown):
            break
    return answer
