"""Untold: what was said to a chat and waits until somebody writes there, since WhatsApp's window is closed.
It was meant for who was behind the chat then, and is told to nobody else."""

import sqlalchemy as sa

from services.store.schema import conversations, outbox
from services.work import Work


async def forget(work: Work, *which: sa.ColumnElement[bool]) -> None:
    """Of these conversations."""
    chats = sa.select(conversations.c.id).where(conversations.c.tenant_id == work.tenant, *which)
    held = outbox.c.state == sa.literal_column("'held'")
    await work.connection.execute(
        sa.update(outbox)
        .where(outbox.c.tenant_id == work.tenant, outbox.c.conversation_id.in_(chats), held)
        .values(state="failed", error="somebody else may be behind the chat")
    )
