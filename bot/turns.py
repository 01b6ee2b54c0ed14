"""Turns: one person's waiting events, in order, each as if in a transaction of its own.

A turn that asks nothing of the services (most of talk) is played beside many others and written with
them in one commit. One that does is played again with a connection: on PostgreSQL in its own short
transaction, on SQLite, which has one writer, in a savepoint beside the others. Steps are frozen and act
only through the teller, so playing twice is harmless.

The row lock on the conversation is the lease: a crash rolls back and frees it at once. Between being
played beside others and with a connection, a conversation rests for a while, or two workers would take it
from each other for ever; so it does after a failure. The tries of an event are counted in a commit before
it is played, so that one that kills its process is parked in the end; and what was tried before is played
alone, so that it takes no neighbour with it.
"""

import asyncio
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import metrics
from bot.chat import Chat, NeedsTransaction, Played
from bot.claims import Read, Written, count_tries, due, lock, read_waiting, still_wait, takeable, write
from bot.log import redacted
from bot.sending import outbox
from bot.sending.message import Message, Sender
from bot.stopping import unbroken
from bot.talk import Person, Waiting
from services.people.window import opened_at
from services.points import point
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.database import Database
from services.store.scope import PLATFORM, scope_of, within

log = structlog.get_logger()

MOST_TRIES = 4
_POLL_SECONDS = 1.0
_BREATH_SECONDS = 0.008  # between batches: what comes meanwhile shares the next one
_LEASE = timedelta(seconds=10)
_MOST_TOGETHER = 8  # events of one person in a transaction of their own


@dataclass(frozen=True, slots=True)
class _Failed:
    """A turn that was rolled back; `tries` counts this one."""

    tries: int
    error: str


@dataclass(slots=True)
class _Batch:
    """What was played beside others: what it writes, what of it is ours to send, and what asks the
    services and so is still to be played, with what came after it. `more` may wait that nothing rings for."""

    written: Written
    ours: list[Message] = field(default_factory=list)
    asking: list[list[Waiting]] = field(default_factory=list)
    more: bool = True


