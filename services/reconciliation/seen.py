"""Seen: a break as people see it."""

from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.money import Money
from services.providers.listing import Kind
from services.reconciliation.facts import State, Type


class Seen(BaseModel):
    """A break as it stands, and as people see it."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    provider: str
    type: Type
    kind: Kind
    at: datetime
    ours: Money | None
    theirs: Money | None
    receipt: str | None
    label: str
    party: str | None
    state: State
    found_at: datetime
    closed_by: str | None = None
    closed_at: datetime | None = None
    reason: str | None = None

    def age(self, now: datetime) -> timedelta:
        return now - self.at

    @property
    def amount(self) -> Money:
        """What is at stake: their sum, or ours where they have none."""
        found = self.theirs or self.ours
        if found is None:
            raise ValueError(f"break {self.id} is of nothing")
        return found
