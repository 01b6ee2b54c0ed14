"""Freeze: a tenant's payouts stop until an operator has looked, and go on then."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox, jobs
from services.news import Frozen, PayoutsResumed, PayoutsStopped, WithdrawalHeldBack
from services.people import people
from services.people.access import APPROVE
from services.store.schema import tenants
from services.withdrawals.record import shown, tell
from services.withdrawals.sending import Sending, alert, move, sending
from services.work import Work

# How often a payout that waits looks whether payouts go on; unfreezing makes it due at once.
FROZEN_WAIT = timedelta(minutes=10)
_HELD_BACK = "held back: payouts are stopped"


async def freeze(work: Work, one: Sending, because: Frozen, detail: str) -> None:
    """Those who reconcile are told once. A contradiction is graver than any other cause, and replaces it."""
    news = ~tenants.c.payouts_frozen
    if because == Frozen.CONTRADICTION:
        news |= tenants.c.frozen_because != because
    stop = (
        sa.update(tenants)
        .where(tenants.c.id == work.tenant, news)
        .values(payouts_frozen=True, frozen_because=because, version=tenants.c.version + 1)
        .returning(tenants.c.id)
    )
    stopped = (await work.connection.execute(stop)).first() is not None
    await alert(work, one, "payouts.frozen", because=because, detail=detail)
    if stopped:
        await inbox.tell_people(
            work,
            await people.reconcilers(work),
            PayoutsStopped(because=because, provider=one.payout.provider),
        )


async def unfreeze(work: Work, by: str) -> bool:
    """What waits is due now. False where the payouts were not stopped."""
    go_on = (
        sa.update(tenants)
        .where(tenants.c.id == work.tenant, tenants.c.payouts_frozen)
        .values(payouts_frozen=False, frozen_because=None, version=tenants.c.version + 1)
        .returning(tenants.c.id)
    )
    if (await work.connection.execute(go_on)).first() is None:
        return False
    await jobs.hasten(work, "payout", "payout_check", "refund")
    await audit.record(work, by, "payouts.unfrozen", work.tenant, {})
    await inbox.tell_people(work, await people.reconcilers(work), PayoutsResumed())
    return True


async def hold_back(work: Work, payout_id: UUID, until: datetime | None = None) -> None:
    """It looks again later, or when the hours end at which nothing may leave; the maker and the approvers
    are told the first time."""
    await jobs.schedule(work, "payout", payout_id, until or work.now + FROZEN_WAIT)
    one = await sending(work, payout_id)
    if one.payout.detail == _HELD_BACK or not await move(work, payout_id, "created", detail=_HELD_BACK):
        return
    news = WithdrawalHeldBack(withdrawal=await shown(work, one.withdrawal.id), until=until)
    await tell(work, {one.withdrawal.maker_id} | await people.with_scope(work, APPROVE), None, news)
