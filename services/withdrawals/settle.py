"""Settle: the provider's word on a payout, and what follows of it. The same word again changes nothing.

What a failure means depends on whose it is. Theirs (a number that cannot receive) ends the withdrawal
and releases its hold. Ours (initiator, credential, certificate) would fail every other payout too, and
repeated failures lock the credential: so the withdrawal stays as it is, another payout is made ready
for it, and the tenant's payouts stop until an operator has looked.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, jobs, ledger
from services.errors import NotFound
from services.ids import new_id
from services.ledger import WALLET, WITHDRAWAL_FEES, Transfer, provider_account
from services.money import Money
from services.news import WithdrawalPaid
from services.providers.base import Failed, Pending, Report, Succeeded, Word
from services.store.schema import payouts, tenants
from services.withdrawals.record import advance, close, eligible_approvals, locked, shown, tell
from services.work import Work

UNDECIDED = ("created", "submitting", "pending", "unknown")
# How often a payout that waits for its tenant to be unfrozen looks whether it is.
FROZEN_WAIT = timedelta(minutes=10)


@dataclass(frozen=True)
class Sending:
    """A payout with its withdrawal, under the withdrawal's lock."""

    payout: sa.Row[Any]
    withdrawal: sa.Row[Any]

    @property
    def net(self) -> Money:
        return Money(self.withdrawal.net, self.withdrawal.currency)


async def sending(work: Work, payout_id: UUID) -> Sending:
    """Raises NotFound."""
    mine = (payouts.c.tenant_id == work.tenant, payouts.c.id == payout_id)
    withdrawal_id = await work.connection.scalar(sa.select(payouts.c.withdrawal_id).where(*mine))
    if withdrawal_id is None:
        raise NotFound("payout")
    withdrawal = await locked(work, withdrawal_id)
    return Sending((await work.connection.execute(sa.select(payouts).where(*mine))).one(), withdrawal)


async def move(work: Work, payout_id: UUID, *states: str, **values: Any) -> bool:
    """Change the payout where it is in one of the states; False where it is not."""
    statement = (
        sa.update(payouts)
        .where(payouts.c.tenant_id == work.tenant, payouts.c.id == payout_id, payouts.c.state.in_(states))
        .values(**values)
        .returning(payouts.c.id)
    )
    return (await work.connection.execute(statement)).first() is not None


async def settle(work: Work, payout_id: UUID, word: Word) -> None:
    """Take the provider's word on a payout, matched to it already."""
    one = await sending(work, payout_id)
    match word:
        case Succeeded():
            await _succeeded(work, one, word)
        case Failed():
            await _failed(work, one, word)
        case Pending(unheard=True):
            await alert(work, one, "payout.unheard_code", detail=word.detail)
        case Pending():
            pass


async def reported(work: Work, payout_id: UUID, report: Report) -> None:
    """Take a result on the payout's own token. It must also name our reference where we have one, or
    the id we sent; a mismatch moves nothing and alerts."""
    one = await sending(work, payout_id)
    ours = {str(payout_id), one.payout.reference}
    if one.payout.reference is not None and not ours & report.references:
        await alert(work, one, "payout.reference_mismatch", told=type(report.word).__name__)
        return
    await settle(work, payout_id, report.word)


async def timed_out(work: Work, payout_id: UUID) -> None:
    """The provider gave up waiting in its own queue: no proof of anything. It is asked at once."""
    if await move(work, payout_id, "submitting", "pending", state="unknown"):
        await jobs.schedule(work, "payout_check", payout_id, work.now)


async def freeze(work: Work, one: Sending, detail: str) -> None:
    """Stop the tenant's payouts until an operator has looked."""
    await work.connection.execute(
        sa.update(tenants)
        .where(tenants.c.id == work.tenant)
        .values(payouts_frozen=True, version=tenants.c.version + 1)
    )
    await alert(work, one, "payouts.frozen", detail=detail)


async def alert(work: Work, one: Sending, action: str, **facts: str | None) -> None:
    known = {"withdrawal_id": str(one.withdrawal.id), "net": str(one.net)}
    await audit.record(work, audit.PROVIDER, action, one.payout.id, known | facts, alert=True)


