"""Taken back: a provider gives a customer's payment back by itself: a reversal after a complaint, a dispute
that is lost, a refund made on its own pages. It is told, not asked for, and is booked whatever the wallet
holds."""

from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox, ledger, webhooks
from services.dispatch import REFUND
from services.ids import new_id
from services.ledger import OWED, SUSPENSE, WALLET, Transfer, provider_account
from services.money import Money
from services.news.refunds import MoneyTakenBack, PaymentDisputed, Unrefunded, Way
from services.payments.record import Attempt, alert
from services.payments.record import locked as locked_attempt
from services.people import people
from services.refunds import record
from services.refunds.came_back import STILL_GONE
from services.refunds.decide import close
from services.refunds.standing import settle_standing
from services.store.schema import refund_attempts, refunds, reversals
from services.work import Work


async def taken_back(
    work: Work, attempt_id: UUID, reference: str, amount: Money, *, surely: bool = False
) -> None:
    """The provider's word, matched to the attempt of a payment. `reference` is theirs: it counts once.

    Refunds that wait for a decision, or to be sent, end: the customer has the money. While the provider has
    been asked to reverse the payment this may be that very reversal, so it is asked, and nothing is booked;
    but where it is `surely` another one.
    """
    attempt = await locked_attempt(work, attempt_id)
    if attempt.state != "succeeded" or await _told_of_ours(work, reference):
        await alert(work, attempt, "payment.reversal_unmatched", reference=reference, told=str(amount))
        return
    await book(work, attempt, reference, amount, surely=surely)


async def unmatched(work: Work, attempt_id: UUID, reference: str, amount: Money) -> None:
    """It may be a refund of ours, of which nobody knows yet what became of it: nothing is booked. Once that
    one has ended, the payment is asked about again."""
    attempt = await locked_attempt(work, attempt_id)
    if not (await told_unbooked(work, attempt) or await _stands(work, attempt, reference)):
        await alert(work, attempt, "payment.reversal_unmatched", reference=reference, told=str(amount))


async def unclear(work: Work, attempt_id: UUID, detail: str) -> None:
    """Something of the kind was told, and cannot be read."""
    await alert(work, await locked_attempt(work, attempt_id), "payment.reversal_unreadable", detail=detail)


async def disputed(work: Work, attempt_id: UUID, reference: str, amount: Money) -> None:
    """A customer disputes it; nothing has moved yet."""
    attempt = await locked_attempt(work, attempt_id)
    if await audit.alerted(work, "payment.disputed", target=attempt.id):
        return
    await alert(work, attempt, "payment.disputed", reference=reference, told=str(amount))
    news = PaymentDisputed(number=attempt.number, amount=amount, provider=attempt.provider)
    await inbox.tell_people(work, await people.reconcilers(work), news)


async def book(
    work: Work,
    attempt: Attempt,
    reference: str,
    amount: Money,
    *,
    surely: bool = False,
    ours: UUID | None = None,
) -> bool:
    """From suspense where it still lies there, else from the wallet, and beyond it from what is owed. False
    where nothing was booked. `ours`: the attempt of a refund that was paid after all, under which it stands,
    so that it can come back."""
    if await _stands(work, attempt, reference):
        return False
    left = attempt.amount.minor - await taken(work, attempt)
    if amount.minor > left:
        await _beyond(work, attempt, reference, amount, Money(left, amount.currency))
        return False
    twice = await record.suspended(work, attempt.id)
    await _lock(work, attempt, amount, twice=twice)
    await _end_open(work, attempt)
    if not surely and await may_be_ours(work, attempt):
        await alert(work, attempt, "payment.reversal_unmatched", reference=reference, told=str(amount))
        return False
    await _put(work, attempt, ours or new_id(), reference, amount, twice=twice)
    return True


async def told_unbooked(work: Work, attempt: Attempt) -> bool:
    """That the payment was taken back has been told, and was not booked since it may be a refund of ours."""
    unbooked = ("payment.reversal_beyond", "payment.reversal_unmatched")
    return await audit.alerted(work, *unbooked, target=attempt.id)


async def left_late(work: Work, attempt: Attempt, refund_attempt: UUID, amount: Money) -> None:
    """A refund that had failed was paid out to the payer after all: it has left, whatever else goes back of
    the payment. It counts once, by its own id."""
    twice = await record.suspended(work, attempt.id)
    await _lock(work, attempt, amount, twice=twice)
    await _end_open(work, attempt)
    await _put(work, attempt, refund_attempt, str(refund_attempt), amount, twice=twice)


async def _lock(work: Work, attempt: Attempt, amount: Money, *, twice: bool) -> None:
    moved = {WALLET, OWED, provider_account(attempt.provider)} | ({SUSPENSE} if twice else set())
    await ledger.lock(work, moved, amount.currency)


