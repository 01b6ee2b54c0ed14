"""Refunds: what a conversation may do about money that goes back, as `Teller.refunds`."""

from typing import Protocol
from uuid import UUID

from services.facts import Refundable, RefundQueue
from services.money import Money
from services.news.refunds import Refund


class Refunds(Protocol):
    async def wish(self, payment_id: UUID, reason: str) -> str:
        """A customer asks for a payment of their own; the order's number. Raises BlankReason, NotFound,
        NotPaid, AlreadyRefunded, RefundAsked."""
        ...

    # --- the staff; all need finance:reconcile

    async def refundable(self, number: str) -> Refundable:
        """Of the order of this number. Raises NotFound, NotPaid, AlreadyRefunded."""
        ...

    async def ask(self, id: UUID, payment_id: UUID, amount: Money, reason: str) -> Refund:  # noqa: A002
        """Hold the amount and ask the others. The same id again returns the same refund. Raises BlankReason,
        MoreThanRemains, NotRefundable, InsufficientBalance, and what the rail refuses."""
        ...

    async def resolve_twice(self, id: UUID, attempt_id: UUID, reason: str, *, keep: bool) -> Refund:  # noqa: A002
        """Ask the others that what was paid twice goes back, or is kept as a sale."""
        ...

    async def queue(self) -> RefundQueue:
        """What waits: for a decision, for an answer, and in suspense."""
        ...

    async def refund(self, refund_id: UUID) -> Refund: ...

    async def approve(self, refund_id: UUID, digest: str, code: str | None = None) -> Refund:
        """Exactly what was shown. Raises FourEyesViolation, OwnPurchase, MissingScope, NotPending,
        Changed."""
        ...

    async def reject(self, refund_id: UUID, reason: str) -> Refund: ...

    async def cancel(self, refund_id: UUID) -> Refund: ...

    async def decline(self, wish_id: UUID, reason: str) -> bool:
        """The customer is told why; False where somebody was first."""
        ...
