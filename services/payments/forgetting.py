"""Forgetting: a saved method that was removed is kept for nothing but to have its provider forget it."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, jobs
from services.ids import new_id
from services.payments.details import token_of, without_mark
from services.points import point
from services.providers.base import Misconfigured, NotSent
from services.rails import charges
from services.store.schema import saved_methods
from services.work import Work

_COLUMN = "saved_methods.details"
_LADDER = (timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))


@dataclass(frozen=True)
class Gone:
    """To be charged no more."""

    provider: str
    details: dict[str, str] = field(repr=False)


async def remove(work: Work, *which: sa.ColumnElement[bool]) -> int:
    """How many of the tenant's these were. Of what is charged, the provider is told before it is gone."""
    mine = (saved_methods.c.tenant_id == work.tenant, saved_methods.c.removed_at.is_(None), *which)
    rows = (await work.connection.execute(sa.select(saved_methods).where(*mine))).all()
    for row in rows:
        one = saved_methods.c.tenant_id == work.tenant, saved_methods.c.id == row.id
        if charges(row.provider):
            gone = (
                sa.update(saved_methods).where(*one).values(is_default=False, **_to_forget(work, row, row.id))
            )
            await work.connection.execute(gone)
            await jobs.schedule(work, "forget", row.id, work.now)
            point("card.removed")
        else:
            await work.connection.execute(sa.delete(saved_methods).where(*one))
    return len(rows)


async def replaced(work: Work, row: sa.Row[Any]) -> None:
    """A saved method has got another token, of the same card: the provider forgets this one. `row`: as it was
    until now."""
    method_id = new_id()
    facts = {name: getattr(row, name) for name in ("tenant_id", "person_id", "provider", "label", "saved_at")}
    new = sa.insert(saved_methods).values(
        id=method_id, is_default=False, **facts, **_to_forget(work, row, method_id)
    )
    await work.connection.execute(new)
    await jobs.schedule(work, "forget", method_id, work.now)


def _to_forget(work: Work, row: sa.Row[Any], method_id: UUID) -> dict[str, Any]:
    """What stays of it: its token, by which it is known from now on, so that the card may be saved anew."""
    kept = without_mark(row.provider, work.open(row.details_sealed, _COLUMN, row.id))
    return {
        "removed_at": work.now,
        "details_sealed": work.seal(kept, _COLUMN, method_id),
        "details_index": work.index(token_of(row.provider, kept), _COLUMN),
    }


async def begin(work: Work, method_id: UUID) -> Gone | None:
    """None where it was forgotten, or has been saved again since."""
    query = sa.select(saved_methods).where(*_removed(work, method_id))
    row = (await work.connection.execute(query)).first()
    if row is None:
        await jobs.finish(work, method_id, "forget")
        return None
    return Gone(row.provider, work.open(row.details_sealed, _COLUMN, row.id))


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
