"""Dispatch: what a payout and the attempt of a refund have in common.

Each is sent once, in steps around the network calls that the edge makes: it is committed that we are about
to send, the edge sends, the answer is taken. A crash in between becomes *unknown*; then the provider is
asked, at growing waits and for ever, and nothing is ever sent again.

created -> submitting -> pending | unknown -> succeeded | failed
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, jobs
from services.jobs import PAYOUT_LADDER
from services.money import Money
from services.providers.base import Failed, Succeeded
from services.reasons import Held
from services.review.overtaken import confirmed, overtaken
from services.store.schema import payouts, refund_attempts
from services.transitions import transition
from services.work import Work

UNDECIDED = ("created", "submitting", "pending", "unknown")
_OUT_OF_THE_WAY = ("created", "succeeded", "failed")
# Alerts of a success that was told and moved nothing.
_IN_VAIN = ("without_amount", "unproven", "amount_mismatch", "receipt_reused")
# How often what waits looks whether payouts go on; unfreezing makes it due at once.
FROZEN_WAIT = timedelta(minutes=10)


@dataclass(frozen=True)
class Question:
    """Whom to ask what became of one, by its id or by theirs, and where the answer goes."""

    provider: str
    attempt_id: UUID
    reference: str | None
    callback_url: str
    timeout_url: str


@dataclass(frozen=True)
class Sending(ABC):
    """One of them, read under the lock of what it is for. `row`: of the dispatch's table."""

    row: sa.Row[Any]

    @property
    @abstractmethod
    def amount(self) -> Money:
        """What is sent."""

    @property
    @abstractmethod
    def known(self) -> dict[str, str | None]:
        """What each alert tells of it."""

    @property
    @abstractmethod
    def way(self) -> str:
        """The way out by which it leaves; "" for what the provider gives back by itself."""

    @property
    @abstractmethod
    def job(self) -> str:
        """What sends it."""

    @property
    @abstractmethod
    def may_be_short(self) -> bool:
        """It may be waiting since the account that it leaves was short."""

    @property
    def names(self) -> frozenset[str]:
        """What the provider may call it: the id that we sent, and the one that it acknowledged."""
        return frozenset({str(self.row.id), self.row.reference} - {None})


async def alert(work: Work, one: Sending, action: str, **facts: str | None) -> None:
    """In the audit, for somebody to look at."""
    await audit.record(work, audit.PROVIDER, action, one.row.id, one.known | facts, alert=True)


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

    async def told_in_vain(self, work: Work, row_id: UUID, *others: str) -> bool:
        """A success was told and moved nothing, or one of these other alerts was given: after that a no is
        not believed."""
        actions = (f"{self.job}.{what}" for what in (*_IN_VAIN, *others))
        return await audit.alerted(work, *actions, target=row_id)

    async def said_by_people(self, work: Work, row_id: UUID) -> bool:
        """That it was paid nobody has said but people: not the provider, nor anything like it."""
        told = await confirmed(work, self.job, row_id)
        return not told and not await self.told_in_vain(work, row_id, "receipt_changed")

    async def came_back(self, work: Work, one: Sending, amount: Money, detail: str) -> bool:
        """What had left is told to have come back, as a whole and for the first time. Another amount than was
        sent moves nothing, and alerts."""
        if one.row.returned_at is not None:
            return False
        if amount != one.amount:
            await alert(work, one, f"{self.job}.return_mismatch", told=str(amount), detail=detail)
            return False
        return await self.move(work, one.row.id, one.row.state, returned_at=work.now)

    async def note_return(self, work: Work, one: Sending, word: Failed) -> None:
        """It has failed; so that a success which is told later is known to be of before."""
        if word.returned is not None:
            await self.move(work, one.row.id, "failed", returned_at=work.now)

    async def unfitting(self, work: Work, one: Sending, word: Succeeded) -> bool:
        """It tells of another amount, or by the receipt of another one: it moves nothing, and alerts."""
        if word.amount is not None and word.amount != one.amount:
            told = str(word.amount)
            await alert(work, one, f"{self.job}.amount_mismatch", told=told, receipt=word.receipt)
            return True
        if word.receipt and await self.used_elsewhere(work, one.row, word.receipt):
            await alert(work, one, f"{self.job}.receipt_reused", receipt=word.receipt)
            return True
        return False

    async def receipt_added(self, work: Work, one: Sending, receipt: str | None) -> bool:
        """Told again, it may have the receipt that it had not the first time; another than before alerts."""
        if receipt is None or receipt == one.row.receipt:
            return False
        if one.row.receipt is not None:
            before = one.row.receipt
            await alert(work, one, f"{self.job}.receipt_changed", receipt=receipt, before=before)
            return False
        return await self.move(work, one.row.id, one.row.state, receipt=receipt)

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
        """The turn goes to whoever has waited longest. Of two that end at once neither waits for another."""
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
            await jobs.nudge(work, self.job, following)


PAYOUT = Payouts(payouts, "payout")
REFUND = Dispatch(refund_attempts, "refund")
