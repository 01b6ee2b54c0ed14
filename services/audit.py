"""Audit: who did what to what. Rows are only ever added; facts are masked."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.store.schema import audit
from services.work import Work

OPERATOR = "operator"
PROVIDER = "provider"
WHATSAPP = "whatsapp"
CLOCK = "clock"


async def record(
    work: Work, actor: UUID | str, action: str, target: UUID, facts: dict[str, Any], *, alert: bool = False
) -> None:
    """`actor` is a person's id, OPERATOR, PROVIDER, WHATSAPP or CLOCK; `alert` asks that somebody look."""
    await work.connection.execute(
        sa.insert(audit).values(
            tenant_id=work.tenant,
            at=work.now,
            actor=str(actor),
            action=action,
            target=str(target),
            facts=facts,
            alert=alert,
        )
    )


async def alerted(
    work: Work, *actions: str, target: UUID | None = None, since: datetime | None = None
) -> bool:
    """Whether one of these alerts was given before: of this target, or since then."""
    query = sa.select(audit.c.seq).where(
        audit.c.tenant_id == work.tenant, audit.c.alert, audit.c.action.in_(actions)
    )
    if target is not None:
        query = query.where(audit.c.target == str(target))
    if since is not None:
        query = query.where(audit.c.at >= since)
    return (await work.connection.execute(query.limit(1))).first() is not None
