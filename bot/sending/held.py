"""Held: messages that wait until their person writes, since WhatsApp's window is closed and no template
passes. Operators are told why: in the log, by an alert of the audit (hourly at most), and by the doctor."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.sending.message import Message
from services import audit
from services.people.window import OPEN_FOR
from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import conversations, outbox, tenants
from services.store.scope import PLATFORM
from services.work import Via, Work

log = structlog.get_logger()

OVERTAKEN = "overtaken by later news"
_ALERT = "messages.held"
_AT_MOST_EVERY = timedelta(hours=1)
_later = outbox.alias("later")
_HELD = outbox.c.state == sa.literal_column("'held'")
# Later news of the same thing say what is so now.
_OVERTAKEN = sa.exists().where(
    _later.c.conversation_id == outbox.c.conversation_id,
    _later.c.about == outbox.c.about,
    _later.c.about.is_not(None),
    _later.c.seq > outbox.c.seq,
)


def is_dead() -> tuple[sa.ColumnElement[bool], ...]:
    """A message of which the person has nothing: neither it, nor later news of the same."""
    return outbox.c.state == "failed", sa.func.coalesce(outbox.c.error, "") != OVERTAKEN


async def reopen(database: Database, now: datetime) -> bool:
    """What was held goes out once the person has written again, but for what is overtaken. False where
    nothing was held for one who has."""
    spoke = _spoke(now)
    async with database.reading(PLATFORM) as connection:
        found = await connection.scalar(sa.select(outbox.c.seq).where(_HELD, spoke).limit(1))
    if found is None:
        return False
    async with database.transaction(PLATFORM) as connection:
        over = {"state": "failed", "error": OVERTAKEN}
        await connection.execute(sa.update(outbox).where(_HELD, spoke, _OVERTAKEN).values(over))
        again = {"state": "waiting", "due_at": now}
        await connection.execute(sa.update(outbox).where(_HELD, spoke).values(again))
    return True


def _spoke(now: datetime) -> sa.ColumnElement[bool]:
    """Whether the window is open: when they wrote, and not when we heard of it, decides."""
    return sa.exists().where(
        conversations.c.tenant_id == outbox.c.tenant_id,
        conversations.c.id == outbox.c.conversation_id,
        conversations.c.heard_at > now - OPEN_FOR,
    )


async def shut(connection: AsyncConnection, tenant: UUID, chat: UUID, known: datetime, now: datetime) -> None:
    """Meta says that the window is closed: the person was heard a day ago or earlier. Unless they have
    written since `known`."""
    await connection.execute(
        sa.update(conversations)
        .where(
            conversations.c.tenant_id == tenant,
            conversations.c.id == chat,
            conversations.c.heard_at <= known,
            conversations.c.heard_at > now - OPEN_FOR,
        )
        .values(heard_at=now - OPEN_FOR)
    )


async def tell_operators(database: Database, vault: Vault, message: Message, why: str, now: datetime) -> None:
    purpose = message.purpose.value
    log.warning("delivery.held", seq=message.seq, purpose=purpose, why=why)
    async with database.transaction(message.tenant_id) as connection:
        work = Work(connection, vault, message.tenant_id, now, Via("chat", str(message.conversation_id)))
        # One at a time, else two that are held at once would both be told of.
        mine = sa.select(tenants.c.id).where(tenants.c.id == message.tenant_id)
        await connection.execute(mine.with_for_update(key_share=True))
        if not await audit.alerted(work, _ALERT, since=now - _AT_MOST_EVERY):
            facts = {"purpose": purpose, "because": why}
            await audit.record(work, audit.WHATSAPP, _ALERT, message.conversation_id, facts, alert=True)
