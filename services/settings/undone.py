"""Undone: what was changed from inside, and the operator's file sets back."""

from collections.abc import Sequence

import sqlalchemy as sa

from services.people import people
from services.store.schema import changes, operations
from services.work import Work


async def warnings(work: Work, changed: Sequence[str]) -> list[str]:
    """A line for each change from inside that applying the file has just set back; each is told once."""
    mine = sa.and_(operations.c.tenant_id == changes.c.tenant_id, operations.c.id == changes.c.id)
    query = (
        sa.select(changes, operations.c.maker_id, operations.c.decided_by)
        .join(operations, mine)
        .where(changes.c.tenant_id == work.tenant, changes.c.state == "done")
        .order_by(changes.c.ended_at, changes.c.id)
    )
    rows = [row for row in await work.connection.execute(query) if set(row.keys) & set(changed)]
    names = await people.names_of(work, {person for row in rows for person in (row.maker_id, row.decided_by)})
    for row in rows:
        await work.connection.execute(
            sa.update(changes)
            .where(changes.c.tenant_id == work.tenant, changes.c.id == row.id)
            .values(state="undone")
        )
    return [
        f"{', '.join(row.keys)}: the staff changed it on {row.ended_at:%Y-%m-%d} (asked by "
        f"{names.get(row.maker_id, '')}, approved by {names.get(row.decided_by, '')}), and this file sets it "
        "back: put their change into the file to keep it"
        for row in rows
    ]
