"""Outbox: messages to people, written in the commit of the turn that says them.

What a turn writes is handed at once to the delivery of its own process, marked as sending; whoever marks a
message as sent takes the next one of its conversation with it. A claim finds what was left behind: what had
to wait, and what a process that died had taken. A body is sealed, since people's words are echoed in it;
its number is reserved first, so that it is bound to its row.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.talk import Outgoing
from services.safety.vault import Unopenable, Vault
from services.store.bulk import BulkInsert, BulkUpdate, Row
from services.store.database import padded
from services.store.schema import conversations, is_open, outbox

log = structlog.get_logger()

ChatKey = tuple[UUID, UUID]  # tenant, conversation
LEASE = timedelta(seconds=45)  # longer than a send may take


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is to be sent now; nobody else sends it until its lease ends."""

    seq: int
    tenant_id: UUID
    conversation_id: UUID
    body: bytes
    tries: int
    phone_sealed: bytes | None
    user_id_sealed: bytes | None
    said_at: datetime
    reads: str | None = None  # forgotten where another process sends it: it is a courtesy


class Mark(NamedTuple):
    """What became of a message that was sending; in the order of the columns that it changes."""

    seq: int
    state: str
    tries: int
    wamid: str | None
    error: str | None
    due_at: datetime
    chat: ChatKey


class Sender(Protocol):
    """The delivery of this process: `room` messages may be handed over now."""

    @property
    def room(self) -> int: ...

    def hand_over(self, messages: Sequence[Message]) -> None: ...

    def follow(self, chats: Sequence[ChatKey]) -> None: ...


_one, _before = outbox.alias("one"), outbox.alias("before")
_NEXT_NUMBERS = sa.select(sa.func.nextval("outbox_seq_seq")).select_from(
    sa.func.generate_series(1, sa.bindparam("many", type_=sa.Integer))
)
_LAST_NUMBER = sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'")
_INSERT = BulkInsert(
    outbox, "seq", "tenant_id", "conversation_id", "body_sealed", "state", "tries", "due_at", "created_at"
)
# The first open message of each conversation, where it is due.
_HEADS = (
    sa.select(_one.c.seq)
    .where(
        is_open(_one),
        _one.c.due_at <= sa.bindparam("now"),
        _one.c.tenant_id.not_in(sa.bindparam("resting", expanding=True)),
        ~sa.exists().where(
            _before.c.conversation_id == _one.c.conversation_id,
            _before.c.seq < _one.c.seq,
            is_open(_before),
        ),
    )
    .order_by(_one.c.due_at, _one.c.seq)
    .limit(sa.bindparam("most"))
)
_SEQS = outbox.c.seq.in_(sa.bindparam("seqs", expanding=True))
_CLAIM = (
    sa.update(outbox)
    .where(_SEQS, is_open(outbox))
    .values(state="sending", tries=outbox.c.tries + 1, due_at=sa.bindparam("lease"))
)
_LOST = sa.update(outbox).where(_SEQS).values(state="failed", error="no key opens it")
_READ = (
    sa.select(
        outbox.c.seq,
        outbox.c.tenant_id,
        outbox.c.conversation_id,
        outbox.c.body_sealed,
        outbox.c.tries,
        conversations.c.phone_sealed,
        conversations.c.user_id_sealed,
        outbox.c.created_at,
    )
    .join(
        conversations,
        sa.and_(
            conversations.c.tenant_id == outbox.c.tenant_id, conversations.c.id == outbox.c.conversation_id
        ),
    )
    .where(_SEQS)
    .order_by(outbox.c.seq)
)
_MARK = BulkUpdate(
    outbox, ["seq"], ["state", "tries", "wamid", "error", "due_at"], where="outbox.state = 'sending'"
)
# The same of some conversations only, however much waits behind it.
_HEADS_OF = sa.select(_one.c.seq).where(
    is_open(_one),
    _one.c.due_at <= sa.bindparam("now"),
    _one.c.tenant_id.not_in(sa.bindparam("resting", expanding=True)),
    _one.c.seq.in_(
        sa.select(
            sa.select(sa.func.min(_before.c.seq))
            .where(_before.c.conversation_id == conversations.c.id, is_open(_before))
            .scalar_subquery()
        ).where(
            conversations.c.tenant_id.in_(sa.bindparam("tenants", expanding=True)),
            conversations.c.id.in_(sa.bindparam("chats", expanding=True)),
        )
    ),
)


