"""Subject: what a settlement is about, under its lock, and what is done with the outcome."""

from dataclasses import dataclass
from uuid import UUID

from services.errors import NotFound
from services.news import Unsent
from services.news.refunds import Unrefunded
from services.news.review import Undecided
from services.payments import record as payment_record
from services.payments import settle as came_in
from services.providers.base import Succeeded
from services.refunds import attempt as refund_attempt
from services.refunds import settle as refunded
from services.review import record
from services.store.schema import attempts, payouts, refund_attempts
from services.withdrawals import attempt as payout_attempt
from services.withdrawals import settle as paid_out
from services.work import Work

_DETAIL = "two people have found that it was not paid"


@dataclass(frozen=True)
class Subject:
    """`status`: of its withdrawal, refund or payment. Of `payout`, `refund` and `payment` one is there."""

    about: Undecided
    status: str
    payout: payout_attempt.Sending | None = None
    refund: refund_attempt.Sending | None = None
    payment: payment_record.Attempt | None = None

    @property
    def is_open(self) -> bool:
        """Nobody has decided it, and it is the one whose word would count."""
        return record.is_open(self.about) and (self.payment is not None or self.status == "processing")

    @property
    def operation(self) -> UUID | None:
        """By which it was approved that it is sent. A line of a batch has its own, since it may have
        been asked for again by itself."""
        if self.payout is not None:
            by: UUID = self.payout.withdrawal.id
            return by
        return self.refund.refund.row.id if self.refund else None

    async def paid(self, work: Work, receipt: str) -> None:
        """As if the provider had said yes."""
        yes = Succeeded(receipt, self.about.amount)
        if self.payout is not None:
            await paid_out.settle(work, self.about.id, yes)
        elif self.refund is not None:
            await refunded.settle(work, self.about.id, yes)
        else:
            await came_in.settle(work, self.about.id, yes)

    async def not_paid(self, work: Work) -> None:
        """It fails, and what was held is available again; nothing else is sent."""
        if self.payout is not None:
            await paid_out.fail(work, self.payout, Unsent.SETTLED, _DETAIL)
        elif self.refund is not None:
            await refunded.fail(work, self.refund, Unrefunded.SETTLED, _DETAIL)
        else:
            await came_in.found_unpaid(work, self.about.id, _DETAIL)


async def locked(work: Work, attempt_id: UUID) -> Subject:
    """A payout, or an attempt of a refund or a payment, of this id. Raises NotFound."""
    try:
        payout = await payout_attempt.sending(work, attempt_id)
    except NotFound:
        pass
    else:
        about = (await record.of_payouts(work, payouts.c.id == attempt_id))[0]
        return Subject(about, payout.withdrawal.status, payout=payout)
    try:
        refund = await refund_attempt.sending(work, attempt_id)
    except NotFound:
        pass
    else:
        about = (await record.of_refunds(work, refund_attempts.c.id == attempt_id))[0]
        return Subject(about, refund.refund.row.status, refund=refund)
    payment = await payment_record.locked(work, attempt_id)
    about = (await record.of_payments(work, attempts.c.id == attempt_id))[0]
    return Subject(about, payment.payment_status, payment=payment)
