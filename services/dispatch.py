"""Dispatch: what a payout and the attempt of a refund have in common.

Each is sent once, in steps around the network calls that the edge makes: it is committed that we are about
to send, the edge sends, the answer is taken. A crash in between becomes *unknown*; then the provider is
asked, at growing waits and for ever, and nothing is ever sent again.

created -> submitting -> pending | unknown -> succeeded | failed
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import jobs
from services.jobs import PAYOUT_LADDER
from services.reasons import Held
from services.review.overtaken import overtaken
from services.store.schema import payouts, refund_attempts
from services.transitions import transition
from services.work import Work

UNDECIDED = ("created", "submitting", "pending", "unknown")
_OUT_OF_THE_WAY = ("created", "succeeded", "failed")


@dataclass(frozen=True)
class Dispatch:
    """One kind of it. `table` has a row for each; the job called `job` sends it."""

    table: sa.Table
    job: str

    @property
    def check(self) -> str:
        """The job that asks the provider what became of it."""
        return f"{self.job}_check"

    async def move(self, work: Work, row_id: UUID, *states: str, **values: Any) -> bool:
        """From one of these states, with these values; False where it stands in another."""
        return await transition(work, self.table.c.state, row_id, states, values)

    async def resolve(self, work: Work, row_id: UUID, *states: str, **values: Any) -> bool:
        """The same, and nothing of it is due any more; what people were about to say of it is void."""
        if not await self.move(work, row_id, *states, **values, resolved_at=work.now):
            return False
        await jobs.finish(work, row_id, self.job, self.check)
        await overtaken(work, self.job, row_id)
        return True

    async def accepted(self, work: Work, row: sa.Row[Any], **known: str | None) -> None:
        """The provider has it. The result may have been quicker; then only what is `known` by now is new."""
        await self.move(work, row.id, row.state, **known)
        await jobs.finish(work, row.id, self.job)
        if await self.move(work, row.id, "submitting", "unknown", state="pending"):
            await jobs.again(work, self.check, row.id, PAYOUT_LADDER)

    async def lost(self, work: Work, row_id: UUID) -> None:
        """Nobody knows whether the provider has it."""
        await jobs.finish(work, row_id, self.job)
        if await self.move(work, row_id, "submitting", state="unknown"):
            await jobs.again(work, self.check, row_id, PAYOUT_LADDER)

    async def not_sent(self, work: Work, row_id: UUID, detail: str) -> bool:
        """It provably never left, so the same may be sent again, later. False where none of many tries is
        left: it has failed."""
        before = {"state": "created", "detail": detail, "undecided_at": None}
        if not await self.move(work, row_id, "submitting", "unknown", **before):
            return True
        await jobs.finish(work, row_id, self.check)
        return await jobs.again(work, self.job, row_id, PAYOUT_LADDER)

    async def ask_now(self, work: Work, row_id: UUID) -> None:
        """The provider gave up waiting, or told too little: no proof of anything. It is asked at once."""
        if await self.move(work, row_id, "submitting", "pending", "unknown", state="unknown"):
            await jobs.schedule(work, self.check, row_id, work.now)

    async def used_elsewhere(self, work: Work, row: sa.Row[Any], receipt: str) -> bool:
        """The provider gave another one this receipt."""
        query = sa.select(self.table.c.id).where(
            self.table.c.tenant_id == work.tenant,
            self.table.c.provider == row.provider,
            self.table.c.receipt == receipt,
            self.table.c.id != row.id,
        )
        return (await work.connection.execute(query)).first() is not None


class Payouts(Dispatch):
    """Where only one of a way out is under way at a time, the next one is waked once it has ended."""

    async def move(self, work: Work, row_id: UUID, *states: str, **values: Any) -> bool:
        moved = await super().move(work, row_id, *states, **values)
        if moved and values.get("state") in _OUT_OF_THE_WAY:
            await self._pass_on(work, row_id)
        return moved

    async def _pass_on(self, work: Work, payout_id: UUID) -> None:
        """The turn goes to whoever has waited longest."""
        mine = sa.select(payouts.c.turn).where(payouts.c.tenant_id == work.tenant, payouts.c.id == payout_id)
        if (turn := await work.connection.scalar(mine)) is None:
            return
        waiting = sa.select(payouts.c.id).where(
            payouts.c.tenant_id == work.tenant,
            payouts.c.turn == turn,
            payouts.c.state == "created",
            payouts.c.held == Held.TURN,
            payouts.c.id != payout_id,
        )
        oldest = waiting.order_by(payouts.c.created_at, payouts.c.id).limit(1)
        if (following := await work.connection.scalar(oldest)) is not None:
            await jobs.schedule(work, self.job, following, work.now)


PAYOUT = Payouts(payouts, "payout")
REFUND = Dispatch(refund_attempts, "refund")
