"""Transitions: from one state to another, with the database as the referee of every race."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.work import Work


async def transition(
    work: Work, state: sa.Column[Any], row_id: UUID, before: Collection[str], values: Mapping[str, Any]
) -> bool:
    """Change the row where it is in one of the states before; False where it is not."""
    table = state.table
    statement = (
        sa.update(table)
        .where(table.c.tenant_id == work.tenant, table.c.id == row_id, state.in_(before))
        .values(**values)
        .returning(table.c.id)
    )
    return (await work.connection.execute(statement)).first() is not None
