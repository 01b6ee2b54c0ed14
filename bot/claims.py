"""Claims: the statements by which a worker takes a batch of turns and writes what they left."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.store.database import padded
from services.store.schema import conversations, inbox, outbox

BATCH = 64


@dataclass(frozen=True)
class Waiting:
    """An event that waits for its turn."""

    seq: int
    tenant_id: UUID
    conversation_id: UUID
    kind: str
    row: str
    tries: int
    due_at: datetime
    body_sealed: bytes


@dataclass
class Written:
    """What a batch of turns will write."""

    places: list[dict[str, object]] = field(default_factory=list)
    messages: list[dict[str, object]] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    later: list[dict[str, object]] = field(default_factory=list)
    untried: list[int] = field(default_factory=list)  # counted as tried, and not played after all


async def lock(
    connection: AsyncConnection, ids: Sequence[tuple[UUID, UUID]], *, wait: bool = False
) -> list[tuple[UUID, UUID]]:
    """The conversations of these that nobody else is playing; all of them, in time, with `wait`.
    A foreign key's share lock on them must not wait for a turn, hence NO KEY."""
    if connection.dialect.name != "postgresql":  # whoever writes is alone
        return list(ids)
    table = conversations.c
    query = (
        sa.select(table.tenant_id, table.id)
        .where(
            table.tenant_id.in_(padded({tenant for tenant, _ in ids})),
            table.id.in_(padded([chat for _, chat in ids])),
        )
        .limit(BATCH)
        .with_for_update(skip_locked=not wait, key_share=True)
    )
    return [(row[0], row[1]) for row in await connection.execute(query)]


async def read_waiting(connection: AsyncConnection, chats: Sequence[tuple[UUID, UUID]]) -> list[Waiting]:
    """Read after the lock, in a statement of its own: what another worker has just done is done."""
    if not chats:
        return []
    table = inbox.c
    query = (
        sa.select(
            table.seq,
            table.tenant_id,
            table.conversation_id,
            table.kind,
            table.external_id,
            table.status,
            table.tries,
            table.due_at,
            table.body_sealed,
        )
        .where(table.state == "waiting", table.conversation_id.in_(padded([chat for _, chat in chats])))
        .order_by(table.received_at, table.seq)
        .limit(4 * BATCH)
    )
    return [
        Waiting(row[0], row[1], row[2], row[3], f"{row[3]}|{row[4]}|{row[5]}", row[6], row[7], row[8])
        for row in await connection.execute(query)
    ]


async def count_tries(connection: AsyncConnection, waiting: Sequence[Waiting]) -> None:
    if waiting:
        await connection.execute(
            sa.update(inbox)
            .where(inbox.c.seq.in_(padded([event.seq for event in waiting])))
            .values(tries=inbox.c.tries + 1)
        )


async def write(connection: AsyncConnection, written: Written) -> None:
    if written.places:
        # The last place of each conversation is the one that counts.
        last = {place["b_id"]: place for place in written.places}
        await connection.execute(
            sa.update(conversations)
            .where(
                conversations.c.tenant_id == sa.bindparam("b_tenant"),
                conversations.c.id == sa.bindparam("b_id"),
            )
            .values(place_sealed=sa.bindparam("place_sealed"), heard_at=sa.bindparam("heard_at")),
            list(last.values()),
        )
    if written.messages:
        await connection.execute(sa.insert(outbox), written.messages)
    if written.done:
        await connection.execute(
            sa.update(inbox).where(inbox.c.seq.in_(padded(written.done))).values(state="done")
        )
    if written.later:
        await connection.execute(
            sa.update(inbox)
            .where(inbox.c.seq == sa.bindparam("b_seq"))
            .values(state=sa.bindparam("state"), due_at=sa.bindparam("due_at"), error=sa.bindparam("error")),
            written.later,
        )
    if written.untried:
        await connection.execute(
            sa.update(inbox).where(inbox.c.seq.in_(padded(written.untried))).values(tries=inbox.c.tries - 1)
        )
