"""Settle: the provider's word on a payout, and what follows of it. The same word again changes nothing.

What a failure means depends on whose it is. Theirs (a number that cannot receive) ends the withdrawal
and releases its hold. Ours (initiator, credential, certificate) would fail every other payout too, and
repeated failures lock the credential: so the withdrawal stays as it is, another payout is made ready
for it, and this way out stops until an operator has looked.

Payouts are stopped before anything is booked: whoever changes settings locks the tenant's row before the
wallet.
"""

from uuid import UUID

import sqlalchemy as sa

from services import approval, audit, costs, jobs, ledger
from services.dispatch import PAYOUT, UNDECIDED, alert
from services.ledger import WALLET, WITHDRAWAL_FEES, Transfer, provider_account
from services.money import Money
from services.news import Frozen, Held, Unpaid, Unsent, WithdrawalPaid
from services.points import point
from services.providers.base import Failed, Pending, Report, Succeeded, Word
from services.review.overtaken import confirm, contradicted
from services.store.schema import payouts
from services.withdrawals.attempt import Sending, ready, sending
from services.withdrawals.freeze import freeze, hold_back
from services.withdrawals.put_right import PAID_LATE, came_back, denied, paid_after_all
from services.withdrawals.record import WITHDRAWAL, advance, close, shown, tell
from services.withdrawals.returned import returned
from services.work import Work

_UNSENT = {Unpaid.RECEIVER: Unsent.RECEIVER, Unpaid.LIMIT: Unsent.LIMIT}


async def settle(work: Work, payout_id: UUID, word: Word) -> None:
    """Take the provider's word on a payout, matched to it already."""
    one = await sending(work, payout_id)
    match word:
        case Succeeded():
            await _succeeded(work, one, word)
        case Failed():
            await _failed(work, one, word)
        case Pending(ours=True):  # to ask on would lock the credential
            await freeze(work, one, Frozen.SETTINGS, word.detail)
        case Pending(unheard=True):
            await alert(work, one, "payout.unheard_code", detail=word.detail)
        case Pending():
            pass


async def reported(work: Work, payout_id: UUID, report: Report) -> None:
    """Take a result on the payout's own token. It must also name the payout: by the id that we sent, or
    as the provider acknowledged it; a mismatch moves nothing and alerts. Where there is no such name the
    token alone has to do, which nobody but the provider was told, and which is good for this one payout.

    A success without an amount proves too little, so the provider is asked.
    """
    one, word = await sending(work, payout_id), report.word
    if not one.nameless and not one.names & report.references:
        await alert(work, one, "payout.reference_mismatch", told=type(word).__name__)
        return
    await _name(work, one, report)
    if isinstance(word, Succeeded) and word.amount is None and one.row.state in UNDECIDED:
        await alert(work, one, "payout.without_amount", receipt=word.receipt)
        await PAYOUT.ask_now(work, payout_id)
    else:
        await settle(work, payout_id, word)


async def answered(work: Work, payout_id: UUID, report: Report) -> None:
    """Take the answer to a status query of ours, on the token minted for that one question. Its
    references are the query's own; of the payout it must name ours, where it names any.

    A success proves itself by our amount, or by our reference; with neither it moves nothing. What is told
    to have come back has to name it.
    """
    one, word = await sending(work, payout_id), report.word
    named = report.facts.get("payout_references", frozenset())
    if named and not one.names & named:
        await alert(work, one, "payout.reference_mismatch", told=type(word).__name__)
    elif isinstance(word, Succeeded) and word.amount is None and not named:
        await alert(work, one, "payout.unproven", receipt=word.receipt)
    elif isinstance(word, Failed) and word.returned and not named and one.row.state == "succeeded":
        await alert(work, one, "payout.return_unproven", told=str(word.returned))
    else:
        await settle(work, payout_id, word)


async def timed_out(work: Work, payout_id: UUID, report: Report) -> None:
    """The provider gave up waiting in its own queue."""
    await _name(work, await sending(work, payout_id), report)
    await PAYOUT.ask_now(work, payout_id)


async def fail(work: Work, one: Sending, because: Unsent, detail: str) -> None:
    """The withdrawal ends unpaid, and its hold is released."""
    failure = {"because": because, "detail": detail}
    if await PAYOUT.resolve(work, one.row.id, *UNDECIDED, state="failed", **failure):
        await close(work, one.withdrawal, "processing", "failed", None, because=because)
        await _record(work, one, "failed", because=because)


async def _name(work: Work, one: Sending, report: Report) -> None:
    """What the provider calls it, where its answer to our request was lost or is slower than its result."""
    reference = report.facts.get("reference")
    if one.nameless and reference is not None:
        await PAYOUT.move(work, one.row.id, *UNDECIDED, reference=reference)


async def _succeeded(work: Work, one: Sending, word: Succeeded) -> None:
    if await PAYOUT.unfitting(work, one, word):
        return
    if one.has_left:
        await confirm(work, PAYOUT.job, one.row.id)
        await PAYOUT.receipt_added(work, one, word.receipt)
    elif one.row.returned_at is not None:
        # It came back, and that was told first: nothing has left.
        await alert(work, one, "payout.succeeded_before_return", receipt=word.receipt)
    elif not await _alone(work, one):
        # The money has left and the hold is gone, or another payout is on its way and has it.
        await alert(work, one, "payout.succeeded_after_failure", receipt=word.receipt)
        await contradicted(work, PAYOUT.job, one.row.id)
        await freeze(work, one, Frozen.CONTRADICTION, "a payout that had failed succeeded")
        await paid_after_all(work, one, word.receipt)
    else:
        await _complete(work, one, word.receipt)


