"""Again: what was approved and not sent in time goes back to be approved again, and so does what is
open while its approvers or the policy change.

An approval is a word about now: half an hour later the rail may have stood still, the balance may be
meant for something else, and whoever approved may think otherwise. The money stays held, so nothing has to
be asked for anew.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import approval, audit, jobs
from services.dispatch import PAYOUT
from services.news import Unsent, WithdrawalRequested
from services.news.approval import WithdrawalAskedAgain
from services.people import people
from services.people.access import APPROVE
from services.store.schema import withdrawals
from services.withdrawals import limits
from services.withdrawals.attempt import Sending
from services.withdrawals.record import WITHDRAWAL, advance, facts, locked, shown, tell
from services.work import Work

# The second clock: how long an approval is good for the sending to begin.
EXECUTION_WINDOW = timedelta(minutes=30)
_DETAILS = {Unsent.TOO_LATE: "not begun in time", Unsent.APPROVER: "not approved by enough any more"}


async def ask_again(work: Work, one: Sending, because: Unsent) -> None:
    """Take back a payout that provably was not sent (of a withdrawal only one lives at a time), and ask the
    approvers again, under a new digest."""
    row = one.withdrawal
    told = {"because": because, "detail": _DETAILS[because]}
    if not await PAYOUT.resolve(work, one.row.id, "created", state="failed", **told):
        return
    tenant = await people.tenant_of(work)
    expires_at = work.now + timedelta(hours=tenant.approval_hours)
    await _ask(work, tenant, row, expires_at)
    await advance(work, row, "processing", "pending", None, because)
    await jobs.schedule(work, "withdrawal_expire", row.id, expires_at)
    await _tell(work, row, because, str(one.row.id))


async def hold_against_now(work: Work, before: set[UUID]) -> None:
    """The operator's file has changed the staff or the limits. What waits for fewer than it takes by now is
    asked anew of all. Of the rest only those are asked who are needed: whoever may approve now and could not
    `before`, and all that have not, where somebody who had may no longer."""
    tenant, approvers = await people.tenant_of(work), await people.with_scope(work, APPROVE)
    query = sa.select(withdrawals.c.id).where(
        withdrawals.c.tenant_id == work.tenant, withdrawals.c.status == "pending"
    )
    for withdrawal_id in sorted((await work.connection.execute(query)).scalars()):
        row = await locked(work, withdrawal_id)
        operation = await approval.locked(work, WITHDRAWAL, withdrawal_id)
        if operation.state != "pending" or operation.expires_at <= work.now:
            continue
        if operation.digest != approval.digest(work.tenant, operation, facts(row)):
            continue  # it was altered since, so nobody can approve it
        if await limits.least_now(work, tenant, row) > operation.approvals_needed:
            await _ask(work, tenant, row, operation.expires_at)
            await _tell(work, row, Unsent.APPROVER)
            continue
        counted = set(await approval.approvers(work, WITHDRAWAL, operation))
        lost = await approval.given(work, operation) - counted
        needed = approvers - counted if lost else approvers - before
        news = WithdrawalRequested(withdrawal=await shown(work, withdrawal_id))
        await tell(work, needed, row.maker_id, news)


async def _ask(work: Work, tenant: sa.Row[Any], row: sa.Row[Any], expires_at: datetime) -> None:
    """Under the policy of now, and never for less than before: the sum that it was asked for in may be of
    another day."""
    policy, least = await limits.policy_again(work, tenant, row), await limits.least_now(work, tenant, row)
    await approval.ask_again(
        work,
        WITHDRAWAL,
        row.id,
        facts(row),
        needed=max(policy.approvals, least, row.approvals_needed),
        expires_at=expires_at,
        step_up=policy.step_up or bool(row.step_up),
    )


async def _tell(work: Work, row: sa.Row[Any], because: Unsent, payout: str | None = None) -> None:
    withdrawal = await shown(work, row.id)
    told = {"digest": withdrawal.digest, "because": str(because)} | ({"payout": payout} if payout else {})
    await audit.record(work, audit.CLOCK, "withdrawal.asked_again", row.id, told)
    approvers = await people.with_scope(work, APPROVE)
    await tell(work, approvers, row.maker_id, WithdrawalRequested(withdrawal=withdrawal))
    await tell(work, {row.maker_id}, None, WithdrawalAskedAgain(withdrawal=withdrawal, because=because))
