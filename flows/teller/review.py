"""Review: what a conversation may do about money whose provider does not say what became of it, as
`Teller.review`. All of it needs finance:reconcile."""

from typing import Protocol
from uuid import UUID

from services.money import Money
from services.news.review import ReviewQueue, Settlement, Undecided


class Review(Protocol):
    async def queue(self) -> ReviewQueue:
        """What is undecided, and what somebody has said of it."""
        ...

    async def of_order(self, number: str) -> ReviewQueue:
        """The same of one order's payment, also where it merely expired. Raises NotFound, NotUndecided."""
        ...

    async def undecided(self, attempt_id: UUID) -> Undecided:
        """Raises NotFound for what is decided by now."""
        ...

    async def receipt(self, attempt_id: UUID, typed: str) -> str:
        """As the provider writes it. Raises InvalidReference, ReceiptUsed, NotUndecided, SettlementWaits,
        AmountDiffers."""
        ...

    async def propose(
        self,
        id: UUID,  # noqa: A002
        attempt_id: UUID,
        outcome: str,
        reference: str,
        note: str,
        amount: Money | None = None,
    ) -> Settlement:
        """Ask the others to approve that it was "paid" or "not_paid". `amount`: what the provider's records
        have, which must be said where another one was told. The same id again returns the same settlement.
        Raises what `receipt` raises, BlankReason and AmountNeeded."""
        ...

    async def settlement(self, settlement_id: UUID) -> Settlement: ...

    async def approve(self, settlement_id: UUID, digest: str, code: str | None = None) -> Settlement:
        """Exactly what was shown. Raises FourEyesViolation, MissingScope, NotPending, Changed, ReceiptUsed,
        AmountDiffers, StepUpRequired."""
        ...

    async def reject(self, settlement_id: UUID, reason: str) -> Settlement: ...

    async def cancel(self, settlement_id: UUID) -> Settlement: ...
