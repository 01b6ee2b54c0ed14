"""The audit, as its readers page through it: the latest first."""

from typing import Any

import sqlalchemy as sa

from bot.api.answers import Answer, Page, Time
from bot.api.pages import bad_cursor, page
from bot.api.queries import PAGING, limit
from bot.api.routes import Call, Reply, Routes
from services.people.access import VIEW_AUDIT
from services.store.schema import audit, audit_heads

routes = Routes("Audit")

_MOST_DIGITS = 18  # of what both databases count with


class AuditEntry(Answer):
    """`hash` binds all that it says, its position and the hash of the entry before, `previous`."""

    position: int
    at: Time
    actor: str
    channel: str
    via: str | None
    action: str
    target: str
    facts: dict[str, Any]
    before: Any
    after: Any
    alert: bool
    previous: str
    hash: str


@routes.get("/audit", VIEW_AUDIT, query=PAGING, answer=Page[AuditEntry])
async def entries(call: Call) -> Reply[Page[AuditEntry]]:
    """Entries of the chain, the latest first."""
    ours, most = audit.c.tenant_id == call.work.tenant, limit(call.query)
    query = sa.select(audit).where(ours).order_by(audit.c.seq.desc()).limit(most + 1)
    cursor = call.query.get("cursor")
    if cursor is not None:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _MOST_DIGITS):
            raise bad_cursor()
        query = query.where(audit.c.seq < int(cursor))
    rows = (await call.work.connection.execute(query)).all()
    length = sa.select(audit_heads.c.seq).where(audit_heads.c.tenant_id == call.work.tenant)
    count = await call.work.connection.scalar(length)
    shown = [
        AuditEntry(
            position=row.seq,
            at=row.at,
            actor=row.actor,
            channel=row.channel,
            via=row.via,
            action=row.action,
            target=row.target,
            facts=row.facts,
            before=row.before,
            after=row.after,
            alert=row.alert,
            previous=row.previous.hex(),
            hash=row.hash.hex(),
        )
        for row in rows[:most]
    ]
    return page(call, count or 0, shown, str(rows[most - 1].seq) if len(rows) > most else None)
