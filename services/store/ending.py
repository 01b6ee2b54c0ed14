"""Ending: what a transaction writes last, right before it commits.

Rows that all transactions of a tenant contend for are locked at the very end, when nothing else is waited
for any more: then nobody who holds one wants another, and the lock lasts no longer than the commit. What a
savepoint takes back is taken back here too. And it gathers who is to be woken once it has committed.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

Write = Callable[[AsyncConnection, Sequence[Any]], Awaitable[None]]

_KEY = "lipachat.ending"


class _Ending:
    def __init__(self) -> None:
        self.items: list[tuple[Write, Any]] = []
        self.last: Write | None = None
        self.marks: list[int] = []  # how many there were at each savepoint that is open
        self.topics: set[str] = set()
        self.notes: set[str] = set()


@contextmanager
def begun(connection: AsyncConnection) -> Iterator[None]:
    """What `at_the_end` is told within is gathered."""
    info = connection.info  # of one that is lost it cannot be asked
    info[_KEY] = _Ending()
    try:
        yield
    finally:
        info.pop(_KEY, None)


def at_the_end(connection: AsyncConnection, write: Write, item: Any, *, last: bool = False) -> None:
    """Have the item written then, by one call with all that are given to the same `write`; one of them may
    be the `last` of all.

    Raises RuntimeError outside `Database.transaction`: nobody would write it.
    """
    ending: _Ending | None = connection.info.get(_KEY)
    if ending is None:
        raise RuntimeError("this is written in a transaction only")
    ending.items.append((write, item))
    if last:
        ending.last = write


def gathered(connection: AsyncConnection, write: Write) -> list[Any]:
    """What `write` is going to be called with."""
    ending: _Ending | None = connection.info.get(_KEY)
    return [item for each, item in ending.items if each is write] if ending else []


def wake(connection: AsyncConnection, topic: str) -> None:
    """Something is left for those who wait for this topic of the bell: whoever opened the transaction rings
    once it has committed, as far as it can."""
    ending: _Ending | None = connection.info.get(_KEY)
    if ending is not None:
        ending.topics.add(topic)


def woken(connection: AsyncConnection) -> frozenset[str]:
    """For whom something was left; asked before the commit, after which nothing of it is known."""
    ending: _Ending = connection.info[_KEY]
    return frozenset(ending.topics)


def note(connection: AsyncConnection, what: str) -> None:
    """For who comes later in this transaction; gone with it."""
    ending: _Ending | None = connection.info.get(_KEY)
    if ending is not None:
        ending.notes.add(what)


def noted(connection: AsyncConnection, what: str) -> bool:
    ending: _Ending | None = connection.info.get(_KEY)
    return ending is not None and what in ending.notes


async def end(connection: AsyncConnection) -> None:
    """Write all of it; after this only the commit may come."""
    ending: _Ending = connection.info[_KEY]
    for write in sorted(
        dict.fromkeys(write for write, _ in ending.items), key=lambda each: each is ending.last
    ):
        await write(connection, gathered(connection, write))


def follow_savepoints(engine: AsyncEngine) -> None:
    """What was gathered since a savepoint goes when it is rolled back to."""

    @sa.event.listens_for(engine.sync_engine, "savepoint")
    def _begun(connection: sa.Connection, _name: str) -> None:
        if (ending := connection.info.get(_KEY)) is not None:
            ending.marks.append(len(ending.items))

    @sa.event.listens_for(engine.sync_engine, "release_savepoint")
    def _kept(connection: sa.Connection, _name: str, _context: Any) -> None:
        if (ending := connection.info.get(_KEY)) is not None:
            ending.marks.pop()

    @sa.event.listens_for(engine.sync_engine, "rollback_savepoint")
    def _taken_back(connection: sa.Connection, _name: str, _context: Any) -> None:
        if (ending := connection.info.get(_KEY)) is not None:
            del ending.items[ending.marks.pop() :]
