"""Settle: the provider's word on a payout, and what follows of it. The same word again changes nothing.

What a failure means depends on whose it is. Theirs (a number that cannot receive) ends the withdrawal
and releases its hold. Ours (initiator, credential, certificate) would fail every other payout too, and
repeated failures lock the credential: so the withdrawal stays as it is, another payout is made ready
for it, and this way out stops until an operator has looked.
"""

from uuid import UUID

import sqlalchemy as sa

from services import approval, audit, costs, ledger
from services.dispatch import PAYOUT, UNDECIDED
from services.ledger import WALLET, WITHDRAWAL_FEES, Transfer, provider_account
from services.money import Money
from services.news import Frozen, Held, Unpaid, Unsent, WithdrawalPaid
from services.points import point
from services.providers.base import Failed, Pending, Report, Succeeded, Word
from services.review.overtaken import confirm, confirmed, contradicted
from services.store.schema import payouts
from services.withdrawals.attempt import Sending, alert, ready, sending
from services.withdrawals.freeze import freeze, hold_back
from services.withdrawals.put_right import came_back, denied, paid_after_all
from services.withdrawals.record import WITHDRAWAL, advance, close, shown, tell
from services.withdrawals.returned import returned
from services.work import Work

# Alerts of a success that was told and moved nothing: after one of them a no is not believed.
_TOLD = ("payout.without_amount", "payout.unproven", "payout.amount_mismatch", "payout.receipt_reused")
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
    if isinstance(word, Succeeded) and word.amount is None and one.payout.state in UNDECIDED:
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
    elif isinstance(word, Failed) and word.returned and not named and one.payout.state == "succeeded":
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
    if await PAYOUT.resolve(work, one.payout.id, *UNDECIDED, state="failed", **failure):
        await close(work, one.withdrawal, "processing", "failed", None, because=because)
        await _record(work, one, "failed", because=because)


async def _name(work: Work, one: Sending, report: Report) -> None:
    """What the provider calls it, where its answer to our request was lost or is slower than its result."""
    reference = report.facts.get("reference")
    if one.nameless and reference is not None:
        await PAYOUT.move(work, one.payout.id, *UNDECIDED, reference=reference)


async def _succeeded(work: Work, one: Sending, word: Succeeded) -> None:
    if word.amount is not None and word.amount != one.net:
        await alert(work, one, "payout.amount_mismatch", told=str(word.amount), receipt=word.receipt)
    elif word.receipt and await PAYOUT.used_elsewhere(work, one.payout, word.receipt):
        await alert(work, one, "payout.receipt_reused", receipt=word.receipt)
    elif one.has_left:
        await _told_again(work, one, word.receipt)
    elif one.payout.state == "failed" and one.payout.returned_at is not None:
        # It came back, and that was told first: nothing has left.
        await alert(work, one, "payout.succeeded_before_return", receipt=word.receipt)
    elif one.withdrawal.status != "processing" or not await _alone(work, one):
        # The money has left and the hold is gone, or another payout is on its way and has it.
        await alert(work, one, "payout.succeeded_after_failure", receipt=word.receipt)
        await contradicted(work, PAYOUT.job, one.payout.id)
        await paid_after_all(work, one, word.receipt)
        await freeze(work, one, Frozen.CONTRADICTION, "a payout that had failed succeeded")
    else:
        await _complete(work, one, word.receipt)


async def _complete(work: Work, one: Sending, receipt: str | None) -> None:
    """The hold is posted: the net leaves with the provider, the fee is income."""
    row = one.withdrawal
    done = {"state": "succeeded", "receipt": receipt}
    if not await PAYOUT.resolve(work, one.payout.id, *UNDECIDED, "failed", **done):
        return
    moves = [Transfer(WALLET, provider_account(one.payout.provider), one.net, "payout")]
    if row.fee:
        moves.append(Transfer(WALLET, WITHDRAWAL_FEES, Money(row.fee, row.currency), "withdrawal_fee"))
    moves += await costs.moves(work, one.payout.provider, row.method_type, one.net)
    if not await ledger.post_hold(work, row.id, moves):
        raise RuntimeError(f"withdrawal {row.id} has no open hold")
    point("payout.completed")
    await advance(work, row, "processing", "completed", None, receipt=receipt)
    await _record(work, one, "completed", receipt=receipt)
    news = WithdrawalPaid(withdrawal=await shown(work, row.id), receipt=receipt)
    await tell(work, {row.maker_id, *await approval.approvers(work, WITHDRAWAL, row)}, None, news)


