"""Turns: one person's waiting events, in order, each in a transaction.

A turn that asks nothing of the services (most of talk) is played beside many others and written with
them in one commit. One that does is played again in a transaction of its own; steps are frozen and act
only through the teller, so playing twice is harmless.

The row lock on the conversation is the lease: a crash rolls back and frees it at once. Between being
played beside others and alone, an event is leased by its due time, or two workers would take it from
each other for ever. The tries of an
event are counted in a commit before it is played, so that one that kills its process is parked in the
end; and what was tried before is played alone, so that it takes no neighbour with it.
"""

import asyncio
import traceback
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.chat import Chat, NeedsTransaction, Person, Played, chats_of
from bot.claims import BATCH, Waiting, Written, count_tries, lock, read_waiting, write
from services.store.bell import Bell
from services.store.database import Database
from services.store.schema import inbox

log = structlog.get_logger()

MOST_TRIES = 4
_POLL_SECONDS = 1.0
_LEASE = timedelta(seconds=10)


class Turns:
    def __init__(
        self, database: Database, chat: Chat, bell: Bell, clock: Callable[[], datetime], *, abreast: int = 4
    ) -> None:
        self._database, self._chat, self._bell, self._clock = database, chat, bell, clock
        self._abreast = asyncio.Semaphore(abreast if database.is_postgres else 1)
        self._turn_of_retries = False

    async def run(self) -> None:
        """For ever; whatever goes wrong below a turn (the database is away) is waited out."""
        while True:
            try:
                busy = await self.once()
            except Exception:  # the edge: a worker outlives its database
                log.exception("turns.failed")
                await asyncio.sleep(_POLL_SECONDS)
                continue
            if not busy:
                await self._bell.wait("turns", _POLL_SECONDS)

    async def once(self) -> bool:
        """One batch; False when nothing was waiting."""
        ids = await self._pick()
        if not ids:
            return False
        own = await self._batch(ids)
        if own:
            await asyncio.gather(*(self._alone(event) for event in own))
            self._bell.ring("jobs")
        self._bell.ring("outbox")
        return True

    async def _pick(self) -> list[tuple[UUID, UUID]]:
        """Conversations whose head event is due; those tried before alone, every other time."""
        query = (
            sa.select(inbox.c.tenant_id, inbox.c.conversation_id, inbox.c.tries, inbox.c.due_at)
            .where(inbox.c.state == "waiting", inbox.c.conversation_id.is_not(None))
            .order_by(inbox.c.received_at, inbox.c.seq)
            .limit(4 * BATCH)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        heads: dict[UUID, Any] = {}
        for row in rows:
            heads.setdefault(row[1], row)
        now = self._clock()
        due = [(row[0], row[1], row[2]) for row in heads.values() if row[3] <= now]
        fresh = [(tenant, chat) for tenant, chat, tries in due if not tries]
        tried = [(tenant, chat) for tenant, chat, tries in due if tries]
        self._turn_of_retries = not self._turn_of_retries
        if tried and (self._turn_of_retries or not fresh):
            return tried[:1]
        return fresh

    async def _batch(self, ids: Sequence[tuple[UUID, UUID]]) -> list[Waiting]:
        """Plays what needs nothing of the services; returns the events that need more."""
        if self._database.is_postgres:
            async with self._database.transaction() as connection:
                waiting = self._takeable(await read_waiting(connection, await lock(connection, ids)))
                if waiting:
                    async with self._database.transaction() as beside:  # while we hold the locks
                        await count_tries(beside, waiting)
                return await self._play_and_write(connection, waiting)
        async with self._database.transaction() as connection:  # its one writer counts first
            counted = self._takeable(await read_waiting(connection, ids))
            await count_tries(connection, counted)
        async with self._database.transaction() as connection:
            still = {event.seq for event in await read_waiting(connection, ids)}
            waiting = [event for event in counted if event.seq in still]
            return await self._play_and_write(connection, waiting)

    async def _play_and_write(self, connection: AsyncConnection, waiting: Sequence[Waiting]) -> list[Waiting]:
        own, written = await self._play_all(connection, waiting)
        await write(connection, written)
        return own

    def _takeable(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        """Of each conversation what is due, in order; one that was tried before is taken alone, so that
        what comes after it is not counted as tried with it."""
        now = self._clock()
        taken = []
        closed: set[UUID] = set()
        begun: set[UUID] = set()
        for event in waiting:
            chat = event.conversation_id
            if chat in closed:
                continue
            if event.due_at > now or (event.tries and chat in begun):
                closed.add(chat)
                continue
            if event.tries:
                closed.add(chat)
            begun.add(chat)
            taken.append(event)
        return taken

    async def _play_all(
        self, connection: AsyncConnection, waiting: Sequence[Waiting]
    ) -> tuple[list[Waiting], Written]:
        written = Written()
        own: list[Waiting] = []
        heads = await chats_of(connection, {(w.tenant_id, w.conversation_id) for w in waiting})
        by_chat: dict[UUID, list[Waiting]] = defaultdict(list)
        for event in waiting:
            by_chat[event.conversation_id].append(event)
        for chat_id, events in by_chat.items():
            person = heads[chat_id]
            for n, event in enumerate(events, start=1):
                played = await self._try(event, partial(self._chat.play, person, event, None))
                if played is None:
                    own.append(event)
                    written.later.append(_leased(event, self._clock()))
                else:
                    person = self._note(written, event, played, person)
                if not isinstance(played, Played):
                    written.untried += [after.seq for after in events[n:]]
                    break
        return own, written

    async def _alone(self, event: Waiting) -> None:
        """In a transaction of its own."""
        async with self._abreast:
            failure = await self._one(event)
            if failure is not None and failure.failed:
                await self._put_off(failure)

    async def _one(self, event: Waiting) -> "_Failure | None":
        failure = None
        chat = (event.tenant_id, event.conversation_id)
        try:
            async with self._database.transaction() as connection:
                waiting = await read_waiting(connection, await lock(connection, [chat], wait=True))
                if not waiting or waiting[0].seq != event.seq:  # our lease ran out: another worker has it
                    return None
                failure = _Failure(event)
                person = (await chats_of(connection, {chat}))[event.conversation_id]
                played = await self._chat.play(person, event, connection)
                written = Written()
                self._note(written, event, played, person)
                await write(connection, written)
        except Exception as error:
            if failure is None:
                raise
            _log(failure.event, error)
            failure.error = repr(error)
            return failure
        return None

    async def _put_off(self, failure: "_Failure") -> None:
        """The turn was rolled back: its event waits longer each time, and is parked in the end."""
        async with self._database.transaction() as connection:
            written = Written()
            heads = await chats_of(connection, {(failure.event.tenant_id, failure.event.conversation_id)})
            person = heads[failure.event.conversation_id]
            later = _Later(failure.event.tries + 1, failure.error or "")
            self._note(written, failure.event, later, person)
            await write(connection, written)

    async def _try(self, event: Waiting, play: Callable[[], Awaitable[Played]]) -> "Played | _Later | None":
        """A turn played beside others: None when it asks for the services."""
        if event.tries >= MOST_TRIES:
            return _Later(event.tries, event_error(event))
        try:
            return await play()
        except NeedsTransaction:
            return None
        except Exception as error:  # noqa: BLE001  a bug fails its turn only
            _log(event, error)
            return _Later(event.tries + 1, repr(error))

    def _note(self, written: Written, event: Waiting, played: "Played | _Later", person: Person) -> Person:
        now = self._clock()
        if isinstance(played, _Later):
            parked = played.tries >= MOST_TRIES
            written.later.append(
                {
                    "b_seq": event.seq,
                    "state": "parked" if parked else "waiting",
                    "due_at": now + timedelta(seconds=2**played.tries),
                    "error": played.error[:2000],
                }
            )
            if parked:
                log.error("turn.parked", seq=event.seq, conversation_id=str(event.conversation_id))
                written.messages.extend(self._chat.apology(person, now))
            return person
        written.done.append(event.seq)
        written.messages.extend(played.messages)
        if played.place is not None:
            written.places.append(played.place)
        return played.person


@dataclass(frozen=True)
class _Later:
    tries: int
    error: str


@dataclass
class _Failure:
    event: Waiting
    error: str | None = None

    @property
    def failed(self) -> bool:
        return self.error is not None


def _leased(event: Waiting, now: datetime) -> dict[str, object]:
    return {"b_seq": event.seq, "state": "waiting", "due_at": now + _LEASE, "error": None}


def event_error(event: Waiting) -> str:
    return f"gave up after {event.tries} tries; the process may have died in this turn"


def _log(event: Waiting, error: Exception) -> None:
    log.error(
        "turn.failed",
        seq=event.seq,
        conversation_id=str(event.conversation_id),
        tries=event.tries + 1,
        trace="".join(traceback.format_exception(error)),
    )