async def write(
    connection: AsyncConnection, vault: Vault, messages: Sequence[Outgoing], now: datetime, room: int
) -> list[Message]:
    """Write them all; those returned, `room` at most, are ours to send after the commit."""
    if not messages:
        return []
    ours: list[Message] = []
    rows, spoken_to = [], set()
    for seq, message in zip(await _numbers(connection, len(messages)), messages, strict=True):
        person = message.person
        sending = person.quiet and person.conversation_id not in spoken_to and len(ours) < room
        spoken_to.add(person.conversation_id)
        rows.append(_row(vault, seq, message, now, sending=sending))
        if sending:
            ours.append(_message(seq, message, now))
    await _INSERT(connection, rows)
    return ours


async def claim(
    connection: AsyncConnection, vault: Vault, now: datetime, resting: Sequence[UUID], most: int
) -> list[Message]:
    """The due heads of the conversations, marked as sending; none of tenants that rest."""
    facts = {"now": now, "resting": padded(resting), "most": most}
    return await _claimed(connection, vault, _HEADS, facts)


async def claim_of(
    connection: AsyncConnection,
    vault: Vault,
    now: datetime,
    resting: Sequence[UUID],
    chats: Collection[ChatKey],
) -> list[Message]:
    """The same of these conversations."""
    tenants, ids = {tenant for tenant, _ in chats}, [chat for _, chat in chats]
    facts = {"now": now, "resting": padded(resting), "tenants": padded(tenants), "chats": padded(ids)}
    return await _claimed(connection, vault, _HEADS_OF, facts)


async def _claimed(
    connection: AsyncConnection, vault: Vault, heads: sa.Select[Any], facts: dict[str, Any]
) -> list[Message]:
    if _locks(connection):
        heads = heads.with_for_update(of=_one, skip_locked=True)
    seqs = (await connection.execute(heads, facts)).scalars().all()
    if not seqs:
        return []
    await connection.execute(_CLAIM, {"seqs": padded(seqs), "lease": facts["now"] + LEASE})
    messages, unopenable = [], []
    for row in await connection.execute(_READ, {"seqs": padded(seqs)}):
        try:
            messages.append(Message(*row[:3], opened(vault, row[1], row[0], row[3]), *row[4:]))
        except Unopenable:  # and costs none of the others
            log.exception("outbox.unopenable", seq=row[0])
            unopenable.append(row[0])
    if unopenable:
        await connection.execute(_LOST, {"seqs": padded(unopenable)})
    return messages


async def mark(connection: AsyncConnection, marks: Sequence[Mark]) -> None:
    """Only what is still sending: a status may have come before the answer."""
    await _MARK(connection, [mark[:-1] for mark in sorted(marks)])


def opened(vault: Vault, tenant: UUID, seq: int, sealed: bytes) -> bytes:
    return vault.open(sealed, tenant, "outbox.body", str(seq))


async def _numbers(connection: AsyncConnection, many: int) -> list[int]:
    """Rising with every turn of a conversation, since its lock is held."""
    if _locks(connection):
        return list((await connection.execute(_NEXT_NUMBERS, {"many": many})).scalars())
    last = (await connection.execute(_LAST_NUMBER)).scalar() or 0
    return list(range(last + 1, last + 1 + many))


def _row(vault: Vault, seq: int, message: Outgoing, now: datetime, *, sending: bool) -> Row:
    tenant = message.person.tenant_id
    sealed = vault.seal(message.body, tenant, "outbox.body", str(seq))
    state, due_at = ("sending", now + LEASE) if sending else ("waiting", now)
    return seq, tenant, message.person.conversation_id, sealed, state, int(sending), due_at, now


def _message(seq: int, message: Outgoing, now: datetime) -> Message:
    person = message.person
    return Message(
        seq,
        person.tenant_id,
        person.conversation_id,
        message.body,
        1,
        person.phone_sealed,
        person.user_id_sealed,
        now,
        message.reads,
    )


def _locks(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "postgresql"
