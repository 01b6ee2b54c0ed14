"""Attempt: a payout with its withdrawal, read under the withdrawal's lock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import dispatch
from services.dispatch import PAYOUT
from services.errors import NotFound
from services.ids import new_id
from services.money import Money
from services.rails import RAILS
from services.reasons import Held
from services.store.schema import payouts
from services.withdrawals.carriers import carrier_of
from services.withdrawals.record import locked
from services.work import Work


@dataclass(frozen=True)
class Sending(dispatch.Sending):
    """A payout and its withdrawal."""

    withdrawal: sa.Row[Any]

    @property
    def amount(self) -> Money:
        """The net."""
        return Money(self.withdrawal.net, self.withdrawal.currency)

    @property
    def known(self) -> dict[str, str | None]:
        return {"withdrawal_id": str(self.withdrawal.id), "net": str(self.amount)}

    @property
    def way(self) -> str:
        way: str = self.withdrawal.method_type
        return way

    @property
    def job(self) -> str:
        return PAYOUT.job

    @property
    def may_be_short(self) -> bool:
        return bool(self.row.held == Held.FLOAT)

    @property
    def has_left(self) -> bool:
        """It is booked as paid out, at once or after all."""
        row = self.row
        return row.left_at is not None or (row.state == "succeeded" and row.denied_at is None)

    @property
    def nameless(self) -> bool:
        """The provider took no id of ours, and its own was lost with its answer: nothing can be asked, and
        only a result on the payout's own address can tell."""
        return self.row.turn is not None and self.row.reference is None


async def sending(work: Work, payout_id: UUID) -> Sending:
    """Raises NotFound."""
    mine = (payouts.c.tenant_id == work.tenant, payouts.c.id == payout_id)
    withdrawal_id = await work.connection.scalar(sa.select(payouts.c.withdrawal_id).where(*mine))
    if withdrawal_id is None:
        raise NotFound("payout")
    withdrawal = await locked(work, withdrawal_id)
    return Sending((await work.connection.execute(sa.select(payouts).where(*mine))).one(), withdrawal)


async def ready(work: Work, withdrawal: sa.Row[Any], created_at: datetime) -> UUID:
    """A payout to be sent, under a new id."""
    provider = await carrier_of(work, withdrawal.method_type)
    made = readied(work, withdrawal.id, withdrawal.method_type, provider, created_at)
    await work.connection.execute(sa.insert(payouts).values(made))
    payout_id: UUID = made["id"]
    return payout_id


def readied(
    work: Work, withdrawal_id: UUID, method_type: str, provider: str, created_at: datetime
) -> dict[str, Any]:
    """The row of one that is to be sent."""
    return {
        "tenant_id": work.tenant,
        "id": new_id(),
        "withdrawal_id": withdrawal_id,
        "provider": provider,
        "turn": method_type if RAILS[method_type].alone else None,
        "state": "created",
        "created_at": created_at,
    }
