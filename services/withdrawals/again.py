"""Again: what was approved and not sent in time goes back to be approved again.

An approval is a word about now: half an hour later the rail may have stood still, the balance may be
meant for something else, and whoever approved may think otherwise. The money stays held, so nothing has to
be asked for anew.
"""

from datetime import timedelta

from services import approval, audit, jobs
from services.dispatch import PAYOUT
from services.news import Unsent, WithdrawalRequested
from services.news.approval import WithdrawalAskedAgain
from services.people import people
from services.people.access import APPROVE
from services.withdrawals import limits
from services.withdrawals.attempt import Sending
from services.withdrawals.record import WITHDRAWAL, advance, facts, shown, tell
from services.work import Work

# The second clock: how long an approval is good for the sending to begin.
EXECUTION_WINDOW = timedelta(minutes=30)


async def ask_again(work: Work, one: Sending) -> None:
    """Take back a payout that provably was not sent (of a withdrawal only one lives at a time), and ask the
    approvers again, under a new digest."""
    row = one.withdrawal
    late = {"because": Unsent.TOO_LATE, "detail": "not begun in time"}
    if not await PAYOUT.resolve(work, one.row.id, "created", state="failed", **late):
        return
    tenant = await people.tenant_of(work)
    expires_at = work.now + timedelta(hours=tenant.approval_hours)
    policy = await limits.policy_again(work, tenant, row)
    await approval.ask_again(
        work,
        WITHDRAWAL,
        row.id,
        facts(row),
        needed=policy.approvals,
        expires_at=expires_at,
        step_up=policy.step_up,
    )
    await advance(work, row, "processing", "pending", None, Unsent.TOO_LATE)
    await jobs.schedule(work, "withdrawal_expire", row.id, expires_at)
    withdrawal = await shown(work, row.id)
    told = {"digest": withdrawal.digest, "payout": str(one.row.id)}
    await audit.record(work, audit.CLOCK, "withdrawal.asked_again", row.id, told)
    approvers = await people.with_scope(work, APPROVE)
    await tell(work, approvers, row.maker_id, WithdrawalRequested(withdrawal=withdrawal))
    await tell(work, {row.maker_id}, None, WithdrawalAskedAgain(withdrawal=withdrawal))
