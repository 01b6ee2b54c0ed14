"""Decide: approve, reject, cancel, expire a withdrawal, and what follows of it."""

from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import approval, inbox, jobs, ledger, webhooks
from services.errors import (
    FourEyesViolation,
    MissingScope,
    PayoutsFrozen,
)
from services.errors.limits import PayoutsStoppedBy
from services.money import Money
from services.news import SelfApprovalTried, Unsent, Withdrawal, WithdrawalApproved
from services.people import people
from services.people.access import APPROVE, INITIATE
from services.points import point
from services.reasons import Frozen
from services.store.schema import withdrawals
from services.withdrawals import limits, ways
from services.withdrawals.attempt import ready
from services.withdrawals.record import WITHDRAWAL, advance, close, facts, locked, shown, tell
from services.withdrawals.request import facts_of
from services.work import Work


async def approve(
    work: Work, approver: UUID, withdrawal_id: UUID, shown_digest: str, code: str | None = None
) -> Withdrawal:
    """Approve exactly what was shown; with the last approval needed the payout is created, in the same
    transaction. The same person again adds nothing.

    Raises what `approval.may_approve` raises, PayoutsFrozen, PayoutsBlocked, LimitLowered,
    DestinationCoolingDown and MoneyOwed. A tried self-approval is recorded and told before it is refused,
    and a wrong code counted, so the transaction must still be committed.
    """
    row = await locked(work, withdrawal_id)
    tenant = await people.tenant_of(work)
    step_up = limits.takes_step_up(tenant, row.amount)

    async def unless() -> None:
        await refuse_now(work, tenant, row.currency, row.method_type)
        limits.refuse_lowered(tenant, Money(row.amount, row.currency))
        limits.refuse_too_soon(work, tenant, row.created_at, new=row.new_destination)

    try:
        with approval.as_it_stands(row.status):
            operation = await approval.may_approve(
                work,
                WITHDRAWAL,
                approver,
                withdrawal_id,
                shown_digest,
                facts(row),
                code=code,
                step_up=step_up,
                guessed=partial(close, work, row, "pending", "canceled", None, because=Unsent.GUESSED),
                unless=unless,
            )
    except FourEyesViolation:
        news = SelfApprovalTried(withdrawal=await shown(work, withdrawal_id))
        await inbox.tell_people(work, await people.owners(work), news)
        raise
    told = facts_of(await shown(work, withdrawal_id))
    if await approval.add(work, WITHDRAWAL, approver, operation, told):
        await _process(work, approver, row)
    return await shown(work, withdrawal_id)


async def refuse_now(work: Work, tenant: sa.Row[Any], currency: str, way: str | None = None) -> None:
    """Whether anything may leave at this moment, by this way where one is named. Raises PayoutsStoppedBy,
    PayoutsFrozen, MoneyOwed, PayoutsBlocked."""
    if tenant.stopped_at is not None:
        raise PayoutsStoppedBy(await people.name_of(work, tenant.stopped_by), tenant.stopped_at)
    # Of a restored database what is approved is not sent, but said to be paid or not.
    if tenant.payouts_frozen and tenant.frozen_because != Frozen.RESTORED:
        raise PayoutsFrozen
    if way is not None and await ways.cause(work, way) is not None:
        raise PayoutsFrozen(way)
    await ledger.refuse_owing(work, currency)
    limits.refuse_blocked(work, tenant)


async def reject(work: Work, approver: UUID, withdrawal_id: UUID, reason: str) -> Withdrawal:
    """Raises MissingScope, NotFound, NotPending, BlankReason."""
    await people.require(work, approver, APPROVE)
    row = await locked(work, withdrawal_id)
    with approval.as_it_stands(row.status):
        await approval.reject(work, WITHDRAWAL, approver, withdrawal_id, reason)
    return await _close(work, row, "rejected", approver, reason)


async def cancel(work: Work, person: UUID, withdrawal_id: UUID, reason: str | None = None) -> Withdrawal:
    """The maker takes it back, or who may approve. Raises MissingScope, NotFound, NotPending."""
    scopes = (await people.active_staff(work)).get(person, frozenset())
    if not scopes & {INITIATE, APPROVE}:
        raise MissingScope(INITIATE)
    row = await locked(work, withdrawal_id)
    with approval.as_it_stands(row.status):
        await approval.cancel(work, WITHDRAWAL, person, withdrawal_id, reason)
    return await _close(work, row, "canceled", person, reason)


async def expire(work: Work, withdrawal_id: UUID) -> None:
    """Close a request that nobody decided in time; nothing where it was decided, or is not yet due."""
    row = await locked(work, withdrawal_id)
    if await approval.expire(work, WITHDRAWAL, withdrawal_id):
        await close(work, row, "pending", "expired", None)
    elif row.status != "pending":
        await jobs.finish(work, withdrawal_id, "withdrawal_expire")


async def void(work: Work, *which: sa.ColumnElement[bool]) -> None:
    """Close those of these that nobody has decided: the destination that they were to go to was changed."""
    query = sa.select(withdrawals.c.id).where(
        withdrawals.c.tenant_id == work.tenant, withdrawals.c.status == "pending", *which
    )
    for withdrawal_id in sorted((await work.connection.execute(query)).scalars()):
        row = await locked(work, withdrawal_id)
        if await approval.void(work, WITHDRAWAL, withdrawal_id):
            await close(work, row, "pending", "canceled", None, because=Unsent.DESTINATION)


async def _process(work: Work, approver: UUID, row: sa.Row[Any]) -> None:
    if not await advance(work, row, "pending", "processing", approver):
        return
    webhooks.tell(work, "withdrawal.approved", row.id)
    await jobs.finish(work, row.id, "withdrawal_expire")
    payout_id = await ready(work, row, work.now)
    await jobs.schedule(work, "payout", payout_id, work.now)
    point("payout.created")
    name = await people.name_of(work, approver) or ""
    news = WithdrawalApproved(withdrawal=await shown(work, row.id), by=name)
    await tell(work, {row.maker_id} | await people.with_scope(work, APPROVE), approver, news)


async def _close(work: Work, row: sa.Row[Any], status: str, by: UUID, reason: str | None) -> Withdrawal:
    await close(work, row, "pending", status, by, reason)
    return await shown(work, row.id)
