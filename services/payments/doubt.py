"""Doubt: a success was told of a payment, and may not be credited, or not yet.

A query knows no amount, so after a callback with another one its yes proves nothing; and once a success
was told, a no is a contradiction and not a failure. The provider is asked to the end of the ladder; then
people look, and the customer is warned before they pay again.
"""

from services import inbox, jobs
from services.money import Money
from services.news import Doubt, OrderInDoubt, PaymentInDoubt
from services.payments.record import NOT_SUCCEEDED, Attempt, alert, move, tell
from services.people import people
from services.providers.base import Failed, Succeeded
from services.work import Work

_TO_DO = (
    "Nothing was credited. Look the receipt up in the provider's own books: what came in there is given "
    "back there, and the order can be paid again."
)


async def other_amount(work: Work, attempt: Attempt, word: Succeeded) -> None:
    """A success that tells another amount than ours."""
    facts = {"told": _shown(word.amount, attempt.amount), "receipt": word.receipt, "to_do": _TO_DO}
    await alert(work, attempt, "payment.amount_mismatch", **facts)
    if attempt.doubt != Doubt.OTHER_AMOUNT and await move(
        work, attempt, *NOT_SUCCEEDED, doubt=Doubt.OTHER_AMOUNT
    ):
        await _tell_reconcilers(work, attempt, Doubt.OTHER_AMOUNT, word.receipt, word.amount)
        if not attempt.live:  # and so nobody asks any more
            await jobs.schedule(work, "collect_check", attempt.id, work.now)


async def denied(work: Work, attempt: Attempt, word: Failed) -> None:
    """A no, after a success was told."""
    if attempt.doubt == Doubt.UNCONFIRMED:
        await move(work, attempt, *NOT_SUCCEEDED, doubt=Doubt.CONTRADICTED)
        await alert(work, attempt, "payment.contradicted", detail=word.detail, receipt=attempt.receipt)


async def stays(work: Work, attempt: Attempt) -> None:
    """Nobody is asked any more. Another amount was told to the staff when it came."""
    if attempt.doubt not in (None, Doubt.OTHER_AMOUNT):
        await alert(work, attempt, "payment.in_doubt", receipt=attempt.receipt, to_do=_TO_DO)
        await _tell_reconcilers(work, attempt, attempt.doubt, attempt.receipt, None)
    if not attempt.paid:
        news = PaymentInDoubt(
            payment_id=attempt.payment_id,
            order_id=attempt.order_id,
            number=attempt.number,
            amount=attempt.amount,
            provider=attempt.provider,
        )
        await tell(work, attempt, news)


def _shown(told: Money | None, ours: Money) -> str:
    """With its currency, where that is the difference."""
    if told is None or told.currency == ours.currency:
        return str(told)
    return f"{told.currency} {told}"


async def _tell_reconcilers(
    work: Work, attempt: Attempt, because: Doubt, receipt: str | None, told: Money | None
) -> None:
    news = OrderInDoubt(
        number=attempt.number,
        amount=attempt.amount,
        receipt=receipt,
        because=because,
        told=told,
        provider=attempt.provider,
    )
    await inbox.tell_people(work, await people.reconcilers(work), news)
