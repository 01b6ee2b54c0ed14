"""Still paid: whether a payment stands at its provider. M-Pesa tells nobody when it gives one back by itself,
so those who reconcile have it asked; what is found is booked as taken back. Paystack tells that something of
a payment has changed, and what it is only its list of the payment's refunds tells.

One that was told and is not believed yet is asked about in the same way, by its receipt: was it made?"""

from uuid import UUID

import sqlalchemy as sa

from services import audit, hooks, jobs
from services.jobs import COLLECT_LADDER, STANDS_LADDER
from services.news.refunds import Way
from services.payments.record import Attempt, alert, locked
from services.payments.settle import expire, settle
from services.people import people
from services.people.access import RECONCILE
from services.providers import PROVIDERS
from services.providers.base import (
    Accepted,
    Answer,
    Misconfigured,
    NotSent,
    Pending,
    Report,
    Succeeded,
    Unknown,
)
from services.refunds.listed import listed
from services.refunds.record import unpaid
from services.refunds.sending import Question
from services.refunds.taken_back import may_be_ours, taken, taken_back
from services.store.schema import attempts
from services.work import Work


async def ask(work: Work, by: UUID, payment_id: UUID) -> None:
    """Have the provider asked now, also about what was paid twice. Raises MissingScope, NotFound, NotPaid."""
    await people.require(work, by, RECONCILE)
    query = sa.select(attempts.c.id).where(
        attempts.c.tenant_id == work.tenant,
        attempts.c.payment_id == payment_id,
        attempts.c.state == "succeeded",
    )
    paid = (await work.connection.execute(query.order_by(attempts.c.id))).scalars().all()
    if not paid:
        raise await unpaid(work, payment_id)
    for attempt_id in paid:
        await jobs.schedule(work, "payment_check", attempt_id, work.now)
    await audit.record(work, by, "payment.checked", payment_id, {})


async def hinted(work: Work, attempt_id: UUID, *, lost: Succeeded | None = None) -> None:
    """The provider has told that something has changed: it is asked at once. A dispute that was `lost` moves
    nothing by itself, so somebody should see that what it took is listed, and booked."""
    if lost is not None:
        facts = {"reference": lost.receipt, "told": str(lost.amount)}
        await alert(work, await locked(work, attempt_id), "payment.dispute_lost", **facts)
    await jobs.schedule(work, "payment_check", attempt_id, work.now)


async def begin_check(work: Work, attempt_id: UUID, public_url: str) -> Question | None:
    """Whom to ask after the commit; None where nothing can be asked by. Where no answer comes it is asked a
    few times more."""
    attempt = await locked(work, attempt_id)
    rules = PROVIDERS[attempt.provider].refunds
    by_payment = rules is not None and rules.by_payment
    same = by_payment and await may_be_ours(work, attempt)  # the refund's own question
    if attempt.receipt is None or same:
        await jobs.finish(work, attempt_id, "payment_check")
        return None
    about = "refunded_query"
    if attempt.state != "succeeded":
        about = "paid_query"
        if not await _again(work, attempt_id):
            return None
    elif not await jobs.again(work, "payment_check", attempt_id, STANDS_LADDER):
        await jobs.finish(work, attempt_id, "payment_check")
    return Question(
        provider=attempt.provider,
        way=Way.REVERSAL,
        attempt_id=attempt_id,
        receipt=attempt.receipt,
        reference=attempt.reference if by_payment else None,
        callback_url=await hooks.address(work, public_url, hooks.of_payment(about), attempt_id),
        timeout_url=await hooks.address(work, public_url, hooks.of_payment("query_timeout"), attempt_id),
    )


async def _again(work: Work, attempt_id: UUID) -> bool:
    """Its answer may be lost: it is asked about until it is settled, and given up in the end."""
    if await jobs.again(work, "payment_check", attempt_id, COLLECT_LADDER):
        return True
    await jobs.finish(work, attempt_id, "payment_check")
    await expire(work, attempt_id)
    return False


async def check_answered(work: Work, attempt_id: UUID, answer: Answer) -> None:
    """The word itself comes by callback where the answer does not tell it."""
    succeeded = (await locked(work, attempt_id)).state == "succeeded"
    if succeeded and isinstance(answer, NotSent | Unknown):
        return
    if succeeded:
        await jobs.rest(work, attempt_id, "payment_check")
    if isinstance(answer, Misconfigured) and not succeeded:
        await settle(work, attempt_id, Pending(answer.detail, ours=True))
    elif isinstance(answer, Misconfigured):
        facts = {"detail": answer.detail}
        await audit.record(work, audit.PROVIDER, "refund.misconfigured", attempt_id, facts, alert=True)
    elif isinstance(answer, Accepted) and answer.told is not None:
        await told(work, attempt_id, answer.told)


async def told(work: Work, attempt_id: UUID, report: Report) -> None:
    """Only a yes about this very payment counts, and what is booked already is not booked again."""
    attempt = await locked(work, attempt_id)
    if report.about == "collect":
        await _made(work, attempt, report)
        return
    if "refunds" in report.facts:
        await listed(work, attempt_id, report.facts["refunds"])
        return
    ours = attempt.receipt is not None and report.facts.get("original") == attempt.receipt
    if ours and isinstance(report.word, Succeeded) and not await taken(work, attempt):
        await taken_back(work, attempt_id, f"reversed-{attempt.receipt}", attempt.amount)


async def _made(work: Work, attempt: Attempt, report: Report) -> None:
    """Whether a payment that was told was made. A yes or a no counts where it is about this very receipt."""
    word = report.word
    if not isinstance(word, Pending) and attempt.receipt not in report.references:
        return
    settled = await settle(work, attempt.id, word)
    refused = isinstance(word, Pending) and word.ours  # asking on may lock the initiator out
    if settled or refused:
        await jobs.finish(work, attempt.id, "payment_check")
    if refused:
        await expire(work, attempt.id)
