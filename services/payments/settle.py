"""Settle: the provider's word on an attempt, and what follows of it. The same word again changes nothing.

Once failed or expired an attempt may still succeed: Daraja's "unreachable" is no proof that the
customer did not pay. Once succeeded it never fails: a later no is an alert.
"""

from uuid import UUID

import sqlalchemy as sa

from services import jobs, ledger
from services.ledger import PAYMENT_FEES, SUSPENSE, WALLET, Transfer, provider_account
from services.money import Money
from services.news import PaidTwice, PaymentFailed, PaymentOpen, PaymentSettled, Unpaid
from services.payments import methods
from services.payments.record import (
    LIVE,
    SETTLED,
    Attempt,
    alert,
    locked,
    move,
    move_order,
    move_payment,
    tell,
)
from services.people.people import tenant_of
from services.providers.base import Failed, Pending, Report, Succeeded, Word
from services.store.schema import attempts, transfers
from services.work import Work

_NOT_SUCCEEDED = (*LIVE, "failed", "expired")
_JOBS = ("collect", "collect_check", "collect_expire")


async def settle(work: Work, attempt_id: UUID, word: Word) -> None:
    """Take the provider's word, from a query or a callback that has been matched to the attempt."""
    attempt = await locked(work, attempt_id)
    match word:
        case Succeeded():
            await _succeeded(work, attempt, word)
        case Failed():
            await _failed(work, attempt, word)
        case Pending():
            await _pending(work, attempt, word)


async def reported(
    work: Work, attempt_id: UUID, report: Report, *, confirm_above: Money | None = None
) -> None:
    """Take a callback. It came on the attempt's own token; it must also name our reference, where we
    have one (it may be quicker than the answer to our request). A mismatch moves nothing and alerts.

    A success above `confirm_above` is first confirmed by a query; its receipt is kept for then.
    """
    attempt = await locked(work, attempt_id)
    if attempt.reference is not None and attempt.reference not in report.references:
        await alert(work, attempt, "payment.reference_mismatch", told=type(report.word).__name__)
        return
    await _learn_reference(work, attempt, report)
    word = report.word
    large = confirm_above is not None and attempt.amount > confirm_above
    if large and isinstance(word, Succeeded) and attempt.state != "succeeded":
        await _confirm(work, attempt, word)
    else:
        await settle(work, attempt_id, word)


async def expire(work: Work, attempt_id: UUID) -> None:
    """Nothing was heard in time: the customer may try again. Money that still arrives is honoured."""
    attempt = await locked(work, attempt_id)
    if await move(work, attempt, *LIVE, state="expired", resolved_at=work.now):
        await _reopen(work, attempt, "expired", Unpaid.EXPIRED)
    await jobs.finish(work, attempt.id, *_JOBS)


async def _succeeded(work: Work, attempt: Attempt, word: Succeeded) -> None:
    receipt = word.receipt or attempt.receipt
    if word.amount is not None and word.amount != attempt.amount:
        await alert(work, attempt, "payment.amount_mismatch", told=str(word.amount), receipt=receipt)
    elif receipt and await _used_elsewhere(work, attempt, receipt):
        await alert(work, attempt, "payment.receipt_reused", receipt=receipt)
    elif await move(
        work, attempt, *_NOT_SUCCEEDED, state="succeeded", receipt=receipt, resolved_at=work.now, asked=False
    ):
        await jobs.finish(work, attempt.id, *_JOBS)
        if attempt.paid:
            await _suspend(work, attempt, receipt)
        else:
            await _credit(work, attempt, receipt)
    else:
        await _told_again(work, attempt, receipt)


async def _credit(work: Work, attempt: Attempt, receipt: str | None) -> None:
    """The sale to the merchant's wallet, less the fee that the merchant agreed to."""
    tenant = await tenant_of(work)
    moves = [Transfer(provider_account(attempt.provider), WALLET, attempt.amount, "sale")]
    fee = attempt.amount.share(tenant.payment_fee_ppm)
    if fee:
        moves.append(Transfer(WALLET, PAYMENT_FEES, fee, "sale_fee"))
    await ledger.post(work, attempt.id, moves)
    await move_payment(
        work,
        attempt,
        "awaiting_customer",
        "pending",
        "failed",
        "expired",
        "canceled",
        status="succeeded",
        receipt=receipt,
        paid_at=work.now,
    )
    await move_order(work, attempt.order_id, "open", "awaiting_payment", "canceled", to="paid")
    saved = await methods.is_saved(work, attempt.person_id, attempt.provider, attempt.details)
    news = PaymentSettled(
        payment_id=attempt.payment_id,
        order_id=attempt.order_id,
        number=attempt.number,
        amount=attempt.amount,
        receipt=receipt,
        paid_at=work.now,
        method=attempt.method,
        can_save=not saved,
        late=not attempt.live and attempt.payment_status != "canceled",
    )
    await tell(work, attempt, news)