async def _put(
    work: Work, attempt: Attempt, reversal_id: UUID, reference: str, amount: Money, *, twice: bool
) -> None:
    kept = twice and await record.left_in_suspense(work, attempt) >= amount
    owed = Money(0, amount.currency)
    if kept:
        back = Transfer(SUSPENSE, provider_account(attempt.provider), amount, "reversal")
        await ledger.post(work, reversal_id, [back])
    else:
        owed = await ledger.take_back(work, reversal_id, attempt.provider, amount) or owed
    await work.connection.execute(
        sa.insert(reversals).values(
            tenant_id=work.tenant,
            id=reversal_id,
            attempt_id=attempt.id,
            provider=attempt.provider,
            reference=reference,
            source="suspense" if kept else "wallet",
            amount=amount.minor,
            owed=owed.minor,
            currency=amount.currency,
            created_at=work.now,
        )
    )
    if not twice:
        await settle_standing(work, attempt)
    webhooks.tell(work, "payment.taken_back", attempt.payment_id)
    await alert(work, attempt, "payment.taken_back", reference=reference, told=str(amount), owed=str(owed))
    news = MoneyTakenBack(number=attempt.number, amount=amount, owed=owed, provider=attempt.provider)
    await inbox.tell_people(work, await people.reconcilers(work), news)


async def _beyond(work: Work, attempt: Attempt, reference: str, amount: Money, left: Money) -> None:
    """More than was left: it is not believed, and told once to whose debt it would be."""
    told = await audit.alerted(work, "payment.reversal_beyond", target=attempt.id)
    await alert(work, attempt, "payment.reversal_beyond", reference=reference, told=str(amount))
    if told:
        return
    none = Money(0, amount.currency)
    facts = {"number": attempt.number, "amount": amount, "provider": attempt.provider}
    news = MoneyTakenBack(**facts, owed=none, left=left)
    await inbox.tell_people(work, await people.reconcilers(work), news)


async def _end_open(work: Work, attempt: Attempt) -> None:
    """What was not sent is not sent any more."""
    for row in await record.open_of(work, attempt.id):
        one = record.Refunding(row, attempt)
        if row.status == "processing":
            stop = (
                sa.update(refund_attempts)
                .where(
                    refund_attempts.c.tenant_id == work.tenant,
                    refund_attempts.c.refund_id == row.id,
                    refund_attempts.c.state == "created",
                )
                .values(state="failed", because=Unrefunded.TAKEN_BACK, resolved_at=work.now)
                .returning(refund_attempts.c.id)
            )
            if (await work.connection.execute(stop)).first() is None:
                continue
        await record.withdraw(work, one)
        await close(work, one, row.status, "failed", because=Unrefunded.TAKEN_BACK)


async def _stands(work: Work, attempt: Attempt, reference: str) -> bool:
    query = sa.select(reversals.c.id).where(
        reversals.c.tenant_id == work.tenant,
        reversals.c.provider == attempt.provider,
        reversals.c.reference == reference,
    )
    return (await work.connection.execute(query)).first() is not None


async def taken(work: Work, attempt: Attempt) -> int:
    """Of the payment, by reversals of its own and by ours: it can be reversed once, whoever was paid out."""
    paid_out = sa.exists().where(
        refund_attempts.c.tenant_id == reversals.c.tenant_id,
        refund_attempts.c.id == reversals.c.id,
        refunds.c.tenant_id == refund_attempts.c.tenant_id,
        refunds.c.id == refund_attempts.c.refund_id,
        refunds.c.way == Way.PAYOUT,
    )
    its_own = sa.select(sa.func.coalesce(sa.func.sum(reversals.c.amount), 0)).where(
        reversals.c.tenant_id == work.tenant,
        reversals.c.attempt_id == attempt.id,
        sa.not_(paid_out),
        STILL_GONE,
    )
    ours = sa.select(sa.func.coalesce(sa.func.sum(refunds.c.amount), 0)).where(
        refunds.c.tenant_id == work.tenant,
        refunds.c.attempt_id == attempt.id,
        refunds.c.way == Way.REVERSAL,
        refunds.c.status == "completed",
    )
    return int(await work.connection.scalar(its_own) or 0) + int(await work.connection.scalar(ours) or 0)


async def may_be_ours(work: Work, attempt: Attempt) -> bool:
    """A reversal that we have asked for is under way: what became of it is asked now."""
    query = (
        sa.select(refund_attempts.c.id)
        .join(
            refunds,
            sa.and_(
                refunds.c.tenant_id == refund_attempts.c.tenant_id,
                refunds.c.id == refund_attempts.c.refund_id,
            ),
        )
        .where(
            refunds.c.tenant_id == work.tenant,
            refunds.c.attempt_id == attempt.id,
            refunds.c.way == Way.REVERSAL,
            refunds.c.status == "processing",
        )
    )
    under_way = (await work.connection.execute(query)).scalars().all()
    for each in under_way:
        await REFUND.ask_now(work, each)
    return bool(under_way)


async def _told_of_ours(work: Work, reference: str) -> bool:
    """It is a refund that we asked for ourselves, and that was not denied."""
    query = sa.select(refund_attempts.c.id).where(
        refund_attempts.c.tenant_id == work.tenant,
        refund_attempts.c.denied_at.is_(None),
        sa.or_(refund_attempts.c.receipt == reference, refund_attempts.c.reference == reference),
    )
    return (await work.connection.execute(query)).first() is not None
