"""Batches: what a conversation may do about files of withdrawals, as `Teller.batches`."""

from typing import Protocol
from uuid import UUID

from services.news.batches import Batch


class Batches(Protocol):
    async def take(self, id: UUID, name: str, media: str) -> Batch:  # noqa: A002
        """Have a file fetched that was sent here; what it comes to is told as BatchRead. Raises
        MissingScope."""
        ...

    async def send(self, batch_id: UUID) -> Batch:
        """Ask others to approve what was read. Raises MissingScope, NotPending, Changed, BatchFaulty,
        InsufficientBalance."""
        ...

    async def drop(self, batch_id: UUID) -> Batch:
        """It is not wanted after all. Raises NotPending."""
        ...

    async def latest(self) -> tuple[Batch, ...]:
        """Those that were asked for, the latest first."""
        ...

    async def batch(self, batch_id: UUID) -> Batch:
        """Raises NotFound."""
        ...

    async def approve(self, batch_id: UUID, digest: str, code: str | None = None) -> Batch:
        """Exactly what was shown. Raises FourEyesViolation, MissingScope, NotPending, Changed,
        StepUpRequired, TotpInvalid, BatchFaulty."""
        ...

    async def reject(self, batch_id: UUID, reason: str) -> Batch: ...

    async def cancel(self, batch_id: UUID) -> Batch:
        """The maker, or who may approve, takes it back while it is pending."""
        ...
