"""Attempt: asking the provider for a refund, read with the refund under the order's lock."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from services import dispatch
from services.errors import NotFound
from services.money import Money
from services.refunds import record
from services.refunds.record import Refunding
from services.store.schema import refund_attempts
from services.work import Work


@dataclass(frozen=True)
class Sending(dispatch.Sending):
    """A refund's attempt, and the refund."""

    refund: Refunding

    @property
    def amount(self) -> Money:
        return self.refund.amount

    @property
    def known(self) -> dict[str, str | None]:
        return {"refund_id": str(self.refund.row.id), "amount": str(self.amount)}


async def sending(work: Work, attempt_id: UUID) -> Sending:
    """Raises NotFound."""
    mine = (refund_attempts.c.tenant_id == work.tenant, refund_attempts.c.id == attempt_id)
    refund_id = await work.connection.scalar(sa.select(refund_attempts.c.refund_id).where(*mine))
    if refund_id is None:
        raise NotFound("refund_attempt")
    refund = await record.locked(work, refund_id)
    return Sending((await work.connection.execute(sa.select(refund_attempts).where(*mine))).one(), refund)