async def _suspend(work: Work, attempt: Attempt, receipt: str | None) -> None:
    """A second success for an order that is paid: kept apart from the wallet, to be given back."""
    suspense = Transfer(provider_account(attempt.provider), SUSPENSE, attempt.amount, "suspense")
    await ledger.post(work, attempt.id, [suspense])
    await alert(work, attempt, "payment.paid_twice", receipt=receipt)
    news = PaidTwice(
        payment_id=attempt.payment_id,
        order_id=attempt.order_id,
        number=attempt.number,
        amount=attempt.amount,
        receipt=receipt,
    )
    await tell(work, attempt, news)


async def _told_again(work: Work, attempt: Attempt, receipt: str | None) -> None:
    """A query knows no receipt; the callback after it fills it in."""
    if receipt is None or receipt == attempt.receipt:
        return
    if attempt.receipt is not None:
        await alert(work, attempt, "payment.receipt_changed", receipt=receipt, before=attempt.receipt)
        return
    await move(work, attempt, "succeeded", receipt=receipt)
    sale = sa.select(transfers.c.id).where(
        transfers.c.tenant_id == work.tenant,
        transfers.c.cause_id == attempt.id,
        transfers.c.reason == "sale",
    )
    if (await work.connection.execute(sale)).first() is not None:
        await move_payment(work, attempt, *SETTLED, receipt=receipt)


async def _failed(work: Work, attempt: Attempt, word: Failed) -> None:
    if word.ours:
        await alert(work, attempt, "payment.misconfigured", detail=word.detail)
    if attempt.state == "succeeded":
        await alert(work, attempt, "payment.failed_after_success", detail=word.detail)
        return
    failure = {"because": word.because, "detail": word.detail, "resolved_at": work.now, "asked": False}
    if await move(work, attempt, *LIVE, state="failed", **failure):
        await _reopen(work, attempt, "failed", word.because)
    elif attempt.asked:
        await move(work, attempt, "failed", "expired", asked=False)
        if not attempt.paid:
            await tell(work, attempt, _unpaid(attempt, word.because))
    await jobs.finish(work, attempt.id, *_JOBS)


async def _reopen(work: Work, attempt: Attempt, status: str, because: Unpaid) -> None:
    """Back to an order that can be paid; the person is told who still waits."""
    if await move_payment(work, attempt, "awaiting_customer", "pending", status=status):
        await move_order(work, attempt.order_id, "awaiting_payment", to="open")
        await tell(work, attempt, _unpaid(attempt, because))


async def _pending(work: Work, attempt: Attempt, word: Pending) -> None:
    if word.unheard:
        await alert(work, attempt, "payment.unheard_code", detail=word.detail)
    if attempt.asked and not attempt.paid:
        await move(work, attempt, *_NOT_SUCCEEDED, asked=False)
        await tell(work, attempt, still_open(attempt))


def still_open(attempt: Attempt) -> PaymentOpen:
    return PaymentOpen(
        payment_id=attempt.payment_id,
        order_id=attempt.order_id,
        number=attempt.number,
        amount=attempt.amount,
    )


def _unpaid(attempt: Attempt, because: Unpaid) -> PaymentFailed:
    return PaymentFailed(
        payment_id=attempt.payment_id,
        order_id=attempt.order_id,
        number=attempt.number,
        amount=attempt.amount,
        because=because,
    )


async def _confirm(work: Work, attempt: Attempt, word: Succeeded) -> None:
    if word.amount is not None and word.amount != attempt.amount:
        await alert(work, attempt, "payment.amount_mismatch", told=str(word.amount), receipt=word.receipt)
    elif word.receipt and await _used_elsewhere(work, attempt, word.receipt):
        await alert(work, attempt, "payment.receipt_reused", receipt=word.receipt)
    else:
        await move(work, attempt, *_NOT_SUCCEEDED, receipt=word.receipt)
        await jobs.schedule(work, "collect_check", attempt.id, work.now)


async def _learn_reference(work: Work, attempt: Attempt, report: Report) -> None:
    """Theirs to ask by: the one that the report calls so, or the only one."""
    reference = report.facts.get("reference")
    if reference is None and len(report.references) == 1:
        (reference,) = report.references
    if attempt.reference is None and isinstance(reference, str):
        sealed = work.seal(reference, "attempts.reference", attempt.id)
        await move(work, attempt, *_NOT_SUCCEEDED, "succeeded", reference_sealed=sealed)


async def _used_elsewhere(work: Work, attempt: Attempt, receipt: str) -> bool:
    query = sa.select(attempts.c.id).where(
        attempts.c.tenant_id == work.tenant,
        attempts.c.provider == attempt.provider,
        attempts.c.receipt == receipt,
        attempts.c.id != attempt.id,
    )
    return (await work.connection.execute(query)).first() is not None
