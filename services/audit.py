"""Audit: who did what to what. Rows are only ever added; facts are masked."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.store.schema import audit
from services.work import Work

PROVIDER = "provider"
CLOCK = "clock"


async def record(
    work: Work, actor: UUID | str, action: str, target: UUID, facts: dict[str, Any], *, alert: bool = False
) -> None:
    """`actor` is a person's id, "operator", PROVIDER or CLOCK; `alert` asks that somebody look."""
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
