"""The audit, as its readers page through it: the latest first."""

import sqlalchemy as sa

from bot.api.pages import PAGING, bad_cursor, limit, page
from bot.api.problems import plain
from bot.api.routes import Call, Reply, Routes
from services.people.access import VIEW_AUDIT
from services.store.schema import audit

routes = Routes()

_MOST_DIGITS = 18  # of what both databases count with


@routes.get("/audit", VIEW_AUDIT, query=PAGING)
async def entries(call: Call) -> Reply:
    ours, most = audit.c.tenant_id == call.work.tenant, limit(call)
    query = sa.select(audit).where(ours).order_by(audit.c.seq.desc()).limit(most + 1)
    cursor = call.query.get("cursor")
    if cursor is not None:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _MOST_DIGITS):
            raise bad_cursor()
        query = query.where(audit.c.seq < int(cursor))
    rows = (await call.work.connection.execute(query)).all()
    count = await call.work.connection.scalar(sa.select(sa.func.count()).select_from(audit).where(ours))
    shown = [
        {
            "seq": row.seq,
            "at": plain(row.at),
            "actor": row.actor,
            "action": row.action,
            "target": row.target,
            "facts": row.facts,
            "alert": row.alert,
        }
        for row in rows[:most]
    ]
    return page(call, count or 0, shown, str(rows[most - 1].seq) if len(rows) > most else None)
