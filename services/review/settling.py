"""Settling: one person says what became of something undecided, another approves it.

Locks are taken in one order: the payout or refund first, then the settlement's operation; so the provider's
word and people's decision come one after the other, and whichever is first counts.
"""

import re
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from services import approval, audit, inbox, jobs
from services.errors import NotFound, NotPending
from services.errors.review import (
    AmountDiffers,
    AmountNeeded,
    InvalidReference,
    NotUndecided,
    ReceiptUsed,
    SettlementWaits,
)
from services.money import Money
from services.news.review import Settlement, SettlementAsked, Undecided
from services.people import people
from services.phones import without_numbers
from services.points import point
from services.readable import is_blank, refuse_blank
from services.refunds.policy import as_sent, possible
from services.review import receipts, record, subject
from services.review.record import EXPIRY, KIND, move, moved, shown
from services.review.subject import Subject
from services.store.schema import settlements
from services.withdrawals import limits
from services.withdrawals.limits import Policy
from services.work import Work

MOST_NOTE = 300
MOST_REFERENCE = 100
# As each provider writes its receipts; of the others any word will do.
_RECEIPTS = {"mpesa": re.compile(r"[A-Z0-9]{8,12}"), "paystack": re.compile(r"[A-Za-z0-9_-]{6,50}")}
_WORD = re.compile(r"[A-Za-z0-9._/-]{4,50}")


async def propose(
    work: Work,
    maker: UUID,
    settlement_id: UUID,
    attempt_id: UUID,
    outcome: str,
    reference: str,
    note: str,
    amount: Money | None = None,
) -> Settlement:
    """Say that it was "paid", `reference` being the provider's receipt; or that it was "not_paid", and what
    says so. `amount`: how much the provider's records have under that receipt; it must be said where another
    one was told of a payment. The same id again returns the same settlement.

    Raises MissingScope, NotFound, NotUndecided, SettlementWaits, InvalidReference, ReceiptUsed, BlankReason,
    AmountNeeded, AmountDiffers.
    """
    await people.require(work, maker, KIND.ask)
    one = await subject.locked(work, attempt_id)
    if await _stands(work, maker, settlement_id):
        return await shown(work, settlement_id)
    await _refuse_decided(work, one)
    refuse_blank(note)
    told = await _reference(work, one, outcome, reference)
    if outcome == "paid":
        _refuse_other_amount(one.about, amount)
    row = {
        "tenant_id": work.tenant,
        "id": settlement_id,
        "payout_id": attempt_id if one.payout else None,
        "refund_attempt_id": attempt_id if one.refund else None,
        "payment_attempt_id": attempt_id if one.payment else None,
        "outcome": outcome,
        "reference": told,
        "note": without_numbers(" ".join(note.split()))[:MOST_NOTE],
        "state": "pending",
        "created_at": work.now,
    }
    tenant = await people.tenant_of(work)
    expires_at = work.now + timedelta(hours=tenant.approval_hours)
    facts = record.facts(SimpleNamespace(**row), one.about)
    takes = await _takes(work, tenant, maker, one)
    step_up = takes.step_up or limits.takes_step_up(tenant, one.about.amount.minor)
    needed = takes.approvals
    await approval.ask(
        work, KIND, settlement_id, maker, facts, needed=needed, expires_at=expires_at, step_up=step_up
    )
    await work.connection.execute(sa.insert(settlements).values(row))
    await jobs.schedule(work, EXPIRY, settlement_id, expires_at)
    await audit.record(work, maker, "settlement.asked", settlement_id, facts)
    settlement = await shown(work, settlement_id)
    others = await people.with_scope(work, KIND.approve) - {maker}
    await inbox.tell_people(work, others, SettlementAsked(settlement=settlement))
    point("settlement.asked")
    return settlement


