"""Claims: the statements by which a worker takes a batch of turns and writes what they left.

They run for every message, so they are built once and there are few of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.talk import Outgoing, Person, Waiting
from services.people.access import granted
from services.store.bulk import BulkUpdate, Row
from services.store.database import padded
from services.store.schema import conversations, inbox, is_open, outbox, people, staff, waits_for_turn

BATCH = 64
_MOST_EVENTS = 4 * BATCH


@dataclass
class Written:
    """What a batch of turns will write. Places by conversation: the last one counts."""

    places: dict[UUID, Row] = field(default_factory=dict)
    messages: list[Outgoing] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    later: list[Row] = field(default_factory=list)
    untried: list[int] = field(default_factory=list)  # counted as tried, and not played after all


_event, _before = inbox.alias("event"), inbox.alias("before")
# The first waiting event of each conversation, where it is due; in order of arrival.
_HEADS = (
    sa.select(_event.c.tenant_id, _event.c.conversation_id, _event.c.tries)
    .where(
        waits_for_turn(_event),
        _event.c.due_at <= sa.bindparam("now"),
        ~sa.exists().where(
            waits_for_turn(_before),
            _before.c.conversation_id == _event.c.conversation_id,
            sa.tuple_(_before.c.received_at, _before.c.seq) < sa.tuple_(_event.c.received_at, _event.c.seq),
        ),
    )
    .order_by(_event.c.received_at, _event.c.seq)
    .limit(BATCH)
)

_LOCK = (
    sa.select(conversations.c.tenant_id, conversations.c.id)
    .where(
        conversations.c.tenant_id.in_(sa.bindparam("tenants", expanding=True)),
        conversations.c.id.in_(sa.bindparam("chats", expanding=True)),
    )
    .order_by(conversations.c.id)
)
# A foreign key's share lock on a conversation must not wait for a turn, hence NO KEY.
_LOCK_FREE = _LOCK.with_for_update(skip_locked=True, key_share=True)
_LOCK_ALL = _LOCK.with_for_update(key_share=True)

_chat = conversations.c
_READ: sa.Select[Any] = (
    sa.select(
        inbox.c.seq,
        inbox.c.tenant_id,
        inbox.c.conversation_id,
        inbox.c.kind,
        inbox.c.external_id,
        inbox.c.status,
        inbox.c.tries,
        inbox.c.due_at,
        inbox.c.received_at,
        inbox.c.body_sealed,
        _chat.person_id,
        people.c.name,
        people.c.language,
        staff.c.role,
        staff.c.scopes,
        staff.c.active,
        _chat.phone_sealed,
        _chat.user_id_sealed,
        _chat.place_sealed,
        _chat.heard_at,
        sa.exists().where(outbox.c.conversation_id == _chat.id, is_open(outbox)).label("busy"),
    )
    .join(conversations, sa.and_(_chat.tenant_id == inbox.c.tenant_id, _chat.id == inbox.c.conversation_id))
    .join(people, sa.and_(people.c.tenant_id == _chat.tenant_id, people.c.id == _chat.person_id))
    .outerjoin(staff, sa.and_(staff.c.tenant_id == _chat.tenant_id, staff.c.person_id == _chat.person_id))
    .where(waits_for_turn(inbox), inbox.c.conversation_id.in_(sa.bindparam("chats", expanding=True)))
    .order_by(inbox.c.received_at, inbox.c.seq)
    .limit(_MOST_EVENTS)
)

_SEQS = inbox.c.seq.in_(sa.bindparam("seqs", expanding=True))
_COUNT = sa.update(inbox).where(_SEQS).values(tries=inbox.c.tries + 1)
_UNCOUNT = sa.update(inbox).where(_SEQS).values(tries=inbox.c.tries - 1)
_DONE = sa.update(inbox).where(_SEQS).values(state="done")
_LATER = BulkUpdate(inbox, ["seq"], ["state", "due_at", "error"])
_PLACE = BulkUpdate(conversations, ["tenant_id", "id"], ["place_sealed", "heard_at"])


async def heads(connection: AsyncConnection, now: datetime) -> list[tuple[UUID, UUID, int]]:
    """The conversations that have something due, with the tries of their first event."""
    return [(row[0], row[1], row[2]) for row in await connection.execute(_HEADS, {"now": now})]


async def lock(
    connection: AsyncConnection, ids: Sequence[tuple[UUID, UUID]], *, wait: bool = False
) -> list[UUID]:
    """The conversations of these that nobody else is playing; all of them, in time, with `wait`."""
    chats = [chat for _, chat in ids]
    if connection.dialect.name != "postgresql":  # whoever writes is alone
        return chats
    which = {"tenants": padded({tenant for tenant, _ in ids}), "chats": padded(chats)}
    rows = await connection.execute(_LOCK_ALL if wait else _LOCK_FREE, which)
    return [row[1] for row in rows]


async def read_waiting(
    connection: AsyncConnection, chats: Sequence[UUID]
) -> tuple[list[Waiting], dict[UUID, Person]]:
    """Read after the lock, in a statement of its own: what another worker has just done is done."""
    if not chats:
        return [], {}
    rows = (await connection.execute(_READ, {"chats": padded(chats)})).all()
    events = [
        Waiting(row[0], row[1], row[2], row[3], f"{row[3]}|{row[4]}|{row[5]}", row[6], row[7], row[8], row[9])
        for row in rows
    ]
    return events, {row[2]: _person(row) for row in rows}


def _person(row: sa.Row[Any]) -> Person:
    return Person(
        tenant_id=row.tenant_id,
        conversation_id=row.conversation_id,
        person_id=row.person_id,
        name=row.name,
        language=row.language,
        scopes=granted(row.role, row.scopes or ()) if row.active else frozenset(),
        phone_sealed=row.phone_sealed,
        user_id_sealed=row.user_id_sealed,
        place_sealed=row.place_sealed,
        heard_at=row.heard_at,
        quiet=not row.busy,
    )


async def count_tries(connection: AsyncConnection, waiting: Sequence[Waiting]) -> None:
    if waiting:
        await connection.execute(_COUNT, {"seqs": padded([event.seq for event in waiting])})


async def write(connection: AsyncConnection, written: Written) -> None:
    """All but the messages, which `bot/outbox.py` writes."""
    await _PLACE(connection, list(written.places.values()))
    if written.done:
        await connection.execute(_DONE, {"seqs": padded(written.done)})
    await _LATER(connection, written.later)
    if written.untried:
        await connection.execute(_UNCOUNT, {"seqs": padded(written.untried)})
