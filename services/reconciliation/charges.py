"""Charges: where a provider's statement has other charges than were posted, theirs are posted. What differs
is found by comparing the books with the statement, which sees that it fits then.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import costs
from services.money import Money
from services.reconciliation.facts import State, Type
from services.store.schema import breaks, payouts, refund_attempts
from services.work import Work


async def take_theirs(work: Work) -> list[dict[str, Any]]:
    """Of one tenant: each charge that was put right, and those that cannot be, since they were before."""
    query = sa.select(breaks).where(
        breaks.c.tenant_id == work.tenant,
        breaks.c.type == Type.FEE_DIFFERS,
        breaks.c.state == State.OPEN,
        breaks.c.item_id.is_not(None),
        breaks.c.theirs.is_not(None),
    )
    told = []
    for row in (await work.connection.execute(query.order_by(breaks.c.at, breaks.c.id))).all():
        theirs = Money(row.theirs, row.theirs_currency)
        posted = await costs.told(work, await _cause(work, row.item_id), row.provider, theirs)
        told.append(
            {
                "provider": row.provider,
                "item": row.label,
                "receipt": row.receipt,
                "cost": str(theirs),
                "currency": theirs.currency,
                "posted": posted,
            }
        )
    return told


async def _cause(work: Work, item: UUID) -> UUID:
    """What the ledger knows it by: of a payout its withdrawal, or itself where it was
    paid after all; of a refund's attempt the refund."""
    for table, column in (
        (payouts, sa.case((payouts.c.left_at.is_not(None), payouts.c.id), else_=payouts.c.withdrawal_id)),
        (refund_attempts, refund_attempts.c.refund_id),
    ):
        query = sa.select(column).where(table.c.tenant_id == work.tenant, table.c.id == item)
        found: UUID | None = await work.connection.scalar(query)
        if found is not None:
            return found
    return item
