"""Restored: whatever a restored database would send is laid before people, who say what became of it."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.commands.opening import opened, wake
from bot.parts import CannotRun, Parts
from bot.settings import Settings
from services.people import people
from services.reasons import Frozen
from services.refunds import sending as refunds
from services.review.record import OPEN
from services.store.schema import payouts, refund_attempts, tenants
from services.store.scope import PLATFORM
from services.withdrawals import sending
from services.withdrawals.freeze import freeze_restored
from services.work import CLI, Work

_KINDS = {"payouts": (payouts, sending.begin_payout), "refunds": (refund_attempts, refunds.begin)}


async def restored(settings: Settings) -> dict[str, Any]:
    """Of every tenant; once more does no harm."""
    async with opened(settings) as parts:
        async with parts.database.reading(PLATFORM) as connection:
            listed = (await connection.execute(sa.select(tenants.c.id, tenants.c.slug))).all()
        told = [{"slug": slug} | await _of(parts, tenant_id) for tenant_id, slug in sorted(listed, key=_slug)]
        wake(parts)
    return {"tenants": told}


def _slug(row: Any) -> str:
    return str(row.slug)


async def _of(parts: Parts, tenant_id: UUID) -> dict[str, int]:
    """How many payouts and refunds wait for people from now on."""
    async with parts.database.transaction(tenant_id) as connection:
        await freeze_restored(_work(parts, connection, tenant_id))
    for table, begin in _KINDS.values():
        async with parts.database.transaction(tenant_id) as connection:
            query = sa.select(table.c.id).where(table.c.tenant_id == tenant_id, table.c.state == "created")
            created = (await connection.scalars(query.order_by(table.c.created_at, table.c.id))).all()
        for each in created:
            async with parts.database.transaction(tenant_id) as connection:
                await begin(_work(parts, connection, tenant_id), each, parts.settings.public_url)
    return await _unsettled(parts, tenant_id)


async def refuse_unsettled(parts: Parts, slug: str, tenant_id: UUID) -> None:
    """Payouts of a restored database go on once people have said what became of each. Raises CannotRun."""
    async with parts.database.transaction(tenant_id) as connection:
        tenant = await people.tenant_of(_work(parts, connection, tenant_id))
    if tenant.frozen_because != Frozen.RESTORED:
        return
    left = {kind: count for kind, count in (await _unsettled(parts, tenant_id)).items() if count}
    if left:
        counted = " and ".join(f"{count} {kind}" for kind, count in left.items())
        raise CannotRun(
            f"Of {slug} nobody has said yet what became of {counted} since the backup was made: two people "
            "say it by the word review."
        )


async def _unsettled(parts: Parts, tenant_id: UUID) -> dict[str, int]:
    counts = {}
    async with parts.database.transaction(tenant_id) as connection:
        for kind, (table, _) in _KINDS.items():
            undecided = sa.and_(table.c.state.in_(OPEN), table.c.undecided_at.is_not(None))
            waits = sa.or_(table.c.state == "created", undecided)
            query = sa.select(sa.func.count()).where(table.c.tenant_id == tenant_id, waits)
            counts[kind] = await connection.scalar(query) or 0
    return counts


def _work(parts: Parts, connection: Any, tenant_id: UUID) -> Work:
    return Work(connection, parts.vault, tenant_id, parts.clock(), CLI)
