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

_MOST_EVENTS = 128


@dataclass
class Written:
    """What a batch of turns will write. Places by conversation: the last one counts."""

    places: dict[UUID, Row] = field(default_factory=dict)
    messages: list[Outgoing] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    failed: list[Row] = field(default_factory=list)
    rests: dict[UUID, Row] = field(default_factory=dict)
    untried: list[int] = field(default_factory=list)  # counted as tried, and not played after all


# The oldest events of conversations that do not rest; the first of a conversation is its head.
_DUE: sa.Select[Any] = (
    sa.select(conversations.c.id, inbox.c.received_at)
    .join(
        inbox,
        sa.and_(
            inbox.c.tenant_id == conversations.c.tenant_id, inbox.c.conversation_id == conversations.c.id
        ),
    )
    .where(
        waits_for_turn(inbox),
        sa.or_(conversations.c.rests_until.is_(None), conversations.c.rests_until <= sa.bindparam("now")),
    )
    .order_by(inbox.c.received_at, inbox.c.seq)
    .limit(_MOST_EVENTS)
)
# A foreign key's share lock on a conversation must not wait for a turn, hence NO KEY.
_DUE_AND_FREE = _DUE.with_for_update(of=conversations, skip_locked=True, key_share=True)
_LOCK = (
    sa.select(conversations.c.id)
    .where(conversations.c.tenant_id == sa.bindparam("tenant"), conversations.c.id == sa.bindparam("chat"))
    .with_for_update(key_share=True)
)

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
    .where(
        waits_for_turn(inbox),
        inbox.c.received_at <= sa.bindparam("until"),
        inbox.c.conversation_id.in_(sa.bindparam("chats", expanding=True)),
    )
    .order_by(inbox.c.received_at, inbox.c.seq)
)

_SEQS = inbox.c.seq.in_(sa.bindparam("seqs", expanding=True))
_COUNT = sa.update(inbox).where(_SEQS).values(tries=inbox.c.tries + 1)
_UNCOUNT = sa.update(inbox).where(_SEQS).values(tries=inbox.c.tries - 1)
_DONE = sa.update(inbox).where(_SEQS).values(state="done")
_STILL = sa.select(sa.func.count()).where(_SEQS, inbox.c.state == "waiting")
_FAILED = BulkUpdate(inbox, ["seq"], ["state", "error"])
_REST = BulkUpdate(conversations, ["tenant_id", "id"], ["rests_until"])
_PLACE = BulkUpdate(conversations, ["tenant_id", "id"], ["place_sealed", "heard_at"])


async def due(connection: AsyncConnection, now: datetime) -> tuple[list[UUID], datetime]:
    """Conversations that have something due, and until which arrival they were looked for; on PostgreSQL
    locked, and only those that nobody else plays."""
    rows = (await connection.execute(_DUE_AND_FREE if _locks(connection) else _DUE, {"now": now})).all()
    return list(dict.fromkeys(row[0] for row in rows)), rows[-1][1] if rows else now


async def lock(connection: AsyncConnection, tenant: UUID, chat: UUID) -> None:
    """Once nobody else plays the conversation."""
    if _locks(connection):  # else whoever writes is alone
        await connection.execute(_LOCK, {"tenant": tenant, "chat": chat})


async def read_waiting(
    connection: AsyncConnection, chats: Sequence[UUID], until: datetime
) -> tuple[list[Waiting], dict[UUID, Person]]:
    """Read after the lock, in a statement of its own: what another worker has just done is done."""
    if not chats:
        return [], {}
    rows = (await connection.execute(_READ, {"chats": padded(chats), "until": until})).all()
    events = [Waiting(*row[:9]) for row in rows]
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
    """In a commit of its own, before they are played."""
    if waiting:
        await connection.execute(_COUNT, {"seqs": padded([event.seq for event in waiting])})


async def still_wait(connection: AsyncConnection, events: Sequence[Waiting]) -> bool:
    """Whether all of them do."""
    seqs = [event.seq for event in events]
    found = await connection.execute(_STILL, {"seqs": padded(seqs)})
    return found.scalar() == len(seqs)


async def write(connection: AsyncConnection, written: Written) -> None:
    """All but the messages, which `bot/outbox.py` writes."""
    await _PLACE(connection, list(written.places.values()))
    if written.done:
        await connection.execute(_DONE, {"seqs": padded(written.done)})
    await _FAILED(connection, written.failed)
    await _REST(connection, list(written.rests.values()))
    if written.untried:
        await connection.execute(_UNCOUNT, {"seqs": padded(written.untried)})


def _locks(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "postgresql"