async def _record(work: Work, one: Sending, status: str, **told: str | None) -> None:
    """How it ended."""
    row = one.withdrawal
    facts = {
        "payout_id": str(one.payout.id),
        "net": str(one.net),
        "fee": str(Money(row.fee, row.currency)),
        "currency": row.currency,
        "provider": one.payout.provider,
        "destination": row.destination,
    }
    before, after = {"status": row.status}, {"status": status}
    action = f"withdrawal.{status}"
    await audit.record(work, audit.PROVIDER, action, row.id, facts | told, before=before, after=after)


async def _failed(work: Work, one: Sending, word: Failed) -> None:
    if one.payout.state == "succeeded" or one.payout.left_at is not None:
        await _failed_after_success(work, one, word)
        return
    if one.payout.because == Unsent.SETTLED:  # as people have found
        if word.returned is not None:
            await PAYOUT.move(work, one.payout.id, "failed", returned_at=work.now)
        return
    if await audit.alerted(work, *_TOLD, target=one.payout.id):
        await alert(work, one, "payout.contradicted", detail=word.detail)
        await freeze(work, one, Frozen.CONTRADICTION, "a payout was told as paid, and as failed")
        return
    if not word.ours:
        await fail(work, one, _UNSENT.get(word.because, Unsent.PROVIDER), word.detail)
        if word.returned is not None:
            await PAYOUT.move(work, one.payout.id, "failed", returned_at=work.now)
        return
    failure = {"because": word.because, "detail": word.detail}
    if await PAYOUT.resolve(work, one.payout.id, *UNDECIDED, state="failed", **failure):
        short = word.because == Unpaid.INSUFFICIENT_FUNDS
        await freeze(work, one, Frozen.FUNDS if short else Frozen.SETTINGS, word.detail)
        await _ready_another(work, one)


async def _failed_after_success(work: Work, one: Sending, word: Failed) -> None:
    """What is told to have come back is booked. A plain no is not believed, but where people alone had said
    that it was paid."""
    if word.returned is not None:
        back = returned if one.payout.left_at is None else came_back
        await back(work, one, word.returned, word.detail)
        return
    await alert(work, one, "payout.failed_after_success", detail=word.detail)
    told = await confirmed(work, PAYOUT.job, one.payout.id)
    told = told or await audit.alerted(work, *_TOLD, "payout.receipt_changed", target=one.payout.id)
    if await contradicted(work, PAYOUT.job, one.payout.id):
        if not told and one.payout.returned_at is None:
            await denied(work, one, word.detail)
        await freeze(work, one, Frozen.CONTRADICTION, "a payout that people had settled as paid failed")


async def _ready_another(work: Work, one: Sending) -> None:
    """Under a new id, since the provider knows the old one; as old as the first, for the time it has."""
    payout_id = await ready(work, one.withdrawal, one.payout.created_at)
    await hold_back(work, payout_id, Held.RAIL)


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
    taken_back = {"state": "failed", "detail": "an earlier one succeeded"}
    return await PAYOUT.resolve(work, other, "created", **taken_back)


async def _told_again(work: Work, one: Sending, receipt: str | None) -> None:
    await confirm(work, PAYOUT.job, one.payout.id)
    if receipt is None or receipt == one.payout.receipt:
        return
    if one.payout.receipt is not None:
        await alert(work, one, "payout.receipt_changed", receipt=receipt, before=one.payout.receipt)
        return
    await PAYOUT.move(work, one.payout.id, one.payout.state, receipt=receipt)
