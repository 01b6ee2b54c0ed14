"""Forgetting: a saved method that was removed is kept for nothing but to have its provider forget it."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from services import audit, jobs
from services.points import point
from services.providers.base import Misconfigured, NotSent
from services.rails import charges
from services.store.schema import saved_methods
from services.work import Work

_LADDER = (timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))


@dataclass(frozen=True)
class Gone:
    """To be charged no more."""

    provider: str
    details: dict[str, str] = field(repr=False)


async def remove(work: Work, *which: sa.ColumnElement[bool]) -> int:
    """How many of the tenant's these were. Of what is charged, the provider is told before it is gone."""
    mine = (saved_methods.c.tenant_id == work.tenant, saved_methods.c.removed_at.is_(None), *which)
    query = sa.select(saved_methods.c.id, saved_methods.c.provider).where(*mine)
    rows = (await work.connection.execute(query)).all()
    for row in rows:
        one = saved_methods.c.tenant_id == work.tenant, saved_methods.c.id == row.id
        if charges(row.provider):
            gone = sa.update(saved_methods).where(*one).values(removed_at=work.now, is_default=False)
            await work.connection.execute(gone)
            await jobs.schedule(work, "forget", row.id, work.now)
            point("card.removed")
        else:
            await work.connection.execute(sa.delete(saved_methods).where(*one))
    return len(rows)


async def begin(work: Work, method_id: UUID) -> Gone | None:
    """None where it was forgotten, or has been saved again since."""
    query = sa.select(saved_methods).where(*_removed(work, method_id))
    row = (await work.connection.execute(query)).first()
    if row is None:
        await jobs.finish(work, method_id, "forget")
        return None
    return Gone(row.provider, work.open(row.details_sealed, "saved_methods.details", row.id))


async def forgotten(work: Work, method_id: UUID, left: NotSent | Misconfigured | None) -> None:
    """Where the provider did not, it is asked again for a while; then somebody should look."""
    if left is not None and await jobs.again(work, "forget", method_id, _LADDER):
        return
    if left is None:
        await audit.record(work, audit.PROVIDER, "method.forgotten", method_id, {})
    else:
        facts = {"detail": left.detail}
        await audit.record(work, audit.PROVIDER, "method.not_forgotten", method_id, facts, alert=True)
    await jobs.finish(work, method_id, "forget")
    await work.connection.execute(sa.delete(saved_methods).where(*_removed(work, method_id)))
    point("card.forgotten")


def _removed(work: Work, method_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        saved_methods.c.tenant_id == work.tenant,
        saved_methods.c.id == method_id,
        saved_methods.c.removed_at.is_not(None),
    )