async def receipt(work: Work, attempt_id: UUID, typed: str) -> str:
    """As the provider writes it, of something undecided.

    Raises NotFound, NotUndecided, SettlementWaits, AmountDiffers, InvalidReference, ReceiptUsed.
    """
    one = await subject.locked(work, attempt_id)
    await _refuse_decided(work, one)
    _refuse_firm(one.about)
    return await _reference(work, one, "paid", typed)


async def approve(
    work: Work, approver: UUID, settlement_id: UUID, shown_digest: str, code: str | None = None
) -> Settlement:
    """Approve exactly what was shown: it is taken as the provider's word would be, in the same transaction.

    Raises what `approval.may_approve` raises, NotUndecided, ReceiptUsed and AmountDiffers. A tried
    self-approval is recorded and a wrong code counted before it is refused, so the transaction must still be
    committed.
    """
    row = await record.found(work, settlement_id)
    one = await subject.locked(work, record.subject_of(row))
    step_up = limits.takes_step_up(await people.tenant_of(work), one.about.amount.minor)
    facts = record.facts(row, one.about)

    async def unless() -> None:
        if not one.is_open:
            # It is to be sent anew, or another one is sent for it: that one's word counts, nobody says this.
            raise NotUndecided(one.about.state)
        if row.outcome == "paid":
            await receipts.refuse_of_others(work, one, row.reference)

    try:
        operation = await approval.may_approve(
            work,
            KIND,
            approver,
            settlement_id,
            shown_digest,
            facts,
            code=code,
            step_up=step_up,
            guessed=partial(_guessed, work, settlement_id),
            unless=unless,
        )
    except NotPending as decided:
        raise await _as_it_stands(work, settlement_id, decided) from None
    try:
        async with work.connection.begin_nested():  # what is refused here is not approved either
            return await _approved(work, approver, row, one, operation)
    except IntegrityError:
        # Something else was given the receipt at this very moment; the database is the referee.
        if row.outcome == "paid" and await receipts.used(work, one, row.reference):
            raise ReceiptUsed(row.reference) from None
        raise


async def _approved(
    work: Work, approver: UUID, row: sa.Row[Any], one: Subject, operation: sa.Row[Any]
) -> Settlement:
    """Raises ReceiptUsed, and IntegrityError, where something else has had the receipt meanwhile."""
    if not await approval.add(work, KIND, approver, operation, record.facts(row, one.about)):
        return await shown(work, row.id)
    await move(work, row.id, "pending", "done")
    await jobs.finish(work, row.id, EXPIRY)
    point("settlement.decided")
    await _done(work, approver, row, one)
    point("settlement.done")
    return await moved(work, row.id, approver)


async def _guessed(work: Work, settlement_id: UUID) -> None:
    if await move(work, settlement_id, "pending", "void", "guessed"):
        await jobs.finish(work, settlement_id, EXPIRY)
        await moved(work, settlement_id)


async def reject(work: Work, approver: UUID, settlement_id: UUID, reason: str) -> Settlement:
    """Raises MissingScope, NotFound, NotPending, BlankReason."""
    try:
        await approval.reject(work, KIND, approver, settlement_id, reason)
    except NotPending as decided:
        raise await _as_it_stands(work, settlement_id, decided) from None
    return await _end(work, settlement_id, "rejected", approver, reason)


async def cancel(work: Work, person: UUID, settlement_id: UUID) -> Settlement:
    """The maker takes it back, or who may approve. Raises MissingScope, NotFound, NotPending."""
    try:
        await approval.cancel(work, KIND, person, settlement_id)
    except NotPending as decided:
        raise await _as_it_stands(work, settlement_id, decided) from None
    return await _end(work, settlement_id, "canceled", person)


async def expire(work: Work, settlement_id: UUID) -> None:
    """Nobody approved it in time; nothing where somebody decided."""
    if await approval.expire(work, KIND, settlement_id):
        await _end(work, settlement_id, "expired", None)
    elif (await record.found(work, settlement_id)).state != "pending":
        await jobs.finish(work, settlement_id, EXPIRY)


