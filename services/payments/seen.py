"""Seen: a payment with all that was tried, as programs are told of it."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.money import Money
from services.news import PaymentMethod


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True)


class AttemptSeen(_Facts):
    """One asking of one provider; `because` is our word for its failure."""

    id: UUID
    method: PaymentMethod
    state: str
    because: str | None
    receipt: str | None
    created_at: datetime
    resolved_at: datetime | None


class PaymentSeen(_Facts):
    """A payment with all that was tried, the first first."""

    id: UUID
    order_id: UUID
    status: str
    amount: Money
    receipt: str | None
    attempts: tuple[AttemptSeen, ...]

    @property
    def provider(self) -> str | None:
        """Of what has paid it, else of the latest."""
        paid = [each for each in self.attempts if each.state == "succeeded"]
        shown = paid or self.attempts
        return shown[-1].method.provider if shown else None
