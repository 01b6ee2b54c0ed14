"""Settle: the provider's word on an attempt, and what follows of it. The same word again changes nothing.

Once failed or expired an attempt may still succeed: Daraja's "unreachable" is no proof that the
customer did not pay. Once succeeded it never fails: a later no is an alert.
"""

from collections.abc import Mapping
from dataclasses import replace as changed
from datetime import UTC
from typing import Any
from uuid import UUID

from services import audit, inbox, jobs, webhooks
from services.errors import InvalidMethodDetails
from services.jobs import COLLECT_LADDER
from services.money import Money
from services.news import Doubt, Frozen, SettingsWrong, Unpaid
from services.payments import doubt, expiry
from services.payments.credit import credit, told_again, told_of_another
from services.payments.details import KINDS, method_of, read_told
from services.payments.record import (
    LIVE,
    NOT_SUCCEEDED,
    Attempt,
    alert,
    in_the_way,
    locked,
    move,
    move_order,
    move_payment,
    still_open,
    tell,
    unpaid,
)
from services.people import people
from services.points import point
from services.providers.base import Failed, Pending, Report, Succeeded, Word
from services.review.overtaken import confirm, confirmed, contradicted, overtaken
from services.review.record import UNHEARD
from services.withdrawals.freeze import freeze_all
from services.work import Work

_JOBS = ("collect", "collect_check", "collect_expire")
_OF_PAGE = "page_close"
_BY_HAND = "payment_check"  # until it is paid; after that it asks whether it stands
_REVIEWED = "payment"


async def settle(work: Work, attempt_id: UUID, word: Word) -> bool:
    """Take the provider's word, from a query or a callback that has been matched to the attempt.

    Returns whether that settled it; else the provider is to be asked again.
    """
    attempt = await locked(work, attempt_id)
    match word:
        case Succeeded():
            return await _succeeded(work, attempt, word)
        case Failed():
            return await _failed(work, attempt, word)
        case Pending():
            await _pending(work, attempt, word)
            return False


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
    match report.word:
        case Succeeded(amount=None):
            await _unclear(work, attempt, Pending("a success without an amount", unheard=True))
        case Succeeded() as word if _needs_confirming(attempt, word, confirm_above):
            await _confirm(work, attempt, word)
        case Pending() if report.facts.get("ask"):
            await _ask_now(work, attempt)
        case Pending() as word:
            await _unclear(work, attempt, word)
        case word:
            await settle(work, attempt_id, word)


async def expire(work: Work, attempt_id: UUID, because: Unpaid = Unpaid.EXPIRED) -> None:
    """Nothing was heard in time: the customer may try again. Money that still arrives is honoured."""
    attempt = await locked(work, attempt_id)
    expired = await move(work, attempt, *LIVE, state="expired", resolved_at=work.now, asked=False)
    await jobs.finish(work, attempt.id, *_JOBS)
    if expired:
        point("payment.expired")
        reopened = await _reopen(work, attempt, "expired")
        if reopened and attempt.doubt is None:
            await tell(work, attempt, unpaid(attempt, because))
    if attempt.doubt is not None:
        await doubt.stays(work, attempt)


async def found_unpaid(work: Work, attempt_id: UUID, detail: str) -> None:
    """People have found that nothing of it counts: what came in, if anything, was given back at the provider.
    The order can be paid anew, where it is not being paid by another attempt already; a success that is told
    after all is honoured."""
    attempt = await locked(work, attempt_id)
    ended = {"because": Unpaid.PROVIDER, "detail": detail, "doubt": None, "resolved_at": work.now}
    if not await move(work, attempt, *NOT_SUCCEEDED, state="failed", asked=False, **ended):
        return
    await jobs.finish(work, attempt.id, *_JOBS, _BY_HAND)
    if await in_the_way(work, attempt.payment_id):
        return
    reopened = await _reopen(work, attempt, "failed")
    if reopened or (attempt.doubt is not None and not attempt.paid):
        await tell(work, attempt, unpaid(attempt, Unpaid.PROVIDER))


