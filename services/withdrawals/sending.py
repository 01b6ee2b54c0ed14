"""Payout: sending an approved withdrawal, in steps around the network calls that the edge makes.

`begin_payout` commits that we are about to send; the edge sends; `payout_answered` takes the answer.
A crash between the two is found by the job and becomes *unknown*: then the provider is asked, at
growing waits, and nothing is ever sent again.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import approval, breakers, dispatch, hooks, inbox, jobs, webhooks
from services.dispatch import FROZEN_WAIT, PAYOUT, alert
from services.jobs import PAYOUT_LADDER
from services.news import Frozen, Held, PayoutUndecided, Unpaid, Unsent
from services.people import people
from services.providers.abilities import Payout
from services.providers.base import Accepted, Answer, Failed, Misconfigured, NotSent, Refused, Report, Unknown
from services.review import queue
from services.store.schema import payouts
from services.withdrawals import floats, limits, turns, ways
from services.withdrawals.again import EXECUTION_WINDOW, ask_again
from services.withdrawals.attempt import Sending, sending
from services.withdrawals.destinations import COLUMN, indexes, recipient_of
from services.withdrawals.freeze import freeze, hold_back, restored
from services.withdrawals.record import WITHDRAWAL, facts, shown
from services.withdrawals.settle import answered, fail, settle
from services.work import Work

# Nobody can be asked about it: for so long its result may still come, and then somebody has to look.
_NAMELESS_LADDER = PAYOUT_LADDER[:3]
_SHORT_AT_MOST = timedelta(hours=24)
_LADDER = sum(PAYOUT_LADDER, timedelta())


@dataclass(frozen=True)
class Question(dispatch.Question):
    """What `PaysOut.ask` takes."""

    method_type: str


async def begin_payout(work: Work, payout_id: UUID, public_url: str) -> Payout | None:
    """The payout to send after the commit; None when there is nothing to send, or not now."""
    one = await sending(work, payout_id)
    if one.row.state == "submitting":  # whoever began before us never came back
        await PAYOUT.lost(work, payout_id)
        return None
    if one.row.state != "created":
        await jobs.finish(work, payout_id, "payout")
        return None
    if await restored(work):
        await _lay_before_people(work, one)
        return None
    doubt = await _doubt(work, one)
    if doubt in (Unsent.TOO_LATE, Unsent.APPROVER):
        await ask_again(work, one, doubt)
        return None
    if doubt is not None:
        await alert(work, one, "payout.not_sent", detail=doubt)
        await fail(work, one, doubt, "not sent")
        return None
    if await _waits(work, one) or not await _begun(work, one):
        return None
    return await _payout(work, one, public_url)


async def payout_answered(work: Work, payout_id: UUID, answer: Answer) -> None:
    """Take the answer to the payout that `begin_payout` gave out.

    Refused ends the withdrawal, unless its cause is ours. Misconfigured is as definite, but the fault is
    ours: the same payout is sent once this way out goes on.
    """
    one = await sending(work, payout_id)
    match answer:
        case Accepted():
            known = {"reference": answer.reference, "recipient": answer.recipient}
            await PAYOUT.accepted(work, one.row, **known)
            if answer.told is not None:
                await answered(work, payout_id, answer.told)
        case Refused():
            await settle(work, payout_id, Failed(answer.because, answer.detail, answer.ours))
        case NotSent():
            if not await PAYOUT.not_sent(work, payout_id, answer.detail):
                await settle(work, payout_id, Failed(Unpaid.PROVIDER, answer.detail))
        case Misconfigured():
            not_sent = {"state": "created", "undecided_at": None}
            if await PAYOUT.move(work, payout_id, "submitting", "unknown", **not_sent):
                await freeze(work, one, Frozen.SETTINGS, answer.detail)
                await jobs.finish(work, payout_id, "payout_check")
                await hold_back(work, payout_id, Held.RAIL)
        case Unknown():
            await PAYOUT.lost(work, payout_id)


async def begin_payout_check(work: Work, payout_id: UUID, public_url: str) -> Question | None:
    """Whom to ask after the commit, the next time being due already; None when it is decided."""
    one = await sending(work, payout_id)
    if one.row.state not in ("pending", "unknown"):
        await jobs.finish(work, payout_id, "payout_check")
        return None
    if await ways.wrongly_set(work, one.withdrawal.method_type):
        # Every question with a wrong initiator counts as a failed login.
        if one.row.undecided_at is None and work.now - one.row.created_at > _LADDER:
            await _undecided(work, one)
        await jobs.schedule(work, "payout_check", payout_id, work.now + FROZEN_WAIT)
        return None
    asked = None if one.nameless else await breakers.open_until(work, one.row.provider, "payout_check")
    if asked is not None:
        await jobs.schedule(work, "payout_check", payout_id, asked)
        return None
    ladder = _NAMELESS_LADDER if one.nameless else PAYOUT_LADDER
    if not await jobs.again(work, "payout_check", payout_id, ladder):
        await _undecided(work, one)
        await jobs.schedule(work, "payout_check", payout_id, work.now + PAYOUT_LADDER[-1])
    if one.nameless:
        return None
    return Question(
        provider=one.row.provider,
        attempt_id=payout_id,
        reference=one.row.reference,
        callback_url=await hooks.address(work, public_url, "query", payout_id),
        timeout_url=await hooks.address(work, public_url, "query_timeout", payout_id),
        method_type=one.withdrawal.method_type,
    )


async def payout_check_answered(work: Work, payout_id: UUID, answer: Answer) -> None:
    """The word itself comes by callback where the answer does not tell it; a refusal for our settings is
    news too."""
    match answer:
        case Misconfigured():
            await freeze(work, await sending(work, payout_id), Frozen.SETTINGS, answer.detail)
        case Accepted(told=Report() as told):
            await answered(work, payout_id, told)


async def _lay_before_people(work: Work, one: Sending) -> None:
    """It may have been sent since the backup was made, by this id or a lost one: the provider, asked by this,
    would deny what it has paid by the other."""
    if not await turns.take(work, one):
        await hold_back(work, one.row.id, Held.TURN)
        return
    await PAYOUT.move(work, one.row.id, "submitting", state="unknown")
    await jobs.finish(work, one.row.id, "payout")
    await _undecided(work, one)


async def _undecided(work: Work, one: Sending) -> None:
    """Asked on, every few hours; those who reconcile are told the first time, and settle it."""
    await alert(work, one, "payout.undecided", to_do="Look the payout up in the provider's own books.")
    if one.row.undecided_at is None:
        await queue.mark(work, payouts, one.row.id)
        news = PayoutUndecided(withdrawal=await shown(work, one.withdrawal.id, carrier=one.row.provider))
        await inbox.tell_people(work, await people.reconcilers(work), news)


async def _waits(work: Work, one: Sending) -> bool:
    """Whether it is not sent now, and is due again when it may be."""
    payout_id = one.row.id
    tenant = await people.tenant_of(work)
    if tenant.payouts_frozen or tenant.stopped_at is not None:
        await hold_back(work, payout_id, Held.STOPPED)
        return True
    if await ways.cause(work, one.withdrawal.method_type) is not None:
        await hold_back(work, payout_id, Held.RAIL)
        return True
    if (until := limits.blocked_until(work, tenant)) is not None:
        await PAYOUT.move(work, payout_id, "created", not_before=until)
        await hold_back(work, payout_id, Held.HOURS, until)
        return True
    if await floats.waits(work, one, partial(_held_short, work, one)):
        return True
    if (until := await breakers.open_until(work, one.row.provider, "payout")) is not None:
        await jobs.schedule(work, "payout", payout_id, until)
        return True
    return False


async def _doubt(work: Work, one: Sending) -> Unsent | None:
    """Why this may not be sent any more: everything that was approved is checked once more."""
    row = one.withdrawal
    if row.status != "processing":
        return Unsent.ALTERED
    if row.details_index not in indexes(work, work.open(row.details_sealed, COLUMN, row.id)):
        return Unsent.ALTERED
    operation = await approval.locked(work, WITHDRAWAL, row.id)
    if operation.state != "approved" or operation.digest != approval.digest(
        work.tenant, operation, facts(row)
    ):
        return Unsent.ALTERED
    least = await limits.least_now(work, await people.tenant_of(work), row)
    needed = max(operation.approvals_needed, least)
    if len(await approval.approvers(work, WITHDRAWAL, operation)) < needed:
        return Unsent.APPROVER
    # Hours that the tenant has closed were known when it was approved, so they do not count.
    since = max(one.row.created_at, one.row.not_before or one.row.created_at)
    if work.now - since > EXECUTION_WINDOW:
        before = await turns.went_before(work, one)
        if before is None or work.now - before > EXECUTION_WINDOW:
            return Unsent.TOO_LATE
    return None


async def _begun(work: Work, one: Sending) -> bool:
    """It is being sent from now on. False where another one was quicker: to its turn, or to the money."""
    if not await turns.take(work, one):
        await hold_back(work, one.row.id, Held.TURN)
        return False
    if not await floats.taken(work, one):
        await PAYOUT.move(work, one.row.id, "submitting", state="created", held=one.row.held)
        await floats.hold(work, one, partial(_held_short, work, one))
        return False
    if one.row.detail is None:  # not again where it had not left
        webhooks.tell(work, "withdrawal.processing", one.withdrawal.id)
    return True


async def _held_short(work: Work, one: Sending) -> None:
    """Its account is short. For a day that is no delay that its approval does not cover: its people know what
    it waits for."""
    if work.now - one.row.created_at < _SHORT_AT_MOST:
        await PAYOUT.move(work, one.row.id, "created", not_before=work.now)
    await hold_back(work, one.row.id, Held.FLOAT)


async def _payout(work: Work, one: Sending, public_url: str) -> Payout:
    row: sa.Row[Any] = one.withdrawal
    payout_id = one.row.id
    return Payout(
        provider=one.row.provider,
        attempt_id=payout_id,
        amount=one.amount,
        method_type=row.method_type,
        details=work.open(row.details_sealed, COLUMN, row.id),
        callback_url=await hooks.address(work, public_url, "payout", payout_id),
        timeout_url=await hooks.address(work, public_url, "payout_timeout", payout_id),
        remarks=f"Withdrawal {str(row.id)[-12:]}",
        recipient=await recipient_of(work, row, one.row.provider),
    )
