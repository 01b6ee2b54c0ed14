"""Doubt: a success was told of a payment, and may not be credited, or not yet.

A query knows no amount, so after a callback with another one its yes proves nothing; and once a success
was told, a no is a contradiction and not a failure. The provider is asked to the end of the ladder; then
people look, who are shown each word that was told, and the customer is warned before they pay again.
"""

from typing import Literal

from services import inbox, jobs
from services.money import Money
from services.news import Doubt, OrderInDoubt, PaymentInDoubt
from services.news.review import Told
from services.payments.record import NOT_SUCCEEDED, Attempt, alert, move, tell
from services.people import people
from services.providers import PROVIDERS
from services.providers.base import Failed, Succeeded
from services.review.overtaken import TOLD, overtaken
from services.work import Work

_MOST_TOLD = 5
_TO_DO = (
    "Nothing was credited. Look the receipt up in the provider's own books: what came in there is given "
    "back there, and the order can be paid again."
)


async def other_amount(work: Work, attempt: Attempt, word: Succeeded) -> None:
    """A success that tells another amount than ours; people who have looked do not look at it again."""
    facts = {"told": _shown(word.amount, attempt.amount), "receipt": word.receipt, "to_do": _TO_DO}
    await alert(work, attempt, "payment.amount_mismatch", **facts)
    new = await keep(work, attempt, word)
    if not new and attempt.doubt is None:
        return
    if attempt.doubt != Doubt.OTHER_AMOUNT and await move(
        work, attempt, *NOT_SUCCEEDED, doubt=Doubt.OTHER_AMOUNT
    ):
        await _tell_reconcilers(work, attempt, Doubt.OTHER_AMOUNT, word.receipt, word.amount)
        if not attempt.live:  # and so nobody asks any more
            await jobs.schedule(work, "collect_check", attempt.id, work.now)


async def denied(work: Work, attempt: Attempt, word: Failed) -> None:
    """A no, after a success was told."""
    await keep(work, attempt, word)
    if attempt.doubt == Doubt.UNCONFIRMED:
        await move(work, attempt, *NOT_SUCCEEDED, doubt=Doubt.CONTRADICTED)
        await alert(work, attempt, "payment.contradicted", detail=word.detail, receipt=attempt.receipt)


async def keep(work: Work, attempt: Attempt, word: Succeeded | Failed) -> bool:
    """For those who settle it. What they wait to approve is void where they were shown less than this. False
    where it was told before, or the payment is credited."""
    amount, receipt = (word.amount, word.receipt) if isinstance(word, Succeeded) else (None, None)
    paid = isinstance(word, Succeeded)
    new = Told(paid=paid, amount=amount, receipt=receipt, at=work.now, by=_by(work, attempt))
    if any(each.is_same(new) for each in attempt.told):
        return False
    told = [each.model_dump(mode="json") for each in _kept([*attempt.told, new])]
    if not await move(work, attempt, *NOT_SUCCEEDED, told=told):
        return False
    await overtaken(work, "payment", attempt.id, TOLD)
    return True


def _kept(words: list[Told]) -> list[Told]:
    """As many as fit into a message: the latest, but what nobody has signed displaces no word that counts."""
    if len(words) > _MOST_TOLD:
        words.remove(next((each for each in words if each.by == "callback"), words[0]))
    return words


def _by(work: Work, attempt: Attempt) -> Literal["callback", "signed_callback", "answer"]:
    """How the word has come."""
    if work.via.channel != "provider":
        return "answer"
    known = PROVIDERS.get(attempt.provider)
    return "signed_callback" if known is not None and known.signature is not None else "callback"


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