async def replace(work: Work, attempt_id: UUID) -> None:
    """Another attempt takes its place. The provider is still asked about it, for money that came late."""
    attempt = await locked(work, attempt_id)
    await move(work, attempt, *LIVE, state="expired", resolved_at=work.now, asked=False)
    await jobs.finish(work, attempt.id, "collect", "collect_expire")


async def _succeeded(work: Work, attempt: Attempt, word: Succeeded) -> bool:
    receipt = word.receipt or attempt.receipt
    if word.amount is not None and word.amount != attempt.amount:
        await doubt.other_amount(work, attempt, word)
        return False
    if word.amount is None and attempt.doubt == Doubt.OTHER_AMOUNT:
        await doubt.keep(work, attempt, word)
        await _say_open(work, attempt)
        return False
    if await told_of_another(work, attempt, receipt):
        return True
    attempt, paid_with = _paid_with(work, attempt, word.method)
    done = {"state": "succeeded", "receipt": receipt, "resolved_at": work.now, "asked": False, "doubt": None}
    if await move(work, attempt, *NOT_SUCCEEDED, **done, **paid_with):
        point("payment.moved")
        await _outrun(work, attempt, "not_paid")
        await jobs.finish(work, attempt.id, *_JOBS, _OF_PAGE, _BY_HAND)
        await credit(work, attempt, receipt)
        if attempt.method_id is not None and word.method is not None:
            await expiry.learn(work, attempt.person_id, attempt.method_id, word.method)
    else:
        await told_again(work, attempt, receipt)
        if _was_reviewed(work, attempt):
            await confirm(work, _REVIEWED, attempt.id)
    return True


async def _outrun(work: Work, attempt: Attempt, otherwise: str) -> None:
    """The provider has spoken: what people wait to approve is void, and what they settled `otherwise` was
    wrong."""
    if not _was_reviewed(work, attempt):
        return
    await overtaken(work, _REVIEWED, attempt.id)
    await contradicted(work, _REVIEWED, attempt.id, otherwise)


async def _denied_after_all(work: Work, attempt: Attempt) -> None:
    """A no to what people alone have settled as paid: the wallet may have what never came."""
    if not _was_reviewed(work, attempt) or await confirmed(work, _REVIEWED, attempt.id):
        return
    if await contradicted(work, _REVIEWED, attempt.id, "paid"):
        await freeze_all(work, Frozen.CONTRADICTION)


def _was_reviewed(work: Work, attempt: Attempt) -> bool:
    """Whether people may have looked at it: not while it is asked about, as nearly all are that end."""
    return not attempt.live or work.now - attempt.created_at >= UNHEARD


def _paid_with(
    work: Work, attempt: Attempt, told: Mapping[str, str] | None
) -> tuple[Attempt, dict[str, Any]]:
    """A new method that may be charged again is known by what the provider tells of it."""
    if told is None or attempt.method_id is not None or attempt.provider not in KINDS:
        return attempt, {}
    try:
        known = read_told(attempt.provider, told)
    except InvalidMethodDetails:
        return attempt, {}
    label = method_of(attempt.provider, known).label
    sealed = work.seal(known, "attempts.details", attempt.id)
    return changed(attempt, details=known, label=label), {"details_sealed": sealed, "label": label}


async def _failed(work: Work, attempt: Attempt, word: Failed) -> bool:
    if word.ours:
        await _settings_wrong(work, attempt, word.detail)
    if attempt.state == "succeeded":
        await alert(work, attempt, "payment.failed_after_success", detail=word.detail)
        await _denied_after_all(work, attempt)
        return True
    if attempt.doubt is not None:
        await doubt.denied(work, attempt, word)
        await _say_open(work, attempt)
        return False
    failure = {"because": word.because, "detail": word.detail, "resolved_at": work.now, "asked": False}
    await _outrun(work, attempt, "paid")
    if await move(work, attempt, *LIVE, state="failed", **failure):
        if await _reopen(work, attempt, "failed"):
            await tell(work, attempt, unpaid(attempt, word.because))
        if attempt.page is not None:  # one that can still be paid
            await jobs.schedule(work, _OF_PAGE, attempt.id, work.now)
    elif attempt.asked:
        await move(work, attempt, "failed", "expired", asked=False)
        if not attempt.paid:
            await tell(work, attempt, unpaid(attempt, word.because))
    await jobs.finish(work, attempt.id, *_JOBS)
    return True