async def _complete(work: Work, one: Sending, receipt: str | None) -> None:
    """The hold is posted: the net leaves with the provider, the fee is income."""
    row = one.withdrawal
    done = {"state": "succeeded", "receipt": receipt}
    if not await PAYOUT.resolve(work, one.row.id, *UNDECIDED, "failed", **done):
        return
    moves = [Transfer(WALLET, provider_account(one.row.provider), one.amount, "payout")]
    if row.fee:
        moves.append(Transfer(WALLET, WITHDRAWAL_FEES, Money(row.fee, row.currency), "withdrawal_fee"))
    moves += await costs.moves(work, one.row.provider, row.method_type, one.amount)
    if not await ledger.post_hold(work, row.id, moves):
        raise RuntimeError(f"withdrawal {row.id} has no open hold")
    point("payout.completed")
    await advance(work, row, "processing", "completed", None, receipt=receipt)
    await _record(work, one, "completed", receipt=receipt)
    news = WithdrawalPaid(withdrawal=await shown(work, row.id, carrier=one.row.provider), receipt=receipt)
    await tell(work, {row.maker_id, *await approval.approvers(work, WITHDRAWAL, row)}, None, news)


async def _record(work: Work, one: Sending, status: str, **told: str | None) -> None:
    """How it ended."""
    row = one.withdrawal
    facts = {
        "payout_id": str(one.row.id),
        "net": str(one.amount),
        "fee": str(Money(row.fee, row.currency)),
        "currency": row.currency,
        "provider": one.row.provider,
        "destination": row.destination,
    }
    before, after = {"status": row.status}, {"status": status}
    action = f"withdrawal.{status}"
    await audit.record(work, audit.PROVIDER, action, row.id, facts | told, before=before, after=after)


async def _failed(work: Work, one: Sending, word: Failed) -> None:
    if one.row.state == "succeeded" or one.row.left_at is not None:
        await _failed_after_success(work, one, word)
    elif one.row.because == Unsent.SETTLED:  # as people have found
        await PAYOUT.note_return(work, one, word)
    elif await PAYOUT.told_in_vain(work, one.row.id):
        await alert(work, one, "payout.contradicted", detail=word.detail)
        await freeze(work, one, Frozen.CONTRADICTION, "a payout was told as paid, and as failed")
    elif word.ours:
        await _failed_by_us(work, one, word)
    else:
        await fail(work, one, _UNSENT.get(word.because, Unsent.PROVIDER), word.detail)
        await PAYOUT.note_return(work, one, word)


async def _failed_by_us(work: Work, one: Sending, word: Failed) -> None:
    """Another payout takes its place, and waits."""
    failure = {"because": word.because, "detail": word.detail}
    if await PAYOUT.resolve(work, one.row.id, *UNDECIDED, state="failed", **failure):
        short = word.because == Unpaid.INSUFFICIENT_FUNDS
        await freeze(work, one, Frozen.FUNDS if short else Frozen.SETTINGS, word.detail)
        await _ready_another(work, one)


async def _failed_after_success(work: Work, one: Sending, word: Failed) -> None:
    """What is told to have come back is booked. A plain no is not believed, but where people alone had said
    that it was paid."""
    if word.returned is not None:
        back = returned if one.row.left_at is None else came_back
        await back(work, one, word.returned, word.detail)
        return
    await alert(work, one, "payout.failed_after_success", detail=word.detail)
    by_people = await PAYOUT.said_by_people(work, one.row.id)
    if await contradicted(work, PAYOUT.job, one.row.id):
        await freeze(work, one, Frozen.CONTRADICTION, "a payout that people had settled as paid failed")
        if by_people and one.row.returned_at is None:
            await denied(work, one, word.detail)


async def _ready_another(work: Work, one: Sending) -> None:
    """Under a new id, since the provider knows the old one; as old as the first, for the time it has."""
    payout_id = await ready(work, one.withdrawal, one.row.created_at)
    await hold_back(work, payout_id, Held.RAIL)


async def _alone(work: Work, one: Sending) -> bool:
    """The hold is its own: no other payout of this withdrawal may be on its way. One that was only made ready
    is taken back, and so is that it is asked for again, or approving that would pay it twice."""
    row = one.withdrawal
    if row.status == "pending" and await approval.void(work, WITHDRAWAL, row.id):
        await jobs.finish(work, row.id, "withdrawal_expire")
        return await advance(work, row, "pending", "processing", None, PAID_LATE)
    if row.status != "processing":
        return False
    query = sa.select(payouts.c.id).where(
        payouts.c.tenant_id == work.tenant,
        payouts.c.withdrawal_id == row.id,
        payouts.c.id != one.row.id,
        payouts.c.state.in_(UNDECIDED),
    )
    other = await work.connection.scalar(query)
    if other is None:
        return True
    taken_back = {"state": "failed", "detail": "an earlier one succeeded"}
    return await PAYOUT.resolve(work, other, "created", **taken_back)
