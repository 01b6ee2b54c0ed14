"""Reconciliation: what a conversation may do where the books and a provider do not agree, as
`Teller.reconciliation`."""

from typing import Protocol
from uuid import UUID

from services.reconciliation.seen import Seen


class Reconciliation(Protocol):
    """All needs finance:reconcile."""

    async def breaks(self) -> tuple[Seen, ...]:
        """What is open, the oldest first; as many as anybody looks through."""
        ...

    async def one(self, break_id: UUID) -> Seen:
        """Raises NotFound."""
        ...

    async def close(self, break_id: UUID, reason: str) -> Seen:
        """It needs nothing more; no money moves. Raises BlankReason, NotOpen, StillLate."""
        ...