async def _succeeded(work: Work, one: Sending, word: Succeeded) -> None:
    if word.amount is not None and word.amount != one.net:
        await alert(work, one, "payout.amount_mismatch", told=str(word.amount), receipt=word.receipt)
    elif word.receipt and await _used_elsewhere(work, one, word.receipt):
        await alert(work, one, "payout.receipt_reused", receipt=word.receipt)
    elif one.payout.state == "succeeded":
        await _told_again(work, one, word.receipt)
    elif one.withdrawal.status != "processing" or not await _alone(work, one):
        # The money has left and the hold is gone, or another payout is on its way: nothing to post it from.
        await alert(work, one, "payout.succeeded_after_failure", receipt=word.receipt)
        await freeze(work, one, "a payout that had failed succeeded")
    else:
        await _complete(work, one, word.receipt)


async def _complete(work: Work, one: Sending, receipt: str | None) -> None:
    """The hold is posted: the net leaves with the provider, the fee is income."""
    row = one.withdrawal
    done = {"state": "succeeded", "receipt": receipt, "resolved_at": work.now}
    if not await move(work, one.payout.id, *UNDECIDED, "failed", **done):
        return
    moves = [Transfer(WALLET, provider_account(one.payout.provider), one.net, "payout")]
    if row.fee:
        moves.append(Transfer(WALLET, WITHDRAWAL_FEES, Money(row.fee, row.currency), "withdrawal_fee"))
    await ledger.post_hold(work, row.id, moves)
    await advance(work, row, "processing", "completed", None, receipt=receipt)
    await jobs.finish(work, one.payout.id, "payout", "payout_check")
    news = WithdrawalPaid(withdrawal=await shown(work, row.id), receipt=receipt)
    await tell(work, {row.maker_id} | await eligible_approvals(work, row), None, news)


async def _failed(work: Work, one: Sending, word: Failed) -> None:
    if one.payout.state == "succeeded":
        await alert(work, one, "payout.failed_after_success", detail=word.detail)
        return
    failure = {"because": word.because, "detail": word.detail, "resolved_at": work.now}
    if not await move(work, one.payout.id, *UNDECIDED, state="failed", **failure):
        return
    await jobs.finish(work, one.payout.id, "payout", "payout_check")
    if word.ours:
        await freeze(work, one, word.detail)
        await _ready_another(work, one)
    else:
        await close(work, one.withdrawal, "processing", "failed", None, word.detail)


async def _ready_another(work: Work, one: Sending) -> None:
    """Under a new id, since the provider knows the old one; as old as the first, for the time it has."""
    payout_id = new_id()
    await work.connection.execute(
        sa.insert(payouts).values(
            tenant_id=work.tenant,
            id=payout_id,
            withdrawal_id=one.withdrawal.id,
            provider=one.payout.provider,
            state="created",
            created_at=one.payout.created_at,
        )
    )
    await jobs.schedule(work, "payout", payout_id, work.now + FROZEN_WAIT)


async def _alone(work: Work, one: Sending) -> bool:
    """No other payout of this withdrawal may be on its way. One that was only made ready is taken back."""
    query = sa.select(payouts.c.id).where(
        payouts.c.tenant_id == work.tenant,
        payouts.c.withdrawal_id == one.withdrawal.id,
        payouts.c.id != one.payout.id,
        payouts.c.state.in_(UNDECIDED),
    )
    other = await work.connection.scalar(query)
    if other is None:
        return True
    taken_back = {"state": "failed", "detail": "an earlier one succeeded", "resolved_at": work.now}
    if not await move(work, other, "created", **taken_back):
        return False
    await jobs.finish(work, other, "payout", "payout_check")
    return True


async def _told_again(work: Work, one: Sending, receipt: str | None) -> None:
    if receipt is None or receipt == one.payout.receipt:
        return
    if one.payout.receipt is not None:
        await alert(work, one, "payout.receipt_changed", receipt=receipt, before=one.payout.receipt)
        return
    await move(work, one.payout.id, "succeeded", receipt=receipt)


async def _used_elsewhere(work: Work, one: Sending, receipt: str) -> bool:
    query = sa.select(payouts.c.id).where(
        payouts.c.tenant_id == work.tenant,
        payouts.c.provider == one.payout.provider,
        payouts.c.receipt == receipt,
        payouts.c.id != one.payout.id,
    )
    return (await work.connection.execute(query)).first() is not None
