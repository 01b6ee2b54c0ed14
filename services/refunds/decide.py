"""Decide: approve, reject, cancel, expire a refund. Four eyes as for every operation
(`services/approval`)."""

from functools import partial
from uuid import UUID

import sqlalchemy as sa

from services import approval, jobs, ledger
from services.errors.refunds import OwnPurchase
from services.ids import new_id
from services.ledger import PAYMENT_FEES, SUSPENSE, WALLET, Transfer
from services.news.refunds import PaymentKept, Refund, RefundTold, Unrefunded, Way
from services.payments.record import tell as tell_payer
from services.people import people
from services.points import point
from services.refunds import wishes
from services.refunds.record import KIND, Refunding, facts_of, free, locked, move, shown, tell
from services.store.schema import refund_attempts
from services.withdrawals import limits
from services.work import Work


async def approve(
    work: Work, approver: UUID, refund_id: UUID, shown_digest: str, code: str | None = None
) -> Refund:
    """Approve exactly what was shown. With the last approval needed it is made ready to be sent, or, where
    the shop keeps what was paid twice, done.

    Raises what `approval.may_approve` raises, OwnPurchase and PayoutsBlocked. A tried self-approval is
    recorded and a wrong code counted before it is refused, so the transaction must still be committed.
    """
    one = await locked(work, refund_id)
    tenant = await people.tenant_of(work)
    step_up = limits.takes_step_up(tenant, one.row.amount)
    facts = facts_of(one.row)

    async def unless() -> None:
        if one.row.way != Way.SALE:  # which leaves nobody
            if approver == one.attempt.person_id:
                raise OwnPurchase
            limits.refuse_blocked(work, tenant)

    with approval.as_it_stands(one.row.status):
        operation = await approval.may_approve(
            work,
            KIND,
            approver,
            refund_id,
            shown_digest,
            facts,
            code=code,
            step_up=step_up,
            guessed=partial(close, work, one, "pending", "canceled", because=Unrefunded.GUESSED),
            unless=unless,
        )
    if await approval.add(work, KIND, approver, operation, facts):
        await _process(work, approver, one)
    return await shown(work, refund_id)


async def reject(work: Work, approver: UUID, refund_id: UUID, reason: str) -> Refund:
    """A customer who has asked for it reads the reason too. Raises MissingScope, NotFound, NotPending,
    BlankReason."""
    await people.require(work, approver, KIND.approve)
    one = await locked(work, refund_id)
    with approval.as_it_stands(one.row.status):
        await approval.reject(work, KIND, approver, refund_id, reason, one.attempt.person_id)
    return await close(work, one, "pending", "rejected", by=approver, reason=reason)


async def cancel(work: Work, person: UUID, refund_id: UUID) -> Refund:
    """The maker takes it back, or who may approve. Raises MissingScope, NotFound, NotPending."""
    await people.require(work, person, KIND.ask)
    one = await locked(work, refund_id)
    with approval.as_it_stands(one.row.status):
        await approval.cancel(work, KIND, person, refund_id)
    return await close(work, one, "pending", "canceled", by=person)


async def expire(work: Work, refund_id: UUID) -> None:
    """Close what nobody decided in time."""
    one = await locked(work, refund_id)
    if await approval.expire(work, KIND, refund_id):
        await close(work, one, "pending", "expired")
    elif one.row.status != "pending":
        await jobs.finish(work, refund_id, "refund_expire")


async def close(
    work: Work,
    one: Refunding,
    before: str,
    status: str,
    *,
    by: UUID | None = None,
    reason: str | None = None,
    because: Unrefunded | None = None,
) -> Refund:
    """End it: nothing goes back, and what was held is available again. Those it concerns are told."""
    ended = {"status": status, "because": because, "done_at": work.now}
    if await move(work, one.row.id, before, **ended):
        await free(work, one.row, "expired" if status == "expired" else "voided")
        await jobs.finish(work, one.row.id, "refund_expire")
        news = RefundTold(
            refund=await shown(work, one.row.id),
            by=await people.name_of(work, by),
            reason=reason,
            because=because,
        )
        await tell(work, one.row.maker_id, by, news)
        await wishes.in_vain(work, one, by, reason)
    return await shown(work, one.row.id)


async def _process(work: Work, approver: UUID, one: Refunding) -> None:
    if not await move(work, one.row.id, "pending", status="processing"):
        return
    await jobs.finish(work, one.row.id, "refund_expire")
    if one.row.way == Way.SALE:
        await _keep(work, one)
    else:
        attempt_id = new_id()
        await work.connection.execute(
            sa.insert(refund_attempts).values(
                tenant_id=work.tenant,
                id=attempt_id,
                refund_id=one.row.id,
                provider=one.attempt.provider,
                state="created",
                created_at=work.now,
            )
        )
        await jobs.schedule(work, "refund", attempt_id, work.now)
        point("refund.created")
    name = await people.name_of(work, approver)
    news = RefundTold(refund=await shown(work, one.row.id), by=name)
    await tell(work, one.row.maker_id, approver, news)


async def _keep(work: Work, one: Refunding) -> None:
    """What was paid twice is a sale of its own, with the fee of one."""
    moves = [Transfer(SUSPENSE, WALLET, one.amount, "accepted")]
    fee = one.amount.share((await people.tenant_of(work)).payment_fee_ppm)
    if fee:
        moves.append(Transfer(WALLET, PAYMENT_FEES, fee, "sale_fee"))
    await ledger.post(work, one.attempt.id, moves)
    await move(work, one.row.id, "processing", status="completed", done_at=work.now)
    news = PaymentKept(number=one.attempt.number, amount=one.amount, reason=one.row.reason)
    await tell_payer(work, one.attempt, news)
