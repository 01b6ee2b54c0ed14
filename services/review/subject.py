"""Subject: what a settlement is about, under its lock, and what is done with the outcome."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from services.dispatch import PAYOUT, REFUND, Dispatch
from services.errors import NotFound
from services.news import Unsent
from services.news.refunds import Unrefunded
from services.news.review import Undecided
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
    """`status`: of its withdrawal or refund. Of `payout` and `refund` one is there."""

    about: Undecided
    status: str
    payout: payout_attempt.Sending | None = None
    refund: refund_attempt.Sending | None = None

    @property
    def operation(self) -> UUID | None:
        """By which it was approved that it is sent. A line of a batch has its own, since it may have
        been asked for again by itself."""
        if self.payout is not None:
            by: UUID = self.payout.withdrawal.id
            return by
        return self.refund.refund.row.id if self.refund else None

    async def used(self, work: Work, receipt: str) -> bool:
        """Another payout, refund or payment of the same provider has this receipt."""
        one = self.payout.row if self.payout else self.refund.row if self.refund else None
        dispatches: tuple[Dispatch, ...] = (PAYOUT, REFUND)
        for dispatch in dispatches:
            if one is not None and await dispatch.used_elsewhere(work, one, receipt):
                return True
        came_in = sa.select(attempts.c.id).where(
            attempts.c.tenant_id == work.tenant,
            attempts.c.provider == self.about.provider,
            attempts.c.receipt == receipt,
        )
        return (await work.connection.execute(came_in.limit(1))).first() is not None

    async def paid(self, work: Work, receipt: str) -> None:
        """As if the provider had said yes."""
        yes = Succeeded(receipt, self.about.amount)
        if self.payout is not None:
            await paid_out.settle(work, self.about.id, yes)
        else:
            await refunded.settle(work, self.about.id, yes)

    async def not_paid(self, work: Work) -> None:
        """It fails, and what was held is available again; nothing else is sent."""
        if self.payout is not None:
            await paid_out.fail(work, self.payout, Unsent.SETTLED, _DETAIL)
        elif self.refund is not None:
            await refunded.fail(work, self.refund, Unrefunded.SETTLED, _DETAIL)


async def locked(work: Work, attempt_id: UUID) -> Subject:
    """A payout or a refund's attempt of this id. Raises NotFound."""
    try:
        payout = await payout_attempt.sending(work, attempt_id)
    except NotFound:
        pass
    else:
        about = (await record.of_payouts(work, payouts.c.id == attempt_id))[0]
        return Subject(about, payout.withdrawal.status, payout=payout)
    refund = await refund_attempt.sending(work, attempt_id)
    about = (await record.of_refunds(work, refund_attempts.c.id == attempt_id))[0]
    return Subject(about, refund.refund.row.status, refund=refund)
