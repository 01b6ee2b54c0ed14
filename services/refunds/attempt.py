"""Attempt: asking the provider for a refund, read with the refund under the order's lock."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from services import dispatch
from services.dispatch import REFUND
from services.errors import NotFound
from services.money import Money
from services.news.refunds import Way
from services.providers import PROVIDERS
from services.refunds import record
from services.refunds.record import Refunding
from services.store.schema import refund_attempts, reversals
from services.work import Work


@dataclass(frozen=True)
class Sending(dispatch.Sending):
    """A refund's attempt, and the refund. `row.left_from`: where it was taken from, paid out after all."""

    refund: Refunding

    @property
    def amount(self) -> Money:
        return self.refund.amount

    @property
    def known(self) -> dict[str, str | None]:
        return {"refund_id": str(self.refund.row.id), "amount": str(self.amount)}

    @property
    def way(self) -> str:
        rules = PROVIDERS[self.row.provider].refunds
        if self.refund.row.way != Way.PAYOUT or rules is None:
            return ""
        return rules.otherwise or ""

    @property
    def job(self) -> str:
        return REFUND.job

    @property
    def may_be_short(self) -> bool:
        return True  # nobody keeps why it waits

    @property
    def has_left(self) -> bool:
        """It is booked as made, at once or, where it is paid out, after all."""
        row = self.row
        return row.left_from is not None or (row.state == "succeeded" and row.denied_at is None)


async def sending(work: Work, attempt_id: UUID) -> Sending:
    """Raises NotFound."""
    mine = (refund_attempts.c.tenant_id == work.tenant, refund_attempts.c.id == attempt_id)
    refund_id = await work.connection.scalar(sa.select(refund_attempts.c.refund_id).where(*mine))
    if refund_id is None:
        raise NotFound("refund_attempt")
    refund = await record.locked(work, refund_id)
    late = sa.and_(
        reversals.c.tenant_id == refund_attempts.c.tenant_id, reversals.c.id == refund_attempts.c.id
    )
    query = sa.select(refund_attempts, reversals.c.source.label("left_from")).outerjoin(reversals, late)
    return Sending((await work.connection.execute(query.where(*mine))).one(), refund)
