"""Events: what operators see of what came in, and how they have it played again. Nobody's phone, no
token and no parameter of a statement is shown."""

import re
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.commands.opening import opened
from bot.log import redacted
from bot.parts import CannotRun, Parts
from bot.settings import Settings
from services import audit
from services.phones import masked
from services.store.schema import NOBODY, inbox, outbox
from services.store.scope import PLATFORM, within
from services.work import CLI, Work

HELD = "held"  # messages of ours that wait until the person writes
_DIGITS = re.compile(r"\+?\d{7,15}")
_HIDDEN = {"body_sealed", "external_id", "wamid"}
_REPLAYABLE = ("parked", "kept")
_TOPICS = {"hook": "hooks", "status": "statuses", "payment_status": "statuses"}


async def list_events(settings: Settings, state: str, limit: int) -> list[dict[str, Any]]:
    """See `listed`."""
    async with opened(settings) as parts:
        return await listed(parts, state, limit)


async def show_event(settings: Settings, seq: int) -> dict[str, Any]:
    """Raises CannotRun where there is none."""
    async with opened(settings) as parts:
        return await shown(parts, seq)


async def replay_event(settings: Settings, seq: int) -> dict[str, Any]:
    """Raises CannotRun where it cannot be played again."""
    async with opened(settings) as parts:
        return await replayed(parts, seq)


async def listed(parts: Parts, state: str, limit: int) -> list[dict[str, Any]]:
    """Those of the inbox in this state, or the messages that are held; the latest first."""
    table = outbox if state == HELD else inbox
    columns = [column for column in table.c if column.name not in _HIDDEN]
    query = sa.select(*columns).where(table.c.state == state).order_by(table.c.seq.desc()).limit(limit)
    async with parts.database.reading(PLATFORM) as connection:
        rows = (await connection.execute(query)).mappings().all()
    return [dict(row) | {"error": row["error"] and redacted(row["error"])} for row in rows]


async def shown(parts: Parts, seq: int) -> dict[str, Any]:
    """One event with its body, phones masked. Raises CannotRun."""
    async with parts.database.reading(PLATFORM) as connection:
        row = await _event(connection, seq)
    name = f"{row.kind}|{row.external_id}|{row.status}"
    body = parts.vault.open(row.body_sealed, row.tenant_id, "inbox.body", name)
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
    """It starts behind the signature check, with the body that was stored. Raises CannotRun."""
    async with parts.database.transaction(PLATFORM) as connection:
        row = await _event(connection, seq)
        if row.state not in _REPLAYABLE:
            raise CannotRun(f"Event {seq} is {row.state}; only one that is parked or kept is played again.")
        topic = _topic(row)
        again = (
            sa.update(inbox)
            .where(inbox.c.seq == seq, inbox.c.state == row.state)
            .values(state="waiting", tries=0, due_at=parts.clock(), error=None)
        )
        if (await connection.execute(again)).rowcount == 0:
            raise CannotRun(f"Event {seq} has just been taken by somebody else.")
        work = Work(connection, parts.vault, row.tenant_id, parts.clock(), CLI)
        async with within(connection, row.tenant_id):
            await audit.record(work, audit.OPERATOR, "event.replayed", UUID(int=seq), {"kind": row.kind})
    parts.bell.ring(topic)
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
