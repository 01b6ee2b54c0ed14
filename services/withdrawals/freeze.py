"""Freeze: a tenant's payouts stop until an operator has looked, and go on then."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox, jobs
from services.dispatch import PAYOUT
from services.news import Frozen, Held, PayoutsResumed, PayoutsStopped, WithdrawalHeldBack
from services.people import people
from services.people.access import APPROVE
from services.store.schema import tenants
from services.withdrawals.record import shown, tell
from services.withdrawals.sending import Sending, alert, sending
from services.work import Work

# How often a payout that waits looks whether payouts go on; unfreezing makes it due at once.
FROZEN_WAIT = timedelta(minutes=10)
_WAITS = {Held.TURN: timedelta(minutes=1)}  # who was before wakes it, but for one that ended at that moment
# What each cause is graver than.
_GRAVER: dict[Frozen, tuple[Frozen, ...]] = {
    Frozen.CONTRADICTION: (Frozen.SETTINGS, Frozen.FUNDS),
    Frozen.BOOKS: (Frozen.SETTINGS, Frozen.FUNDS, Frozen.CONTRADICTION),
}


async def freeze(work: Work, one: Sending, because: Frozen, detail: str) -> None:
    """For what was said of a payout; put into the record each time."""
    stopped = await _stop(work, because)
    await alert(work, one, "payouts.frozen", because=because, detail=detail)
    if stopped:
        await _tell_stopped(work, because, one.payout.provider)


async def stop(work: Work, because: Frozen) -> bool:
    """For what is wrong with the tenant as a whole. False where they are stopped already, for this or for
    something graver."""
    stopped = await _stop(work, because)
    if stopped:
        await audit.record(work, audit.CLOCK, "payouts.frozen", work.tenant, {"because": because}, alert=True)
        await _tell_stopped(work, because, "mpesa")
    return stopped


async def _stop(work: Work, because: Frozen) -> bool:
    """Those who reconcile are told once; a graver cause replaces the one before."""
    lighter = _GRAVER.get(because, ())
    statement = (
        sa.update(tenants)
        .where(
            tenants.c.id == work.tenant,
            sa.or_(~tenants.c.payouts_frozen, tenants.c.frozen_because.in_(lighter)),
        )
        .values(payouts_frozen=True, frozen_because=because, version=tenants.c.version + 1)
        .returning(tenants.c.id)
    )
    return (await work.connection.execute(statement)).first() is not None


async def _tell_stopped(work: Work, because: Frozen, provider: str) -> None:
    news = PayoutsStopped(because=because, provider=provider)
    await inbox.tell_people(work, await people.reconcilers(work), news)


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
    before, after = {"payouts_frozen": True}, {"payouts_frozen": False}
    await audit.record(work, by, "payouts.unfrozen", work.tenant, {}, before=before, after=after)
    await inbox.tell_people(work, await people.reconcilers(work), PayoutsResumed())
    return True


async def hold_back(work: Work, payout_id: UUID, because: Held, until: datetime | None = None) -> None:
    """It looks again later, or when the hours end at which nothing may leave; the maker and the approvers
    are told the first time for each cause."""
    await jobs.schedule(work, "payout", payout_id, until or work.now + _WAITS.get(because, FROZEN_WAIT))
    one = await sending(work, payout_id)
    if one.payout.held == because or not await PAYOUT.move(work, payout_id, "created", held=because):
        return
    withdrawal = await shown(work, one.withdrawal.id)
    news = WithdrawalHeldBack(withdrawal=withdrawal, until=until, because=because)
    await tell(work, {one.withdrawal.maker_id} | await people.with_scope(work, APPROVE), None, news)
