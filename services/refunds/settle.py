"""Settle: the provider's word on a refund, and what follows of it. The same word again changes nothing."""

from uuid import UUID

from services import audit, costs, jobs, ledger, webhooks
from services.dispatch import REFUND, UNDECIDED, alert
from services.ledger import SUSPENSE, WALLET, Transfer, provider_account
from services.news import Frozen, Unpaid
from services.news.refunds import RefundTold, Unrefunded, Way
from services.payments.record import tell as tell_payer
from services.points import point
from services.providers import PROVIDERS
from services.providers.base import Failed, Pending, Report, Succeeded, Word
from services.refunds import taken_back
from services.refunds.attempt import Sending, sending
from services.refunds.decide import close
from services.refunds.put_right import denied, made, paid_after_all, returned
from services.refunds.record import move as move_refund
from services.refunds.record import shown, tell
from services.refunds.standing import settle_standing
from services.review import queue
from services.review.overtaken import confirm, contradicted
from services.store.schema import refund_attempts
from services.withdrawals.freeze import freeze_all
from services.work import Work


async def settle(work: Work, attempt_id: UUID, word: Word) -> None:
    """Take the provider's word on a refund, matched to it already."""
    one = await sending(work, attempt_id)
    match word:
        case Succeeded():
            await _succeeded(work, one, word)
        case Failed():
            await _failed(work, one, word)
        case Pending(waits=True) if one.row.state in UNDECIDED:
            await _waits(work, one, word)
        case Pending() if word.ours or word.unheard:
            action = "refund.misconfigured" if word.ours else "refund.unheard_code"
            await alert(work, one, action, detail=word.detail)


async def _waits(work: Work, one: Sending, word: Pending) -> None:
    """Somebody has to do something at the provider: told once, and those who reconcile may settle it too."""
    if one.row.undecided_at is None:
        await alert(work, one, "refund.needs_attention", detail=word.detail)
        await queue.mark(work, refund_attempts, one.row.id)
        news = RefundTold(refund=await shown(work, one.refund.row.id), because=Unrefunded.ATTENTION)
        await tell(work, one.refund.row.maker_id, None, news)


async def reported(work: Work, attempt_id: UUID, report: Report) -> None:
    """Take a result on the refund's own token. It must also name the refund, and, where it names a payment,
    ours; a mismatch moves nothing and alerts. A success without an amount proves too little: it is asked."""
    one, word = await sending(work, attempt_id), report.word
    if (one.row.reference and not one.names & report.references) or _of_another(one, report):
        await alert(work, one, "refund.reference_mismatch", told=type(word).__name__)
    elif isinstance(word, Succeeded) and word.amount is None and one.row.state in UNDECIDED:
        await alert(work, one, "refund.without_amount", receipt=word.receipt)
        await REFUND.ask_now(work, attempt_id)
    elif isinstance(word, Pending):
        await settle(work, attempt_id, word)
        await REFUND.ask_now(work, attempt_id)
    else:
        await settle(work, attempt_id, word)


async def told(work: Work, attempt_id: UUID, report: Report) -> None:
    """Take the answer to a question of ours, on the token minted for it. A success proves itself by our
    amount, by our reference, or, told of the payment, by its receipt; with none of them it moves nothing."""
    one, word = await sending(work, attempt_id), report.word
    named = report.facts.get("payout_references", frozenset())
    of_payment = report.about == "refunded_query" and report.facts.get("original") is not None
    if (named and not one.names & named) or _of_another(one, report):
        await alert(work, one, "refund.reference_mismatch", told=type(word).__name__)
    elif isinstance(word, Succeeded) and word.amount is None and not (named or of_payment):
        await alert(work, one, "refund.unproven", receipt=word.receipt)
    elif isinstance(word, Failed) and word.returned and not named and one.has_left:
        await alert(work, one, "refund.return_unproven", told=str(word.returned))
    else:
        await settle(work, attempt_id, word)


async def fail(work: Work, one: Sending, because: Unrefunded, detail: str) -> None:
    """Nothing went back, and what was held is available again."""
    failure = {"because": because, "detail": detail}
    if await REFUND.resolve(work, one.row.id, *UNDECIDED, state="failed", **failure):
        await close(work, one.refund, "processing", "failed", because=because)
        await _record(work, one, "failed", because=because)
        await _ask_of_payment(work, one)


async def _ask_of_payment(work: Work, one: Sending) -> None:
    """What was told to be taken back meanwhile was not booked, since it may have been this one."""
    attempt = one.refund.attempt
    if one.refund.row.way == Way.REVERSAL and await taken_back.told_unbooked(work, attempt):
        await jobs.schedule(work, "payment_check", attempt.id, work.now)


def _of_another(one: Sending, report: Report) -> bool:
    original = report.facts.get("original")
    return original is not None and original != one.refund.attempt.receipt


