"""Events: what operators see of what came in, and how they have it played again. Nobody's phone, no
token and no parameter of a statement is shown."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.commands.opening import known_tenant, opened
from bot.log import redacted
from bot.parts import CannotRun, Parts
from bot.sending.held import is_dead
from bot.settings import Settings
from services import audit
from services.phones import masked
from services.privacy.sweep import STRUCK
from services.store.schema import NOBODY, inbox, outbox
from services.store.scope import PLATFORM, within
from services.work import CLI, Work

HELD, DEAD = "held", "dead"  # messages of ours that wait until the person writes, and that did not arrive
_DIGITS = re.compile(r"\+?\d{7,15}")
_HIDDEN = {"body_sealed", "external_id", "wamid"}
_TOPICS = {"hook": "hooks", "status": "statuses", "payment_status": "statuses"}


@dataclass(frozen=True)
class Wanted:
    """Which are listed; `kind`: of messages their purpose."""

    state: str = "parked"
    limit: int = 50
    slug: str | None = None
    kind: str | None = None
    since: datetime | None = None
    reason: str | None = None


async def list_events(settings: Settings, wanted: Wanted) -> list[dict[str, Any]]:
    """See `listed`."""
    async with opened(settings) as parts:
        return await listed(parts, wanted)


async def show_event(settings: Settings, seq: int) -> dict[str, Any]:
    """Raises CannotRun where there is none."""
    async with opened(settings) as parts:
        return await shown(parts, seq)


async def replay_event(settings: Settings, seq: int) -> dict[str, Any]:
    """Raises CannotRun where it cannot be played again."""
    async with opened(settings) as parts:
        return await replayed(parts, seq)


async def resend_message(settings: Settings, seq: int) -> dict[str, Any]:
    """Raises CannotRun where there is none that did not arrive."""
    async with opened(settings) as parts:
        return await resent(parts, seq)


async def listed(parts: Parts, wanted: Wanted) -> list[dict[str, Any]]:
    """Those of the inbox in this state, or the messages that are held or dead; the latest first. Raises
    CannotRun where no tenant is called so."""
    table = outbox if wanted.state in (HELD, DEAD) else inbox
    columns = [column for column in table.c if column.name not in _HIDDEN]
    query = sa.select(*columns).order_by(table.c.seq.desc()).limit(wanted.limit)
    async with parts.database.reading(PLATFORM) as connection:
        which = await _which(connection, table, wanted)
        rows = (await connection.execute(query.where(*which))).mappings().all()
    return [dict(row) | {"error": row["error"] and redacted(row["error"])} for row in rows]


async def _which(
    connection: AsyncConnection, table: sa.Table, wanted: Wanted
) -> list[sa.ColumnElement[bool]]:
    which = list(is_dead()) if wanted.state == DEAD else [table.c.state == wanted.state]
    if wanted.slug is not None:
        which.append(table.c.tenant_id == await known_tenant(connection, wanted.slug))
    if wanted.kind is not None:
        which.append((table.c.kind if table is inbox else table.c.purpose) == wanted.kind)
    if wanted.since is not None:
        at = wanted.since if wanted.since.tzinfo else wanted.since.replace(tzinfo=UTC)
        which.append((table.c.received_at if table is inbox else table.c.created_at) >= at)
    if wanted.reason is not None:
        which.append(table.c.error.icontains(wanted.reason, autoescape=True))
    return which


async def shown(parts: Parts, seq: int) -> dict[str, Any]:
    """One event with its body, phones masked. Raises CannotRun."""
    async with parts.database.reading(PLATFORM) as connection:
        row = await _event(connection, seq)
    name = f"{row.kind}|{row.external_id}|{row.status}"
    struck = row.body_sealed == STRUCK  # it has grown old, or its person was erased
    body = b"" if struck else parts.vault.open(row.body_sealed, row.tenant_id, "inbox.body", name)
    return {
        "seq": row.seq,
        "tenant_id": row.tenant_id,
        "kind": row.kind,
        "state": row.state,
        "tries": row.tries,
        "received_at": row.received_at,
        "error": row.error and redacted(row.error),
        "body": _DIGITS.sub(lambda found: masked(found[0]), redacted(body.decode("utf-8", "replace"))),
    }


async def replayed(parts: Parts, seq: int) -> dict[str, Any]:
    """It starts behind the signature check, with the body that was stored. A provider's word or a status that
    was done may come once more, since it could have come twice; what a person wrote may not.

    Raises CannotRun."""
    async with parts.database.transaction(PLATFORM) as connection:
        row = await _event(connection, seq)
        if row.state == "waiting":
            raise CannotRun(f"Event {seq} is waiting: it is played without being asked to.")
        if row.body_sealed == STRUCK:
            raise CannotRun(f"Event {seq} is too old: what it said is forgotten.")
        topic = _topic(row)
        if row.state == "done" and topic == "turns":
            raise CannotRun(
                f"Event {seq} is done, and would ask for the same once more: the person may do so."
            )
        again = (
            sa.update(inbox)
            .where(inbox.c.seq == seq, inbox.c.state == row.state)
            .values(state="waiting", tries=0, due_at=parts.clock(), error=None)
        )
        if (await connection.execute(again)).rowcount == 0:
            raise CannotRun(f"Event {seq} has just been taken by somebody else.")
        work = Work(connection, parts.vault, row.tenant_id, parts.clock(), CLI)
        async with within(connection, row.tenant_id):
            await audit.record(
                work, audit.OPERATOR, "event.replayed", UUID(int=seq), {"kind": row.kind, "was": row.state}
            )
    parts.bell.ring(topic)
    return {"seq": seq, "state": "waiting"}


async def resent(parts: Parts, seq: int) -> dict[str, Any]:
    """A message that did not arrive goes once more, where it still may: their wishes and 24 hours are looked
    at as it is sent. Raises CannotRun."""
    async with parts.database.transaction(PLATFORM) as connection:
        row = (await connection.execute(sa.select(outbox).where(outbox.c.seq == seq))).first()
        if row is None:
            raise CannotRun(f"There is no message {seq}: python main.py events list --state dead has them.")
        again = (
            sa.update(outbox)
            .where(outbox.c.seq == seq, *is_dead(), outbox.c.body_sealed != STRUCK)
            .values(state="waiting", tries=0, unknown_sends=0, due_at=parts.clock(), error=None, wamid=None)
        )
        if (await connection.execute(again)).rowcount == 0:
            raise CannotRun(f"Message {seq} is {row.state}: only one that did not arrive is sent again.")
        work = Work(connection, parts.vault, row.tenant_id, parts.clock(), CLI)
        async with within(connection, row.tenant_id):
            facts = {"purpose": row.purpose, "why": redacted(row.error or "")}
            await audit.record(work, audit.OPERATOR, "message.resent", UUID(int=seq), facts)
    parts.bell.ring("outbox")
    return {"seq": seq, "state": "waiting"}


def _topic(row: Any) -> str:
    """Who waits for such an event. What nobody waits for would be lost by waiting."""
    if row.conversation_id is not None:
        return "turns"
    if row.tenant_id != NOBODY and row.kind in _TOPICS:
        return _TOPICS[row.kind]
    raise CannotRun(f"Event {row.seq} stays {row.state}: {_why_nobody_plays(row)}.")


def _why_nobody_plays(row: Any) -> str:
    if row.tenant_id == NOBODY:
        return "it came to a number that was no tenant's then, and does not tell which"
    if row.kind == "message":
        return "it names no sender who could be answered"
    return f"nothing is done about events of the kind {row.kind}"


async def _event(connection: Any, seq: int) -> Any:
    row = (await connection.execute(sa.select(inbox).where(inbox.c.seq == seq))).first()
    if row is None:
        raise CannotRun(f"There is no event {seq}.")
    return row
