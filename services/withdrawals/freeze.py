"""Freeze: payouts stop until an operator has looked, and go on then.

What is wrong with one way out stops that one (`ways`); what is wrong with the tenant as a whole, its books or
two words about one payout that contradict each other, stops all.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox, jobs
from services.dispatch import FROZEN_WAIT, PAYOUT, alert
from services.news import Frozen, Held, PayoutsResumed, PayoutsStopped, WithdrawalHeldBack
from services.people import people
from services.people.access import APPROVE
from services.store.schema import tenants
from services.withdrawals import floats, ways
from services.withdrawals.attempt import Sending, sending
from services.withdrawals.carriers import carrier_of
from services.withdrawals.record import shown, tell
from services.work import Work

_WAITS = {
    Held.TURN: timedelta(minutes=1),  # who was before wakes it, but for one that ended at that moment
    Held.FLOAT: floats.LOOKS_AGAIN,
}
# What each cause is graver than.
_GRAVER: dict[Frozen, tuple[Frozen, ...]] = {
    Frozen.CONTRADICTION: (Frozen.SETTINGS, Frozen.FUNDS),
    Frozen.BOOKS: (Frozen.SETTINGS, Frozen.FUNDS, Frozen.CONTRADICTION),
    Frozen.RESTORED: (Frozen.SETTINGS, Frozen.FUNDS, Frozen.CONTRADICTION, Frozen.BOOKS, Frozen.OPERATOR),
}
RESTORED = "database.restored"  # in the audit


async def freeze(work: Work, one: Sending, because: Frozen, detail: str) -> None:
    """For what was said of a payout; put into the record each time."""
    way = one.withdrawal.method_type if because in ways.OF_A_WAY else None
    stopped = await (_freeze(work, because) if way is None else ways.freeze(work, way, because))
    await alert(work, one, "payouts.frozen", because=because, way=way, detail=detail)
    if stopped:
        await _tell_frozen(work, because, one.row.provider, way)


async def freeze_way(work: Work, way: str) -> bool:
    """By the operator. False where it rests already by their word."""
    if not await ways.freeze(work, way, Frozen.OPERATOR):
        return False
    facts = {"because": Frozen.OPERATOR, "way": way}
    await audit.record(work, audit.OPERATOR, "payouts.frozen", work.tenant, facts, alert=True)
    await _tell_frozen(work, Frozen.OPERATOR, await carrier_of(work, way), way)
    return True


async def freeze_all(work: Work, because: Frozen) -> bool:
    """For what is wrong with the tenant as a whole. False where they are stopped already, for this or for
    something graver."""
    stopped = await _freeze(work, because)
    if stopped:
        await audit.record(work, audit.CLOCK, "payouts.frozen", work.tenant, {"because": because}, alert=True)
        await _tell_frozen(work, because, "mpesa")
    return stopped


async def freeze_restored(work: Work) -> None:
    """The database is a backup, says the operator. From now on whatever would be sent is laid before people
    instead (`sending`), who say by the provider's own books what became of it; recorded each time."""
    stopped = await _freeze(work, Frozen.RESTORED)
    await audit.record(work, audit.OPERATOR, RESTORED, work.tenant, {}, alert=True)
    if stopped:
        facts = {"because": Frozen.RESTORED}
        await audit.record(work, audit.OPERATOR, "payouts.frozen", work.tenant, facts, alert=True)
        await _tell_frozen(work, Frozen.RESTORED, "mpesa")


async def restored(work: Work) -> bool:
    """Whether they are stopped for that."""
    return bool((await people.tenant_of(work)).frozen_because == Frozen.RESTORED)


async def _freeze(work: Work, because: Frozen) -> bool:
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


async def _tell_frozen(work: Work, because: Frozen, provider: str, way: str | None = None) -> None:
    news = PayoutsStopped(because=because, provider=provider, rail=way)
    await inbox.tell_people(work, await people.reconcilers(work), news)


async def unfreeze(work: Work, by: str) -> bool:
    """All that was stopped, as a whole or by its way; what waits is due now. False where nothing was."""
    go_on = (
        sa.update(tenants)
        .where(tenants.c.id == work.tenant, tenants.c.payouts_frozen)
        .values(payouts_frozen=False, frozen_because=None, version=tenants.c.version + 1)
        .returning(tenants.c.id)
    )
    whole = (await work.connection.execute(go_on)).first() is not None
    rested = await ways.go_on(work)
    if not (whole or rested):
        return False
    before = ({"payouts_frozen": True} if whole else {}) | {"ways_stopped": rested}
    await _go_on(work, by, before, PayoutsResumed(rail=rested[0] if not whole and len(rested) == 1 else None))
    return True


async def unfreeze_ways(
    work: Work, by: str, which: Iterable[str], because: Frozen | None = None
) -> list[str]:
    """The same of these ways out, of those that rest for this cause; all others stay as they are."""
    rested = await ways.go_on(work, which, because)
    for way in rested:
        await _go_on(work, by, {"ways_stopped": [way]}, PayoutsResumed(rail=way))
    return rested


async def _go_on(work: Work, by: str, before: dict[str, Any], news: PayoutsResumed) -> None:
    await jobs.hasten(work, "payout", "payout_check", "refund")
    after: dict[str, Any] = {key: [] if key == "ways_stopped" else False for key in before}
    await audit.record(work, by, "payouts.unfrozen", work.tenant, {}, before=before, after=after)
    await inbox.tell_people(work, await people.reconcilers(work), news)


async def hold_back(work: Work, payout_id: UUID, because: Held, until: datetime | None = None) -> None:
    """It looks again later, or when the hours end at which nothing may leave; the maker and the approvers
    are told the first time for each cause."""
    await jobs.schedule(work, "payout", payout_id, until or work.now + _WAITS.get(because, FROZEN_WAIT))
    one = await sending(work, payout_id)
    if one.row.held == because or not await PAYOUT.move(work, payout_id, "created", held=because):
        return
    withdrawal = await shown(work, one.withdrawal.id, carrier=one.row.provider)
    news = WithdrawalHeldBack(withdrawal=withdrawal, until=until, because=because)
    await tell(work, {one.withdrawal.maker_id} | await people.with_scope(work, APPROVE), None, news)
