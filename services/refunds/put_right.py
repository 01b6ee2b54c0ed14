"""Put right: what a refund's provider says against what was said before, by itself or by two people, as it is
done for payouts (`services/withdrawals/put_right`).

The books follow the money by entries of their own: what did not arrive lies again where it was taken from,
and may be asked for again. What was paid after all is taken like anything that a provider takes by itself.
"""

from services import audit, ledger, webhooks
from services.dispatch import REFUND
from services.ledger import SUSPENSE, Transfer, provider_account
from services.news.refunds import RefundMade, RefundTold, RefundUndone, Unrefunded, Way
from services.payments.record import tell as tell_payer
from services.refunds import taken_back
from services.refunds.attempt import Sending
from services.refunds.record import move as move_refund
from services.refunds.record import shown, tell
from services.refunds.standing import settle_standing
from services.work import Work

GIVEN_BACK = "refund_returned"  # reason of transfers


async def paid_after_all(work: Work, one: Sending, receipt: str | None) -> None:
    """A payment is reversed once, so a reversal may be one that was told before; a payout is a payout. The
    payer is told where they were told before that it had not arrived."""
    row, attempt = one.row, one.refund.attempt
    values = {"resolved_at": work.now, "receipt": receipt or row.receipt}
    if one.refund.row.way == Way.REVERSAL:
        booked = await taken_back.book(work, attempt, receipt or str(row.id), one.amount, ours=row.id)
        if booked:
            await REFUND.move(work, row.id, row.state, **values)
    else:
        booked = await REFUND.move(work, row.id, row.state, **values)
        await taken_back.left_late(work, attempt, row.id, one.amount)
    if booked and row.denied_at is not None:
        await tell_payer(work, attempt, made(one, receipt))


def made(one: Sending, receipt: str | None) -> RefundMade:
    """News: it has gone back."""
    attempt = one.refund.attempt
    return RefundMade(
        number=attempt.number,
        amount=one.amount,
        provider=attempt.provider,
        label=attempt.label,
        receipt=receipt,
        twice=one.refund.row.source == SUSPENSE,
    )


async def returned(work: Work, one: Sending, detail: str) -> None:
    """What had left has come back, which is noted. Of what was denied before, it is there already."""
    if one.has_left:
        await _undo(work, one, Unrefunded.RETURNED, detail)


async def denied(work: Work, one: Sending, detail: str) -> None:
    """Two people had settled it as made, and the provider, which had not said so, says that it failed."""
    if await REFUND.move(work, one.row.id, "succeeded", denied_at=work.now, resolved_at=work.now):
        await _undo(work, one, Unrefunded.DENIED, detail)


async def _undo(work: Work, one: Sending, because: Unrefunded, detail: str) -> None:
    """What was paid after all stands under the attempt, and its refund has failed already."""
    row, attempt, late = one.refund.row, one.refund.attempt, one.row.left_from is not None
    cause, source = (one.row.id, one.row.left_from) if late else (row.id, row.source)
    back = Transfer(provider_account(one.row.provider), source, one.amount, GIVEN_BACK)
    await ledger.post(work, cause, [back])
    await move_refund(work, row.id, "completed", status="failed", because=because, done_at=work.now)
    if row.source != SUSPENSE:
        await settle_standing(work, attempt)
    webhooks.tell(work, "payment.restored", attempt.payment_id)
    facts = one.known | {"order": attempt.number, "receipt": one.row.receipt, "detail": detail}
    before, after = (
        (None, None) if late else ({"status": row.status}, {"status": "failed", "because": because})
    )
    alert = because == Unrefunded.RETURNED  # the other one is an alert already
    action = f"refund.{because}"
    await audit.record(work, audit.PROVIDER, action, row.id, facts, before=before, after=after, alert=alert)
    if not late or one.row.denied_at is not None:
        news = RefundUndone(
            number=attempt.number,
            amount=one.amount,
            provider=attempt.provider,
            label=attempt.label,
            twice=row.source == SUSPENSE,
        )
        await tell_payer(work, attempt, news)
    told = RefundTold(refund=await shown(work, row.id), because=because)
    await tell(work, row.maker_id, None, told)
