"""Pace: holds intake back while replies fall behind, in whichever process they are made.

Storing a message costs a tenth of what answering it does, so a flood would be stored at full speed and
answered hardly at all. While many events of the last moments wait for their turn, or many messages to be
sent, whoever posts waits a little longer for the 200, and loses nothing. What has waited for longer is
held up by something else: a number that rests, a turn that fails.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from services.store.database import Database
from services.store.schema import inbox, is_open, outbox, waits_for_turn
from services.store.scope import PLATFORM

log = structlog.get_logger()

_MANY = 300
_MOMENTS = timedelta(seconds=10)
LONGEST_SECONDS = 0.25  # of one waiting: workers that stand still stop no intake
_LOOK_SECONDS = 0.025


def _count(table: sa.Table, *where: sa.ColumnElement[bool]) -> Any:
    some = sa.select(table.c.seq).where(*where).limit(_MANY).subquery()
    return sa.select(sa.func.count()).select_from(some).scalar_subquery()


_since: sa.BindParameter[datetime] = sa.bindparam("since")
_now: sa.BindParameter[datetime] = sa.bindparam("now")
_WAITING = sa.select(
    _count(inbox, waits_for_turn(inbox), inbox.c.received_at > _since),
    _count(outbox, is_open(outbox), outbox.c.due_at > _since, outbox.c.due_at <= _now),
)


class Pace:
    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        self._database, self._clock, self._longest = database, clock, longest_seconds
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = 0.0
        self._behind = False

    async def keep(self) -> None:
        """Before more is taken in. Never waits for the database: what is stored next will."""
        end = time.monotonic() + self._longest
        self._look()
        while self._behind and time.monotonic() < end:
            await asyncio.sleep(_LOOK_SECONDS)
            self._look()

    async def aclose(self) -> None:
        """Before the database is."""
        if self._looking is not None:
            await asyncio.wait([self._looking], timeout=self._longest)
            self._looking.cancel()

    def _look(self) -> None:
        under_way = self._looking is not None and not self._looking.done()
        if not under_way and time.monotonic() - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = time.monotonic()
            self._looking = asyncio.create_task(self._count())

    async def _count(self) -> None:
        now = self._clock()
        try:
            async with self._database.reading(PLATFORM) as connection:
                found = await connection.execute(_WAITING, {"since": now - _MOMENTS, "now": now})
            self._behind = max(found.one()) >= _MANY
        except Exception as error:  # noqa: BLE001  whoever stores something hears of it too
            log.info("pace.unknown", error=type(error).__name__)
            self._behind = False