class Turns:
    def __init__(
        self,
        database: Database,
        vault: Vault,
        chat: Chat,
        sender: Sender,
        bell: Bell,
        clock: Callable[[], datetime],
        *,
        abreast: int = 4,
    ) -> None:
        self._database, self._vault, self._chat, self._sender = database, vault, chat, sender
        self._bell, self._clock = bell, clock
        self._abreast = asyncio.Semaphore(abreast)
        self._turn_of_retries = False

    async def run(self) -> None:
        """For ever; whatever goes wrong below a turn (the database is away) is waited out."""
        while True:
            self._bell.heard("turns")
            try:
                batch = await unbroken(self._batch())
            except Exception:  # the edge: a worker outlives its database
                log.exception("turns.failed")
                await asyncio.sleep(_POLL_SECONDS)
                continue
            if batch is not None:
                await asyncio.sleep(_BREATH_SECONDS)
            # What has come meanwhile has rung, here or in the process that keeps up with it.
            if batch is None or not batch.more:
                await self._bell.wait("turns", _POLL_SECONDS)

    async def once(self) -> bool:
        """One batch; False when nothing was waiting, or other workers have it all."""
        return await self._batch() is not None

    async def _batch(self) -> _Batch | None:
        self._turn_of_retries = not self._turn_of_retries
        batch = await (self._under_locks() if self._database.is_postgres else self._as_the_writer())
        if batch is not None:
            self._send(batch.written, batch.ours)
            if batch.asking:
                await self._ask(batch.asking)
                self._bell.ring("jobs")
        return batch

    # --- turns that ask nothing of the services ----------------------------------------------------

    async def _under_locks(self) -> _Batch | None:
        """PostgreSQL: while we hold the conversations' locks, a second connection counts the tries."""
        async with self._database.transaction(PLATFORM) as connection:
            read = await self._read(connection)
            if not read.events:
                return None
            async with self._database.noting() as beside:
                await count_tries(beside, read.events)
            return await self._played(connection, read)

    async def _as_the_writer(self) -> _Batch | None:
        """SQLite: one writer is alone, and commits the count before the turns."""
        async with self._database.transaction(PLATFORM) as connection:
            read = await self._read(connection)
            await count_tries(connection, read.events)
        if not read.events:
            return None
        async with self._database.transaction(PLATFORM) as connection:
            if await still_wait(connection, read.events):
                return await self._played(connection, read)
        return _Batch(Written())  # another process came between

    async def _read(self, connection: AsyncConnection) -> Read:
        read = await read_waiting(connection, *await due(connection, self._clock()))
        taken = takeable(read.events, retries=self._turn_of_retries)
        return replace(read, events=taken, more=read.more or len(taken) < len(read.events))

    async def _played(self, connection: AsyncConnection, read: Read) -> _Batch:
        batch = _Batch(Written(numbers=read.numbers), more=read.more)
        batch.asking = await self._play_beside(batch.written, read.events, read.people)
        batch.more |= bool(batch.asking)  # what follows each in its conversation
        batch.ours = await self._write(connection, batch.written)
        return batch

    async def _play_beside(
        self, written: Written, events: Iterable[Waiting], people: Mapping[UUID, Person]
    ) -> list[list[Waiting]]:
        asking: list[list[Waiting]] = []
        by_chat: dict[UUID, list[Waiting]] = defaultdict(list)
        for event in events:
            by_chat[event.conversation_id].append(event)
        for chat, waiting in by_chat.items():
            person = people[chat]
            for n, event in enumerate(waiting, start=1):
                played = await self._try(person, event, None, followed=_followed(waiting[n:]))
                if isinstance(played, Played):
                    person = self._note(written, event, played)
                    continue
                left = waiting[n:]
                if played is None:
                    asking.append([event, *left[: _MOST_TOGETHER - 1]])
                    left = left[_MOST_TOGETHER - 1 :]
                    written.stands(person, self._clock() + _LEASE)
                else:
                    await self._note_failure(written, event, played, person)
                written.untried += [after.seq for after in left]
                break
        return asking

    # --- turns that do -----------------------------------------------------------------------------

    async def _ask(self, asking: Sequence[Sequence[Waiting]]) -> None:
        if self._database.is_postgres:
            await asyncio.gather(*(self._with_connection([waiting]) for waiting in asking))
        else:
            await self._with_connection(asking)

    async def _with_connection(self, asking: Sequence[Sequence[Waiting]]) -> None:
        """Of each conversation its first events, in order."""
        written = Written()
        heads = [waiting[0] for waiting in asking]
        whose = scope_of(event.tenant_id for event in heads)  # on PostgreSQL it is one conversation
        async with self._abreast, self._database.transaction(whose) as connection:
            for event in heads:
                await lock(connection, event.tenant_id, event.conversation_id)
            until = max(event.received_at for event in heads)
            read = await read_waiting(connection, [event.conversation_id for event in heads], until)
            written.numbers = read.numbers
            first = {waiting.conversation_id: waiting.seq for waiting in reversed(read.events)}
            for waiting in asking:
                chat = waiting[0].conversation_id
                # Where it is another one, our lease ran out and another worker has played it.
                if first.get(chat) == waiting[0].seq:
                    async with within(connection, waiting[0].tenant_id):
                        await self._play_with(connection, written, waiting, read.people[chat])
                else:
                    written.untried += [after.seq for after in waiting[1:]]
            ours = await self._write(connection, written)
        self._send(written, ours)

    async def _play_with(
        self, connection: AsyncConnection, written: Written, waiting: Sequence[Waiting], person: Person
    ) -> None:
        for n, event in enumerate(waiting, start=1):
            try:
                async with connection.begin_nested():
                    played = await self._chat.play(person, event, connection, followed=_followed(waiting[n:]))
            except Exception as error:  # noqa: BLE001  a bug fails its turn only
                await self._note_failure(written, event, _failed(event, error), person)
                written.untried += [after.seq for after in waiting[n:]]
                return
            person = self._note(written, event, played)
            written.stands(person)
            if played.anew:
                written.untried += [after.seq for after in waiting[n:]]
                return

    # --- both --------------------------------------------------------------------------------------

    async def _try(
        self, person: Person, event: Waiting, connection: AsyncConnection | None, *, followed: bool
    ) -> Played | _Failed | None:
        """None when it asks for the services."""
        if event.tries >= MOST_TRIES:
            return _Failed(event.tries, f"gave up after {event.tries} tries; the process may have died in it")
        try:
            return await self._chat.play(person, event, connection, followed=followed)
        except NeedsTransaction:
            return None
        except Exception as error:  # noqa: BLE001  a bug fails its turn only
            return _failed(event, error)

    def _note(self, written: Written, event: Waiting, played: Played) -> Person:
        person = played.person
        written.event(event, "done" if played.unheard is None else "kept", played.unheard)
        written.say(event.conversation_id, played.messages)
        if played.moved:
            written.stands(person)
        metrics.turns.labels("played" if played.unheard is None else "unheard").inc()
        metrics.turn_seconds.observe(max(0.0, (self._clock() - event.received_at).total_seconds()))
        return person

    async def _note_failure(self, written: Written, event: Waiting, failed: _Failed, person: Person) -> None:
        """It waits longer each time, and is parked in the end; the person is told then."""
        parked = failed.tries >= MOST_TRIES
        written.event(event, "parked" if parked else "waiting", failed.error[:2000])
        rest = timedelta(0) if parked else timedelta(seconds=2**failed.tries)
        if event.kind == "message":  # it opens WhatsApp's window, whatever becomes of its turn
            heard_at = opened_at(None, event.received_at, self._clock(), person.heard_at)
            person = replace(person, heard_at=heard_at)
        written.stands(person, self._clock() + rest)
        if parked:
            log.error("turn.parked", seq=event.seq, conversation_id=str(event.conversation_id))
            try:
                written.say(event.conversation_id, await self._chat.apology(person))
            except Exception:
                log.exception("turn.no_apology", seq=event.seq)
        metrics.turns.labels("parked" if parked else "failed").inc()

    async def _write(self, connection: AsyncConnection, written: Written) -> list[Message]:
        rows, ours = await outbox.rows(
            connection,
            self._vault,
            written.messages,
            self._clock(),
            numbers=written.numbers,
            room=self._sender.room,
        )
        await write(connection, written, (outbox.INSERT, rows))
        return ours

    def _send(self, written: Written, ours: Sequence[Message]) -> None:
        """After the commit."""
        point("turn.committed")
        self._sender.hand_over(ours)
        begun = {(message.tenant_id, message.conversation_id) for message in ours}
        self._sender.follow(sorted(written.spoken_to - begun))


def _followed(waiting: Sequence[Waiting]) -> bool:
    """Whether the person has written more, which is answered with it."""
    return any(event.kind == "message" for event in waiting)


def _failed(event: Waiting, error: Exception) -> _Failed:
    log.error(
        "turn.failed",
        seq=event.seq,
        conversation_id=str(event.conversation_id),
        tries=event.tries + 1,
        trace="".join(traceback.format_exception(error)),
    )
    return _Failed(event.tries + 1, redacted(f"{type(error).__name__}: {error}"))