async def _reopen(work: Work, attempt: Attempt, status: str) -> bool:
    """Back to an order that can be paid; False where the person no longer waited."""
    if not await move_payment(work, attempt, "awaiting_customer", "pending", status=status):
        return False
    webhooks.tell(work, f"payment.{status}", attempt.payment_id)
    await move_order(work, attempt.order_id, "awaiting_payment", to="open")
    return True


async def _pending(work: Work, attempt: Attempt, word: Pending) -> None:
    if word.unheard:
        await alert(work, attempt, "payment.unheard_code", detail=word.detail)
    if word.ours:
        await _settings_wrong(work, attempt, word.detail)
    await _say_open(work, attempt)


async def _say_open(work: Work, attempt: Attempt) -> None:
    """To who asked."""
    if attempt.asked and not attempt.paid:
        await move(work, attempt, *NOT_SUCCEEDED, asked=False)
        await tell(work, attempt, still_open(attempt))


async def _settings_wrong(work: Work, attempt: Attempt, detail: str) -> None:
    """Every customer who tries meets it; those who reconcile hear of it once in an hour of the clock."""
    this_hour = work.now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    told = await audit.alerted(work, "payment.misconfigured", since=this_hour)
    await alert(work, attempt, "payment.misconfigured", detail=detail)
    if not told:
        news = SettingsWrong(provider=attempt.provider)
        await inbox.tell_people(work, await people.reconcilers(work), news)


async def _unclear(work: Work, attempt: Attempt, word: Pending) -> None:
    """Neither a yes nor a no: where nobody asks about it any more, it is asked about again."""
    await settle(work, attempt.id, word)
    if attempt.state in ("failed", "expired"):
        await jobs.schedule(work, "collect_check", attempt.id, work.now)


async def _ask_now(work: Work, attempt: Attempt) -> None:
    """Of one that is paid: whether it still is."""
    paid = attempt.state == "succeeded"
    await jobs.schedule(work, "payment_check" if paid else "collect_check", attempt.id, work.now)


def _needs_confirming(attempt: Attempt, word: Succeeded, confirm_above: Money | None) -> bool:
    large = confirm_above is not None and attempt.amount > confirm_above
    return large and word.amount == attempt.amount and attempt.state != "succeeded"


async def _confirm(work: Work, attempt: Attempt, word: Succeeded) -> None:
    if await told_of_another(work, attempt, word.receipt):
        return
    unconfirmed = {"receipt": word.receipt, "doubt": Doubt.UNCONFIRMED}
    await move(work, attempt, *NOT_SUCCEEDED, **unconfirmed)
    await doubt.keep(work, attempt, word)
    await jobs.schedule(work, "collect_check", attempt.id, work.now)


async def _learn_reference(work: Work, attempt: Attempt, report: Report) -> None:
    """Theirs to ask by: the one that the report calls so, or the only one."""
    reference = report.facts.get("reference")
    if reference is None and len(report.references) == 1:
        (reference,) = report.references
    if attempt.reference is None and isinstance(reference, str):
        sealed = work.seal(reference, "attempts.reference", attempt.id)
        await move(work, attempt, *NOT_SUCCEEDED, "succeeded", reference_sealed=sealed)
        if attempt.state == "unknown":  # it can be asked about now, and so is not given up blindly
            await jobs.finish(work, attempt.id, "collect_expire")
            await jobs.again(work, "collect_check", attempt.id, COLLECT_LADDER)
