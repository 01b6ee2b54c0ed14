"""Outbox: messages to people, written in the commit of the turn that says them.

What a turn writes is handed at once to the delivery of its own process, marked as sending; whoever marks a
message as sent takes the next one of its conversation with it. A claim finds what was left behind: what had
to wait, and what a process that died had taken. A body is sealed, since people's words are echoed in it;
its number is reserved first, so that it is bound to its row.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.sending.message import LEASE, ChatKey, Mark, Message
from bot.sending.purposes import Purpose
from bot.talk import Outgoing
from services.points import point
from services.safety.vault import Unopenable, Vault
from services.store.bulk import BulkInsert, BulkUpdate, Row
from services.store.hot import Hot, among, is_postgres
from services.store.schema import Moment, conversations, is_open, outbox, people

log = structlog.get_logger()

_one, _before = outbox.alias("one"), outbox.alias("before")
_NEXT_NUMBERS = Hot(
    sa.select(sa.func.nextval("outbox_seq_seq")).select_from(
        sa.func.generate_series(1, sa.bindparam("many", type_=sa.Integer))
    )
)
_LAST_NUMBER = Hot(
    sa.select(sa.column("seq", sa.Integer))
    .select_from(sa.table("sqlite_sequence"))
    .where(sa.column("name") == "outbox")
)
INSERT = BulkInsert(
    outbox,
    "seq",
    "tenant_id",
    "conversation_id",
    "body_sealed",
    "state",
    "tries",
    "due_at",
    "created_at",
    "purpose",
    "about",
    "template_sealed",
)
_due = sa.and_(
    is_open(_one),
    _one.c.due_at <= sa.bindparam("now", type_=Moment),
    ~among(_one.c.tenant_id, "resting"),
)
# The first open message of each conversation, where it is due.
_HEADS = (
    sa.select(_one.c.seq)
    .where(
        _due,
        ~sa.exists().where(
            _before.c.conversation_id == _one.c.conversation_id,
            _before.c.seq < _one.c.seq,
            is_open(_before),
        ),
    )
    .order_by(_one.c.due_at, _one.c.seq)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
# The same of some conversations only, however much waits behind it.
_HEADS_OF = sa.select(_one.c.seq).where(
    _due,
    _one.c.seq.in_(
        sa.select(
            sa.select(sa.func.min(_before.c.seq))
            .where(_before.c.conversation_id == conversations.c.id, is_open(_before))
            .scalar_subquery()
        ).where(among(conversations.c.tenant_id, "tenants"), among(conversations.c.id, "chats"))
    ),
)


def _locked(heads: sa.Select[Any]) -> sa.Select[Any]:
    return heads.with_for_update(of=_one, skip_locked=True)


_LOOK = Hot(_HEADS_OF)
_CLAIM_HEADS = Hot(_HEADS, postgres=_locked(_HEADS))
_CLAIM_HEADS_OF = Hot(_HEADS_OF, postgres=_locked(_HEADS_OF))
_SEQS = among(outbox.c.seq, "seqs")
_CLAIM = Hot(
    sa.update(outbox)
    .where(_SEQS, is_open(outbox))
    .values(state="sending", tries=outbox.c.tries + 1, due_at=sa.bindparam("lease", type_=Moment))
)
_LOST = Hot(sa.update(outbox).where(_SEQS).values(state="failed", error="no key opens it"))
_READ = Hot(
    sa.select(
        outbox.c.seq,
        outbox.c.tenant_id,
        outbox.c.conversation_id,
        outbox.c.body_sealed,
        outbox.c.tries,
        outbox.c.unknown_sends,
        conversations.c.phone_sealed,
        conversations.c.user_id_sealed,
        outbox.c.created_at,
        conversations.c.heard_at,
        people.c.stopped_at.is_not(None),
        outbox.c.purpose,
        outbox.c.template_sealed,
    )
    .join(
        conversations,
        sa.and_(
            conversations.c.tenant_id == outbox.c.tenant_id, conversations.c.id == outbox.c.conversation_id
        ),
    )
    .join(
        people,
        sa.and_(people.c.tenant_id == outbox.c.tenant_id, people.c.id == conversations.c.person_id),
    )
    .where(_SEQS)
    .order_by(outbox.c.seq)
)
_MARK = BulkUpdate(
    outbox,
    ["seq"],
    ["state", "tries", "unknown_sends", "wamid", "error", "due_at"],
    where="outbox.state = 'sending'",
)


async def rows(
    connection: AsyncConnection,
    vault: Vault,
    messages: Sequence[Outgoing],
    now: datetime,
    *,
    numbers: Sequence[int] = (),
    room: int = 0,
) -> tuple[list[Row], list[Message]]:
    """What to INSERT, under the numbers that were reserved, and what of it, `room` at most, is ours to send
    after the commit."""
    numbers = await _numbers(connection, len(messages), numbers)
    rows: list[Row] = []
    ours: list[Message] = []
    spoken_to = set()
    for seq, message in zip(numbers, messages, strict=True):
        person = message.person
        sending = person.quiet and person.conversation_id not in spoken_to and len(ours) < room
        spoken_to.add(person.conversation_id)
        rows.append(_row(vault, seq, message, now, sending=sending))
        if sending:
            ours.append(_message(seq, message, now))
    return rows, ours


async def claim(
    connection: AsyncConnection, vault: Vault, now: datetime, resting: Sequence[UUID], most: int
) -> list[Message]:
    """The due heads of the conversations, marked as sending; none of tenants that rest."""
    return await _claimed(connection, vault, _CLAIM_HEADS, {"now": now, "resting": resting, "most": most})


async def claim_of(
    connection: AsyncConnection,
    vault: Vault,
    now: datetime,
    resting: Sequence[UUID],
    chats: Collection[ChatKey],
) -> list[Message]:
    """The same of these conversations."""
    return await _claimed(connection, vault, _CLAIM_HEADS_OF, _facts_of(now, resting, chats))


async def are_due(driver: Any, now: datetime, resting: Sequence[UUID], chats: Collection[ChatKey]) -> bool:
    """Whether `claim_of` may find any."""
    return bool(await _LOOK(driver, **_facts_of(now, resting, chats)))


def _facts_of(now: datetime, resting: Sequence[UUID], chats: Collection[ChatKey]) -> dict[str, Any]:
    tenants, ids = {tenant for tenant, _ in chats}, [chat for _, chat in chats]
    return {"now": now, "resting": resting, "tenants": tenants, "chats": ids}


async def _claimed(
    connection: AsyncConnection, vault: Vault, heads: Hot, facts: dict[str, Any]
) -> list[Message]:
    found = await heads(connection, **facts)
    if not found:
        return []
    seqs = [row[0] for row in found]
    await _CLAIM(connection, seqs=seqs, lease=facts["now"] + LEASE)
    messages, unopenable = [], []
    for row in await _READ(connection, seqs=seqs):
        try:
            messages.append(_claimed_message(vault, row))
        except Unopenable:  # and costs none of the others
            log.exception("outbox.unopenable", seq=row[0])
            unopenable.append(row[0])
    if unopenable:
        await _LOST(connection, seqs=unopenable)
    return messages


def _claimed_message(vault: Vault, row: Row) -> Message:
    (*known, stopped, purpose, filling) = row
    seq, tenant, chat, sealed, *more = known
    if filling is not None:
        filling = vault.open(filling, tenant, "outbox.template", str(seq))
    body = opened(vault, tenant, seq, sealed)
    told: tuple[Any, ...] = (*more, bool(stopped), Purpose(purpose), filling)
    return Message(seq, tenant, chat, body, *told)


async def mark(driver: Any, marks: Sequence[Mark]) -> None:
    """Only what is still sending: a status may have come before the answer. In a commit of its own."""
    await _MARK.alone(driver, [mark[:-1] for mark in sorted(marks)])
    if marks:
        point("outbox.marked")


def opened(vault: Vault, tenant: UUID, seq: int, sealed: bytes) -> bytes:
    return vault.open(sealed, tenant, "outbox.body", str(seq))


async def _numbers(connection: AsyncConnection, many: int, reserved: Sequence[int]) -> list[int]:
    """Rising with every turn of a conversation, since its lock is held."""
    more = many - len(reserved)
    if more <= 0:
        return list(reserved[:many])
    if is_postgres(connection):
        return [*reserved, *(row[0] for row in await _NEXT_NUMBERS(connection, many=more))]
    found = await _LAST_NUMBER(connection)
    last = found[0][0] if found else 0
    return list(range(last + 1, last + 1 + many))


def _row(vault: Vault, seq: int, message: Outgoing, now: datetime, *, sending: bool) -> Row:
    tenant = message.person.tenant_id
    sealed = vault.seal(message.body, tenant, "outbox.body", str(seq))
    filling = message.filling
    if filling is not None:
        filling = vault.seal(filling, tenant, "outbox.template", str(seq))
    state, due_at = ("sending", now + LEASE) if sending else ("waiting", now)
    written = (seq, tenant, message.person.conversation_id, sealed, state, int(sending), due_at, now)
    return *written, message.purpose.value, message.about, filling


def _message(seq: int, message: Outgoing, now: datetime) -> Message:
    person = message.person
    return Message(
        seq,
        person.tenant_id,
        person.conversation_id,
        message.body,
        1,
        0,
        person.phone_sealed,
        person.user_id_sealed,
        now,
        person.heard_at,
        person.stopped,
        message.purpose,
        message.filling,
        message.reads,
    )
