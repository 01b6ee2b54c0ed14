"""Batch decide: a file of withdrawals as it stands, and what this person may do about it.

BatchShown       -> BatchShown | AskBatchCode | EnterWhyNotBatch | BatchResults
AskBatchCode     -> BatchShown
EnterWhyNotBatch -> BatchShown
BatchResults     -> BatchResults
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime, timedelta
from uuid import UUID

from flows.document import BatchFile, Document
from flows.reply import Said
from flows.staff.batch_shown import OfBatch, lines, stands
from flows.staff.deciding import Approve, Cancel, Reject, reason_of
from flows.step import Choice
from flows.teller import Teller
from flows.text import Text
from services.errors import NotPending, StepUpRequired
from services.news.batches import Batch
from services.people.access import APPROVE


class TakeBatchBack(Choice):
    tap_only = True
    label = Text("Take it back")


class ShowResults(Choice):
    label = Text("Each line as a file")


class BatchShown(OfBatch):
    """`by`, `reason`: who has just moved it, and why."""

    good_for = timedelta(minutes=15)
    may_decide: bool = False
    may_take_back: bool = False
    by: str | None = None
    reason: str | None = None

    @property
    def reference(self) -> str | None:
        return short(self.batch)

    def says(self) -> Text:
        told = [Text("Asked by: {maker}", maker=self.batch.maker)]
        told += [Text("Decided by: {by}", by=self.by)] if self.by and self.batch.state != "pending" else []
        told += [Text("Reason: {reason}", reason=self.reason)] if self.reason else []
        return Text(
            "📄 {name}: {lines}\n{told}\n{stands}",
            name=self.batch.name,
            lines=lines(self.batch),
            told=tuple(told),
            stands=stands(self.batch),
        )

    def choices(self) -> tuple[Choice, ...]:
        waits, there = self.batch.state == "pending", self.batch.state in ("pending", "running", "done")
        decide = (Approve(), Reject()) if waits and self.may_decide else ()
        back = (TakeBatchBack(),) if waits and self.may_take_back and not self.may_decide else ()
        return (*decide, *back, *((ShowResults(),) if there else ()))

    async def hears(
        self, answer: Approve | Reject | TakeBatchBack | ShowResults, teller: Teller
    ) -> BatchShown | AskBatchCode | EnterWhyNotBatch | BatchResults:
        match answer:
            case Approve():
                return await self._approve(teller)
            case TakeBatchBack():
                return await _after(teller.batches.cancel(self.batch.id), self.batch, teller)
            case Reject():
                return EnterWhyNotBatch(batch=self.batch)
            case ShowResults():
                return BatchResults(batch=await teller.batches.batch(self.batch.id), at=teller.now)

    async def _approve(self, teller: Teller) -> BatchShown | AskBatchCode:
        try:
            return await _approved(self.batch, teller)
        except StepUpRequired as takes:
            if not takes.enrolled:
                raise
            return AskBatchCode(batch=self.batch)


class AskBatchCode(OfBatch):
    """The code is looked at once, and kept nowhere."""

    any_words = True
    secret = True

    def says(self) -> Text:
        return Text(
            "To approve {name}, type the 6-digit code that your authenticator app shows now.\n{lines}",
            name=self.batch.name,
            lines=lines(self.batch),
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> BatchShown:
        match answer:
            case Said(text=code):
                return await _approved(self.batch, teller, code)
            case Cancel():
                return await look(self.batch.id, teller)


class EnterWhyNotBatch(OfBatch):
    any_words = True

    def says(self) -> Text:
        return Text(
            "Why do you reject {name}? Type the reason; {maker} will read it.",
            name=self.batch.name,
            maker=self.batch.maker,
        )

    def choices(self) -> tuple[Choice, ...]:
        return (Cancel(),)

    async def hears(self, answer: Said | Cancel, teller: Teller) -> BatchShown:
        match answer:
            case Said(text=typed):
                deed = teller.batches.reject(self.batch.id, reason_of(typed))
                return await _after(deed, self.batch, teller)
            case Cancel():
                return await look(self.batch.id, teller)


class BatchResults(OfBatch):
    """`at`: when they were asked for."""

    at: datetime

    def says(self) -> Text:
        return Text("Each line of {name}.", name=self.batch.name)

    def choices(self) -> tuple[Choice, ...]:
        return (ShowResults(),)

    async def hears(self, answer: ShowResults, teller: Teller) -> BatchResults:  # noqa: ARG002  the only choice
        return BatchResults(batch=await teller.batches.batch(self.batch.id), at=teller.now)

    def document(self) -> Document:
        return Document(
            name=Text("{name} lines", name=self.batch.name.removesuffix(".csv")),
            content=BatchFile(str(self.batch.id), self.at),
        )


def short(batch: Batch) -> str:
    return batch.id.hex[-6:].upper()


def shown(batch: Batch, teller: Teller) -> BatchShown:
    mine = batch.maker_id == teller.me.person_id
    may = APPROVE in teller.me.scopes
    return BatchShown(batch=batch, may_decide=may and not mine, may_take_back=mine or may)


async def look(batch_id: UUID, teller: Teller) -> BatchShown:
    return shown(await teller.batches.batch(batch_id), teller)


async def _approved(batch: Batch, teller: Teller, code: str | None = None) -> BatchShown:
    return await _after(teller.batches.approve(batch.id, batch.digest, code), batch, teller)


async def _after(deed: Awaitable[Batch], batch: Batch, teller: Teller) -> BatchShown:
    """Who comes second is told where it stands."""
    try:
        return shown(await deed, teller)
    except NotPending:
        return await look(batch.id, teller)