async def _done(work: Work, approver: UUID, row: sa.Row[Any], one: Subject) -> None:
    """Raises ReceiptUsed where something else has had the receipt meanwhile, and RuntimeError where the
    outcome could not be taken otherwise: a bug. Everything is as before then."""
    if row.outcome == "paid":
        await one.paid(work, row.reference)
    else:
        await one.not_paid(work)
    after = await subject.locked(work, one.about.id)
    if after.about.state != ("succeeded" if row.outcome == "paid" else "failed"):
        if row.outcome == "paid" and await receipts.used(work, one, row.reference):
            raise ReceiptUsed(row.reference)
        raise RuntimeError(f"settlement {row.id} was approved and {one.about.kind} is {after.about.state}")
    before = {one.about.kind: one.about.state, "status": one.status}
    now = {one.about.kind: after.about.state, "status": after.status}
    told = {"of": str(one.about.id), "reference": row.reference}
    await audit.record(work, approver, "settlement.done", row.id, told, before=before, after=now)


async def _end(
    work: Work, settlement_id: UUID, state: str, by: UUID | None, reason: str | None = None
) -> Settlement:
    await move(work, settlement_id, "pending", state)
    await jobs.finish(work, settlement_id, EXPIRY)
    return await moved(work, settlement_id, by, reason)


async def _takes(work: Work, tenant: sa.Row[Any], maker: UUID, one: Subject) -> Policy:
    """As much as sending it took; a payment that nobody had approved takes what a withdrawal of it would."""
    if one.payment is None:
        return await as_sent(work, maker, one.operation)
    return await possible(work, limits.of_sum(tenant, one.about.amount.minor), maker)


async def _stands(work: Work, maker: UUID, settlement_id: UUID) -> bool:
    """Raises NotFound for another's."""
    try:
        settlement = await shown(work, settlement_id)
    except NotFound:
        return False
    if settlement.maker_id != maker:
        raise NotFound("settlement")
    return True


async def _refuse_decided(work: Work, one: Subject) -> None:
    about = one.about
    if about.since is None or not one.is_open:
        raise NotUndecided(about.state)
    waits = await record.waiting(work, about.kind, about.id)
    if waits is not None:
        raise SettlementWaits((await shown(work, waits)).maker)


def _refuse_other_amount(about: Undecided, amount: Money | None) -> None:
    """What is credited is what was asked for: so that, and nothing else, is what the provider must have.
    Raises AmountNeeded, AmountDiffers."""
    _refuse_firm(about)
    if amount is None and about.differs:
        raise AmountNeeded(about.amount, about.others[-1].amount if about.others else None)
    if amount not in (None, about.amount):
        raise AmountDiffers(about.amount, amount)


def _refuse_firm(about: Undecided) -> None:
    """Raises AmountDiffers."""
    if about.firm is not None:
        raise AmountDiffers(about.amount, about.firm)


async def _reference(work: Work, one: Subject, outcome: str, typed: str) -> str:
    """A receipt in the provider's spelling. Raises InvalidReference, ReceiptUsed, AmountDiffers."""
    reference = " ".join(typed.split())
    if outcome == "paid":
        written = reference.upper() if one.about.provider == "mpesa" else reference
        if not _RECEIPTS.get(one.about.provider, _WORD).fullmatch(written):
            raise InvalidReference(reference[:40])
        await receipts.refuse_of_others(work, one, written)
        return written
    if is_blank(reference) or len(reference) > MOST_REFERENCE:
        raise InvalidReference(reference[:40])
    return without_numbers(reference)


async def _as_it_stands(work: Work, settlement_id: UUID, decided: NotPending) -> NotPending:
    """Who comes too late is told what has become of it, not only how it was decided."""
    state = (await record.found(work, settlement_id)).state
    return NotPending(decided.status if state == "pending" else state, decided.by, decided.at)
