"""Costs: what a provider charges for what it moves. The platform's, and apart from what tenants pay.

Operators tell the bands (`services/costs/file.py`). When a payment, a payout or a refund succeeds its cost is
posted with it, from `costs:PROVIDER` to what the provider holds; where the provider's statement has another
one, `told` posts the difference. The wallet is never touched.
"""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa

from services import audit, ledger
from services.ledger import Transfer, account_id, costs_account, provider_account
from services.money import Money
from services.store.schema import costs, transfers
from services.work import Work

COLLECTION, REVERSAL = "collection", "reversal"  # rails beside the ways out
COST, MORE, LESS = "cost", "cost_more", "cost_less"  # reasons of transfers

_ALWAYS = datetime(1, 1, 1, tzinfo=UTC)


async def expected(
    work: Work, provider: str, rail: str, amount: Money, at: datetime | None = None
) -> Money | None:
    """What the provider charges for moving this amount (what it sees: the net of a payout) by this rail;
    None where no band tells. A band for the tenant alone goes before those for all, a newer one before an
    older one. `at`: when it moved, else now."""
    at = at or work.now
    query = sa.select(costs).where(
        costs.c.provider == provider,
        costs.c.rail == rail,
        costs.c.currency == amount.currency,
        costs.c.from_amount <= amount.minor,
        sa.or_(costs.c.to_amount.is_(None), costs.c.to_amount >= amount.minor),
        sa.or_(costs.c.valid_from.is_(None), costs.c.valid_from <= at),
        sa.or_(costs.c.valid_until.is_(None), costs.c.valid_until > at),
        sa.or_(costs.c.only_for.is_(None), costs.c.only_for == work.tenant),
    )
    bands = (await work.connection.execute(query)).all()
    if not bands:
        return None
    band = max(bands, key=lambda band: (band.only_for is not None, band.valid_from or _ALWAYS))
    return Money(band.flat, amount.currency) + amount.share(band.ppm)


async def moves(work: Work, provider: str, rail: str, amount: Money) -> list[Transfer]:
    """What is posted beside the amount itself, under the same cause; empty where it costs nothing that we
    know of."""
    cost = await expected(work, provider, rail, amount)
    return [Transfer(costs_account(provider), provider_account(provider), cost, COST)] if cost else []


async def booked(work: Work, cause_id: UUID, provider: str, currency: str) -> Money:
    """What is posted as the cost of an item: of an attempt, a withdrawal or a refund."""
    account = account_id(work.tenant, costs_account(provider), currency)
    spent = sa.case((transfers.c.source_id == account, transfers.c.amount), else_=-transfers.c.amount)
    query = sa.select(sa.func.coalesce(sa.func.sum(spent), 0)).where(
        transfers.c.tenant_id == work.tenant,
        transfers.c.cause_id == cause_id,
        sa.or_(transfers.c.source_id == account, transfers.c.target_id == account),
    )
    return Money(int(await work.connection.scalar(query) or 0), currency)


async def told(work: Work, cause_id: UUID, provider: str, cost: Money) -> bool:
    """The provider's own statement has this cost for the item: what is posted is put right. Whether
    anything was posted; each item is put right once in each direction, and a third word moves nothing.
    """
    less = await booked(work, cause_id, provider, cost.currency) - cost
    if not less:
        return False
    ours, theirs = costs_account(provider), provider_account(provider)
    move = Transfer(ours, theirs, -less, MORE) if less.minor < 0 else Transfer(theirs, ours, less, LESS)
    if not await ledger.post(work, cause_id, [move]):
        return False
    before, after = {"cost": str(cost + less)}, {"cost": str(cost)}
    facts = {"provider": provider, "currency": cost.currency}
    action = "costs.put_right"
    await audit.record(work, audit.PROVIDER, action, cause_id, facts, before=before, after=after)
    return True
