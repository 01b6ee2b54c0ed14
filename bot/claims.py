"""Claims: the statements by which a worker takes a batch of turns and writes what they left.

They run for every message, so they are hot (`services/store/hot.py`) and there are few of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.sending.message import ChatKey
from bot.talk import Outgoing, Person, Waiting
from services.people.access import granted
from services.points import point
from services.store.bulk import Bulk, BulkUpdate, Row, together
from services.store.hot import Hot, among, is_postgres
from services.store.schema import Moment, conversations, inbox, is_open, outbox, people, staff, waits_for_turn
from services.store.scope import tenant_of

_MOST_EVENTS = 128


@dataclass
class Written:
    """What a batch of turns will write. By conversation, and by event: the last one counts."""

    chats: dict[UUID, Row] = field(default_factory=dict)
    events: dict[int, Row] = field(default_factory=dict)
    said: dict[UUID, list[Outgoing]] = field(default_factory=dict)
    untried: list[int] = field(default_factory=list)  # counted as tried, and not played after all
    numbers: Sequence[int] = ()  # reserved for the messages

    @property
    def messages(self) -> list[Outgoing]:
        """In the order in which each person is to read theirs."""
        return [message for said in self.said.values() for message in said]

    @property
    def spoken_to(self) -> set[ChatKey]:
        return {(each.person.tenant_id, each.person.conversation_id) for each in self.messages}

    def say(self, chat: UUID, messages: Sequence[Outgoing]) -> None:
        """And leave out what was to be said before, where these say it all."""
        before = self.said.get(chat, [])
        kept = [each for each in before if not any(each.is_said_by(later) for later in messages)]
        self.said[chat] = [*kept, *messages]

    def stands(self, person: Person, rests_until: datetime | None = None) -> None:
        """Where a person stands now; their conversation rests until then."""
        key = (person.tenant_id, person.conversation_id)
        self.chats[person.conversation_id] = (*key, person.place_sealed, person.heard_at, rests_until)

    def event(self, event: Waiting, state: str, error: str | None = None) -> None:
        self.events[event.seq] = (event.tenant_id, event.seq, state, error)


_now: sa.BindParameter[datetime] = sa.bindparam("now", type_=Moment)
# The oldest events of conversations that do not rest; the first of a conversation is its head.
_OLDEST: sa.Select[Any] = (
    sa.select(conversations.c.id, inbox.c.received_at)
    .join(
        inbox,
        sa.and_(
            inbox.c.tenant_id == conversations.c.tenant_id, inbox.c.conversation_id == conversations.c.id
        ),
    )
    .where(
        waits_for_turn(inbox),
        sa.or_(conversations.c.rests_until.is_(None), conversations.c.rests_until <= _now),
    )
    .order_by(inbox.c.received_at, inbox.c.seq)
    .limit(_MOST_EVENTS)
)
# A foreign key's share lock on a conversation must not wait for a turn, hence NO KEY.
_DUE = Hot(_OLDEST, postgres=_OLDEST.with_for_update(of=conversations, skip_locked=True, key_share=True))
_LOCK = Hot(
    sa.select(conversations.c.id)
    .where(conversations.c.tenant_id == sa.bindparam("tenant"), conversations.c.id == sa.bindparam("chat"))
    .with_for_update(key_share=True)
)

_chat = conversations.c
_WAITING: sa.Select[Any] = (
    sa.select(
        inbox.c.seq,
        inbox.c.tenant_id,
        inbox.c.conversation_id,
        inbox.c.kind,
        inbox.c.external_id,
        inbox.c.status,
        inbox.c.tries,
        inbox.c.received_at,
        inbox.c.body_sealed,
        inbox.c.error,
        _chat.person_id,
        people.c.name,
        people.c.language,
        staff.c.role,
        staff.c.scopes,
        sa.and_(staff.c.active, staff.c.suspended_at.is_(None)).label("active"),
        _chat.phone_sealed,
        _chat.user_id_sealed,
        _chat.place_sealed,
        _chat.heard_at,
        people.c.stopped_at.is_not(None).label("stopped"),
        sa.exists()
        .where(outbox.c.tenant_id == _chat.tenant_id, outbox.c.conversation_id == _chat.id, is_open(outbox))
        .label("busy"),
    )
    .join(conversations, sa.and_(_chat.tenant_id == inbox.c.tenant_id, _chat.id == inbox.c.conversation_id))
    .join(people, sa.and_(people.c.tenant_id == _chat.tenant_id, people.c.id == _chat.person_id))
    .outerjoin(staff, sa.and_(staff.c.tenant_id == _chat.tenant_id, staff.c.person_id == _chat.person_id))
    .where(
        waits_for_turn(inbox),
        inbox.c.received_at <= sa.bindparam("until"),
        among(inbox.c.conversation_id, "chats"),
    )
    .order_by(inbox.c.received_at, inbox.c.seq)
)
# With the number of what it will say, most likely, in the same round trip.
_NUMBER = sa.func.nextval("outbox_seq_seq")
_READ = Hot(_WAITING.add_columns(sa.null()), postgres=_WAITING.add_columns(_NUMBER))
_OF_ONE = inbox.c.tenant_id == sa.bindparam("tenant")
_WAITING_OF_ONE = _WAITING.where(_OF_ONE)
_READ_OF_ONE = Hot(_WAITING_OF_ONE.add_columns(sa.null()), postgres=_WAITING_OF_ONE.add_columns(_NUMBER))
_SEQS = among(inbox.c.seq, "seqs")
_COUNT = Hot(sa.update(inbox).where(_SEQS).values(tries=inbox.c.tries + 1))
_UNCOUNT = Hot(sa.update(inbox).where(_SEQS).values(tries=inbox.c.tries - 1))
_UNCOUNT_OF_ONE = Hot(sa.update(inbox).where(_SEQS, _OF_ONE).values(tries=inbox.c.tries - 1))
_STILL = Hot(sa.select(sa.func.count()).where(_SEQS, inbox.c.state == "waiting"))
_CHATS = BulkUpdate(conversations, ["tenant_id", "id"], ["place_sealed", "heard_at", "rests_until"])
_EVENTS = BulkUpdate(inbox, ["tenant_id", "seq"], ["state", "error"])


async def due(connection: AsyncConnection, now: datetime) -> tuple[list[UUID], datetime]:
    """Conversations that have something due, and until which arrival they were looked for; on PostgreSQL
    locked, and only those that nobody else plays."""
    rows = await _DUE(connection, now=now)
    return list(dict.fromkeys(row[0] for row in rows)), rows[-1][1] if rows else now


async def lock(connection: AsyncConnection, tenant: UUID, chat: UUID) -> None:
    """Once nobody else plays the conversation."""
    if is_postgres(connection):  # else whoever writes is alone
        await _LOCK(connection, tenant=tenant, chat=chat)


@dataclass(frozen=True, slots=True)
class Read:
    """What waits, who said it, and numbers reserved in the outbox for what will be said. `more` may be due
    beside it."""

    events: Sequence[Waiting] = ()
    people: Mapping[UUID, Person] = field(default_factory=dict)
    numbers: Sequence[int] = ()
    more: bool = False


async def read_waiting(connection: AsyncConnection, chats: Sequence[UUID], until: datetime) -> Read:
    """Read after the lock, in a statement of its own: what another worker has just done is done."""
    if not chats:
        return Read()
    facts: dict[str, Any] = {"chats": chats, "until": until}
    if (tenant := tenant_of(connection)) is not None:
        rows = await _READ_OF_ONE(connection, tenant=tenant, **facts)
    else:
        rows = await _READ(connection, **facts)
    return Read(
        [Waiting(*row[:10]) for row in rows],
        {row[2]: _person((*row[1:3], *row[10:-1])) for row in rows},
        sorted(row[-1] for row in rows if row[-1] is not None),
        more=len(rows) >= _MOST_EVENTS,
    )


def _person(row: Row) -> Person:
    tenant, chat, person, name, language, role, scopes, active, phone, user_id, place, *more = row
    heard_at, stopped, busy = more
    return Person(
        tenant_id=tenant,
        conversation_id=chat,
        person_id=person,
        name=name,
        language=language,
        scopes=granted(role, scopes or ()) if active else frozenset(),
        phone_sealed=phone,
        user_id_sealed=user_id,
        place_sealed=place,
        heard_at=heard_at,
        stopped=bool(stopped),
        quiet=not busy,
    )


def takeable(events: Sequence[Waiting], *, retries: bool) -> list[Waiting]:
    """Of each conversation what waits, in order. What was tried before is played alone, every other time
    (`retries`), so that what comes beside or after it is not counted as tried with it."""
    taken: list[Waiting] = []
    tried: list[Waiting] = []
    closed: set[UUID] = set()
    begun: set[UUID] = set()
    for event in events:
        chat = event.conversation_id
        if chat in closed:
            continue
        if event.tries:
            closed.add(chat)
            if chat not in begun:
                tried.append(event)
        else:
            begun.add(chat)
            taken.append(event)
    return tried[:1] if tried and (retries or not taken) else taken


async def count_tries(connection: Any, waiting: Sequence[Waiting]) -> None:
    """In a commit of its own, before they are played."""
    if waiting:
        await _COUNT(connection, seqs=[event.seq for event in waiting])
        point("turn.counted")


async def still_wait(connection: AsyncConnection, events: Sequence[Waiting]) -> bool:
    """Whether all of them do."""
    seqs = [event.seq for event in events]
    rows = await _STILL(connection, seqs=seqs)
    return bool(rows[0][0] == len(seqs))


async def write(connection: AsyncConnection, written: Written, *more: tuple[Bulk, Sequence[Row]]) -> None:
    """And what the outbox is to hold (`bot/sending/outbox.py`)."""
    await together(
        connection, (_CHATS, list(written.chats.values())), (_EVENTS, list(written.events.values())), *more
    )
    if written.untried and (tenant := tenant_of(connection)) is not None:
        await _UNCOUNT_OF_ONE(connection, tenant=tenant, seqs=written.untried)
    elif written.untried:
        await _UNCOUNT(connection, seqs=written.untried)
    point("turn.written")
