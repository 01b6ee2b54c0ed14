"""Sending: an approved refund, in the steps of a dispatch. A refund has one attempt."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import sqlalchemy as sa

from services import breakers, dispatch, hooks, jobs
from services.dispatch import FROZEN_WAIT, REFUND, alert
from services.jobs import PAYOUT_LADDER
from services.news import Unpaid
from services.news.refunds import RefundTold, Unrefunded, Way
from services.people import people
from services.providers import PROVIDERS
from services.providers.abilities import Payout
from services.providers.base import Accepted, Answer, Failed, Misconfigured, NotSent, Refused, Unknown
from services.providers.refunds import Refund
from services.refunds.attempt import Sending, sending
from services.refunds.listed import listed
from services.refunds.policy import enough_now
from services.refunds.record import shown, still_approved, tell
from services.refunds.settle import fail, settle, told
from services.review import queue
from services.store.schema import jobs as due_jobs
from services.store.schema import refund_attempts
from services.withdrawals import floats, limits, ways
from services.withdrawals.freeze import restored
from services.work import Work

# The second clock: what was approved is sent within a day, or not at all.
_WINDOW = timedelta(hours=24)


@dataclass(frozen=True)
class Question(dispatch.Question):
    """About a refund: a reversal is known by `receipt` and `reference`, a payout by its id."""

    way: Way
    receipt: str


async def begin(work: Work, attempt_id: UUID, public_url: str) -> Refund | Payout | None:
    """What to send after the commit; None where there is nothing to send, or not now."""
    one = await sending(work, attempt_id)
    if one.row.state == "submitting":  # whoever began before us never came back
        await REFUND.lost(work, attempt_id)
        return None
    if one.row.state != "created":
        await jobs.finish(work, attempt_id, "refund")
        return None
    if await restored(work):  # as of payouts
        await REFUND.move(work, attempt_id, "created", state="unknown")
        await jobs.finish(work, attempt_id, "refund")
        await _undecided(work, one)
        return None
    row = one.refund.row
    if (
        row.status != "processing"
        or not await still_approved(work, row, _WINDOW)
        or not await enough_now(work, row)
    ):
        await alert(work, one, "refund.not_sent")
        late = work.now - one.row.created_at > _WINDOW
        await fail(work, one, Unrefunded.TOO_LATE if late else Unrefunded.APPROVER, "not sent")
        return None
    if await _waits(work, one):
        return None
    if one.way and not await floats.taken(work, one):  # another one was quicker to the money
        await floats.hold(work, one, partial(_held_short, work, one))
        return None
    await REFUND.move(work, attempt_id, "created", state="submitting")
    return await _message(work, one, public_url)


async def answered(work: Work, attempt_id: UUID, answer: Answer) -> None:
    """Take the answer to what `begin` gave out."""
    one = await sending(work, attempt_id)
    match answer:
        case Accepted():
            await REFUND.accepted(work, one.row, reference=answer.reference)
            if answer.told is not None:
                await told(work, attempt_id, answer.told)
        case Refused():
            await settle(work, attempt_id, Failed(answer.because, answer.detail, answer.ours))
        case Misconfigured():
            await settle(work, attempt_id, Failed(Unpaid.SHOP, answer.detail, ours=True))
        case NotSent():
            if not await REFUND.not_sent(work, attempt_id, answer.detail):
                await fail(work, one, Unrefunded.PROVIDER, answer.detail)
        case Unknown():
            await REFUND.lost(work, attempt_id)


async def begin_check(work: Work, attempt_id: UUID, public_url: str) -> Question | None:
    """Whom to ask after the commit, the next time being due already; None where it is decided."""
    one = await sending(work, attempt_id)
    if one.row.state not in ("pending", "unknown"):
        await jobs.finish(work, attempt_id, "refund_check")
        return None
    if (until := await breakers.open_until(work, one.row.provider, f"{_operation(one)}_check")) is not None:
        await jobs.schedule(work, "refund_check", attempt_id, until)
        return None
    if not await jobs.again(work, "refund_check", attempt_id, PAYOUT_LADDER):
        if work.now - one.row.created_at >= _patience(one):
            await _undecided(work, one)
        await jobs.schedule(work, "refund_check", attempt_id, work.now + PAYOUT_LADDER[-1])
    way, reference = Way(one.refund.row.way), await _known_by(work, one)
    rules = PROVIDERS[one.row.provider].refunds
    if way == Way.REVERSAL and rules is not None and rules.by_payment:
        reference = one.refund.attempt.reference
    about = "query" if way == Way.PAYOUT else "refund_query" if reference else "refunded_query"
    return Question(
        provider=one.row.provider,
        way=way,
        attempt_id=attempt_id,
        receipt=one.refund.attempt.receipt or "",
        reference=reference,
        callback_url=await hooks.address(work, public_url, hooks.of_refund(about), attempt_id),
        timeout_url=await hooks.address(work, public_url, hooks.of_refund("query_timeout"), attempt_id),
    )


async def check_answered(work: Work, attempt_id: UUID, answer: Answer) -> None:
    """The word itself comes by callback where the answer does not tell it."""
    if isinstance(answer, Misconfigured):
        await alert(work, await sending(work, attempt_id), "refund.misconfigured", detail=answer.detail)
        await jobs.schedule(work, "refund_check", attempt_id, work.now + PAYOUT_LADDER[-1])
    elif isinstance(answer, Accepted) and answer.told is not None:
        if (others := answer.told.facts.get("refunds")) is not None:
            await listed(work, (await sending(work, attempt_id)).refund.attempt.id, others)
        else:
            await told(work, attempt_id, answer.told)


async def _waits(work: Work, one: Sending) -> bool:
    """Whether it is not sent now, and is due again when it may be."""
    tenant = await people.tenant_of(work)
    if tenant.payouts_frozen or tenant.stopped_at is not None or await _way_rests(work, one):
        await jobs.schedule(work, "refund", one.row.id, work.now + FROZEN_WAIT)
        return True
    if (until := limits.blocked_until(work, tenant)) is not None:
        await jobs.schedule(work, "refund", one.row.id, until)
        return True
    if one.way and await floats.waits(work, one, partial(_held_short, work, one)):
        return True
    if (until := await breakers.open_until(work, one.row.provider, _operation(one))) is not None:
        await jobs.schedule(work, "refund", one.row.id, until)
        return True
    return False


async def _held_short(work: Work, one: Sending) -> None:
    """Its account is short: it looks again, within the day for which its approval is good."""
    await jobs.schedule(work, "refund", one.row.id, work.now + floats.LOOKS_AGAIN)


async def _message(work: Work, one: Sending, public_url: str) -> Refund | Payout:
    attempt_id, paid = one.row.id, one.refund.attempt
    about = "payout" if one.refund.row.way == Way.PAYOUT else "refund"
    callback = await hooks.address(work, public_url, hooks.of_refund(about), attempt_id)
    timeout = await hooks.address(work, public_url, hooks.of_refund(f"{about}_timeout"), attempt_id)
    remarks = f"Refund {paid.number}"
    if about == "refund":
        return Refund(
            provider=one.row.provider,
            attempt_id=attempt_id,
            amount=one.amount,
            receipt=paid.receipt or "",
            callback_url=callback,
            timeout_url=timeout,
            remarks=remarks,
        )
    return Payout(
        provider=one.row.provider,
        attempt_id=attempt_id,
        amount=one.amount,
        method_type=one.way,
        details=paid.details,
        callback_url=callback,
        timeout_url=timeout,
        remarks=remarks,
    )


def _operation(one: Sending) -> str:
    """What the provider is asked to do."""
    return "payout" if one.refund.row.way == Way.PAYOUT else "refund"


async def _way_rests(work: Work, one: Sending) -> bool:
    """Of one that is paid out; a reversal has no way out of its own."""
    return bool(one.way) and await ways.cause(work, one.way) is not None


async def _known_by(work: Work, one: Sending) -> str | None:
    """Theirs of the reversal. Every other time the payment itself is asked about, which tells too what others
    have made of it."""
    due = sa.select(due_jobs.c.tries).where(
        due_jobs.c.tenant_id == work.tenant,
        due_jobs.c.target_id == one.row.id,
        due_jobs.c.kind == "refund_check",
    )
    tries = await work.connection.scalar(due) or 0
    reference: str | None = one.row.reference
    return reference if one.refund.row.way == Way.PAYOUT or tries % 2 else None


def _patience(one: Sending) -> timedelta:
    """How long nobody has to look: for as long as the provider's banks may take with what it has accepted."""
    rules = PROVIDERS[one.row.provider].refunds
    accepted = one.refund.row.way == Way.REVERSAL and one.row.reference is not None
    return rules.takes if rules is not None and accepted else timedelta(0)


async def _undecided(work: Work, one: Sending) -> None:
    """Asked on, every few hours; those who reconcile are told the first time, and settle it."""
    await alert(work, one, "refund.undecided", to_do="Look the refund up in the provider's own books.")
    if one.row.undecided_at is None:
        await queue.mark(work, refund_attempts, one.row.id)
        news = RefundTold(refund=await shown(work, one.refund.row.id), undecided=True)
        await tell(work, one.refund.row.maker_id, None, news)
