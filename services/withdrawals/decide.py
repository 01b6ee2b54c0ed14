"""Decide: approve, reject, cancel, expire. The first decision wins; the row's lock is the referee.

Four eyes are held by the person, not by phone, session or role, and nobody is exempt. The database
refuses a maker's own approval too.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox, jobs
from services.errors import (
    Changed,
    DestinationCoolingDown,
    FourEyesViolation,
    MissingScope,
    PayoutsFrozen,
)
from services.fees import RAILS
from services.ids import new_id
from services.news import SelfApprovalTried, Withdrawal, WithdrawalApproved
from services.people import people
from services.people.access import APPROVE, INITIATE
from services.phones import without_numbers
from services.readable import refuse_blank
from services.store.schema import approvals, payouts
from services.withdrawals import limits
from services.withdrawals.record import (
    advance,
    close,
    digest,
    eligible_approvals,
    locked,
    refuse_decided,
    shown,
    tell,
)
from services.withdrawals.request import facts_of
from services.work import Work


async def approve(work: Work, approver: UUID, withdrawal_id: UUID, shown_digest: str) -> Withdrawal:
    """Approve exactly what was shown; with the last approval needed the payout is created, in the same
    transaction. The same person again adds nothing.

    Raises NotFound, FourEyesViolation, MissingScope, StepUpRequired, NotPending, Changed, PayoutsFrozen,
    DestinationCoolingDown. A tried self-approval is recorded and told before it is refused, so the
    transaction must still be committed.
    """
    row = await locked(work, withdrawal_id)
    # Before the scope, or a maker without it would try unseen; REST, whose order is the scope first, asks
    # for that at its door. A maker is a person here, whichever of their phones speaks.
    if row.maker_id == approver:
        await _self_approval(work, row)
        raise FourEyesViolation
    await people.require(work, approver, APPROVE)
    tenant = await people.tenant_of(work)
    limits.refuse_without_step_up(tenant, row.amount)
    await refuse_decided(work, row)
    if not shown_digest == row.digest == digest(row, work.tenant):
        raise Changed
    if tenant.payouts_frozen:
        raise PayoutsFrozen
    _refuse_too_soon(work, tenant, row)
    await _approval(work, approver, row)
    if len(await eligible_approvals(work, row)) >= row.approvals_needed:
        await _process(work, approver, row)
    return await shown(work, withdrawal_id)


async def reject(work: Work, approver: UUID, withdrawal_id: UUID, reason: str) -> Withdrawal:
    """Raises MissingScope, NotFound, NotPending, BlankReason."""
    await people.require(work, approver, APPROVE)
    row = await locked(work, withdrawal_id)
    await refuse_decided(work, row)
    refuse_blank(reason)
    return await _close(work, row, "rejected", approver, reason)


async def cancel(work: Work, person: UUID, withdrawal_id: UUID, reason: str | None = None) -> Withdrawal:
    """The maker takes it back, or who may approve. Raises MissingScope, NotFound, NotPending."""
    scopes = (await people.active_staff(work)).get(person, frozenset())
    if not scopes & {INITIATE, APPROVE}:
        raise MissingScope(INITIATE)
    row = await locked(work, withdrawal_id)
    if person != row.maker_id and APPROVE not in scopes:
        raise MissingScope(APPROVE)
    await refuse_decided(work, row)
    return await _close(work, row, "canceled", person, reason)


async def expire(work: Work, withdrawal_id: UUID) -> None:
    """Close a request that nobody decided in time; nothing where it was decided, or is not yet due."""
    row = await locked(work, withdrawal_id)
    if row.status != "pending":
        await jobs.finish(work, withdrawal_id, "withdrawal_expire")
    elif row.expires_at <= work.now:
        await close(work, row, "pending", "expired", None)
        await audit.record(work, audit.CLOCK, "withdrawal.expired", withdrawal_id, {})


async def _self_approval(work: Work, row: sa.Row[Any]) -> None:
    withdrawal = await shown(work, row.id)
    await audit.record(
        work, row.maker_id, "withdrawal.self_approval", row.id, facts_of(withdrawal), alert=True
    )
    await inbox.tell_people(work, await people.owners(work), SelfApprovalTried(withdrawal=withdrawal))


def _refuse_too_soon(work: Work, tenant: sa.Row[Any], row: sa.Row[Any]) -> None:
    until = row.created_at + timedelta(hours=tenant.new_destination_hours)
    if row.new_destination and work.now < until:
        raise DestinationCoolingDown(until)


async def _approval(work: Work, approver: UUID, row: sa.Row[Any]) -> None:
    values = {
        "tenant_id": work.tenant,
        "withdrawal_id": row.id,
        "approver_id": approver,
        "maker_id": row.maker_id,
        "digest": row.digest,
        "created_at": work.now,
    }
    await work.connection.execute(work.insert(approvals).values(values).on_conflict_do_nothing())
    facts = facts_of(await shown(work, row.id))
    await audit.record(work, approver, "withdrawal.approved", row.id, facts)


async def _process(work: Work, approver: UUID, row: sa.Row[Any]) -> None:
    if not await advance(work, row, "pending", "processing", approver):
        return
    await jobs.finish(work, row.id, "withdrawal_expire")
    payout_id = new_id()
    await work.connection.execute(
        sa.insert(payouts).values(
            tenant_id=work.tenant,
            id=payout_id,
            withdrawal_id=row.id,
            provider=RAILS[row.method_type].provider,
            state="created",
            created_at=work.now,
        )
    )
    await jobs.schedule(work, "payout", payout_id, work.now)
    name = await people.name_of(work, approver) or ""
    news = WithdrawalApproved(withdrawal=await shown(work, row.id), by=name)
    await tell(work, {row.maker_id} | await people.with_scope(work, APPROVE), approver, news)


async def _close(work: Work, row: sa.Row[Any], status: str, by: UUID, reason: str | None) -> Withdrawal:
    await close(work, row, "pending", status, by, reason)
    facts = {"reason": without_numbers(reason)} if reason else {}
    await audit.record(work, by, f"withdrawal.{status}", row.id, facts)
    return await shown(work, row.id)
