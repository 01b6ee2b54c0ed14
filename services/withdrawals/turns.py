"""Turns: where a provider takes no id of ours, one payout of a tenant is under way at a time.

Nothing else guards against paying twice there, and one whose answer is lost can be asked about by no name.
So as long as it is not known what became of one (sent, accepted or *unknown*), the next one waits; it is
never sent a second time. The database is the referee: a unique index over those that are under way.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from services.dispatch import PAYOUT
from services.store.schema import UNDER_WAY, payouts, withdrawals
from services.withdrawals.attempt import Sending
from services.work import Work


async def take(work: Work, one: Sending) -> bool:
    """From now on it is being sent. False where another one is, whose turn it is."""
    begun = {"state": "submitting", "detail": None, "held": None}
    if one.row.turn is None:
        return await PAYOUT.move(work, one.row.id, "created", **begun)
    if await _taken(work, one.row.turn):
        return False
    try:
        async with work.connection.begin_nested():
            return await PAYOUT.move(work, one.row.id, "created", **begun)
    except IntegrityError:  # of two at the same moment one was quicker
        return False


async def _taken(work: Work, turn: str) -> bool:
    query = sa.select(payouts.c.id).where(
        payouts.c.tenant_id == work.tenant, payouts.c.turn == turn, UNDER_WAY
    )
    return (await work.connection.execute(query.limit(1))).first() is not None


async def went_before(work: Work, one: Sending) -> datetime | None:
    """When a line of the same file was paid last: who approved them knew that they go one by one."""
    if one.row.turn is None or one.withdrawal.batch_id is None:
        return None
    of_it = sa.and_(
        withdrawals.c.tenant_id == payouts.c.tenant_id, withdrawals.c.id == payouts.c.withdrawal_id
    )
    query = (
        sa.select(payouts.c.resolved_at)
        .join(withdrawals, of_it)
        .where(
            payouts.c.tenant_id == work.tenant,
            payouts.c.turn == one.row.turn,
            payouts.c.state == "succeeded",
            withdrawals.c.tenant_id == work.tenant,
            withdrawals.c.batch_id == one.withdrawal.batch_id,
        )
        .order_by(payouts.c.resolved_at.desc())
        .limit(1)
    )
    found: datetime | None = await work.connection.scalar(query)
    return found