async def _succeeded(work: Work, one: Sending, word: Succeeded) -> None:
    if await REFUND.unfitting(work, one, word):
        return
    if one.has_left:
        await confirm(work, REFUND.job, one.row.id)
        await _told_again(work, one, word.receipt)
    elif one.row.returned_at is not None:
        # It came back, and that was told first: nothing has left.
        await alert(work, one, "refund.succeeded_before_return", receipt=word.receipt)
    elif one.refund.row.status != "processing":
        # The money has gone, and what was held for it is free again: it is taken back like any other.
        await alert(work, one, "refund.succeeded_after_failure", receipt=word.receipt)
        # Two people have said otherwise, or the provider itself has, of what it denied.
        if await contradicted(work, REFUND.job, one.row.id) or one.row.denied_at is not None:
            await freeze_all(work, Frozen.CONTRADICTION)
        await paid_after_all(work, one, word.receipt)
    else:
        await _complete(work, one, word.receipt)


async def _complete(work: Work, one: Sending, receipt: str | None) -> None:
    row, attempt = one.refund.row, one.refund.attempt
    done = {"state": "succeeded", "receipt": receipt}
    if not await REFUND.resolve(work, one.row.id, *UNDECIDED, **done):
        return
    target = provider_account(one.row.provider)
    cost = await costs.moves(work, one.row.provider, one.way or costs.REVERSAL, one.amount)
    if row.source == SUSPENSE:
        await ledger.post(work, row.id, [Transfer(SUSPENSE, target, one.amount, "refund"), *cost])
    elif not await ledger.post_hold(work, row.id, [Transfer(WALLET, target, one.amount, "refund"), *cost]):
        raise RuntimeError(f"refund {row.id} has no open hold")
    await move_refund(work, row.id, "processing", status="completed", receipt=receipt, done_at=work.now)
    await _record(work, one, "completed", receipt=receipt)
    if (rules := PROVIDERS[one.row.provider].refunds) is not None and not rules.whole:
        await _ask_of_payment(work, one)
    point("refund.completed")
    if row.source != SUSPENSE:
        await settle_standing(work, attempt)
    webhooks.tell(work, "payment.refunded", attempt.payment_id)
    await tell_payer(work, attempt, made(one, receipt))
    await tell(work, row.maker_id, None, RefundTold(refund=await shown(work, row.id)))


async def _record(work: Work, one: Sending, status: str, **told: str | None) -> None:
    """How it ended."""
    row = one.refund.row
    facts = {
        "order": one.refund.attempt.number,
        "amount": str(one.amount),
        "currency": one.amount.currency,
        "provider": one.row.provider,
        "way": row.way,
    }
    before, after = {"status": row.status}, {"status": status}
    action = f"refund.{status}"
    await audit.record(work, audit.PROVIDER, action, row.id, facts | told, before=before, after=after)


async def _failed(work: Work, one: Sending, word: Failed) -> None:
    if one.row.state == "succeeded" or one.has_left:
        await _failed_after_success(work, one, word)
        return
    if one.row.because == Unrefunded.SETTLED:  # as people have found
        await REFUND.note_return(work, one, word)
        return
    if await REFUND.told_in_vain(work, one.row.id):
        await alert(work, one, "refund.contradicted", detail=word.detail)
        return
    because = Unrefunded.PROVIDER
    if word.ours:
        short = word.because == Unpaid.INSUFFICIENT_FUNDS
        because = Unrefunded.FUNDS if short else Unrefunded.SETTINGS
        await alert(work, one, "refund.misconfigured", detail=word.detail)
    await fail(work, one, because, word.detail)
    await REFUND.note_return(work, one, word)


async def _failed_after_success(work: Work, one: Sending, word: Failed) -> None:
    """What is told to have come back is booked. A plain no is not believed, but where people alone had said
    that it was made; of a reversal the payment itself may have been told to be reversed. Where the provider
    says otherwise than two people, nothing leaves until an operator has looked."""
    if word.returned is not None:
        if await REFUND.came_back(work, one, word.returned, word.detail):
            await returned(work, one, word.detail)
        return
    await alert(work, one, "refund.failed_after_success", detail=word.detail)
    by_people = await REFUND.said_by_people(work, one.row.id)
    if one.refund.row.way == Way.REVERSAL:
        by_people = by_people and not await taken_back.told_unbooked(work, one.refund.attempt)
    if await contradicted(work, REFUND.job, one.row.id):
        await freeze_all(work, Frozen.CONTRADICTION)
        if by_people and one.row.returned_at is None:
            await denied(work, one, word.detail)


async def _told_again(work: Work, one: Sending, receipt: str | None) -> None:
    if not await REFUND.receipt_added(work, one, receipt):
        return
    await move_refund(work, one.refund.row.id, "completed", receipt=receipt)
    before, after = {"receipt": None}, {"receipt": receipt}
    action, row_id = "refund.receipt_told", one.refund.row.id
    await audit.record(work, audit.PROVIDER, action, row_id, {}, before=before, after=after)


async def timed_out(work: Work, attempt_id: UUID) -> None:
    """The provider gave up waiting in its own queue."""
    await REFUND.ask_now(work, attempt_id)
