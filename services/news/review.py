"""Review news: what people say became of money whose provider says nothing of it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.money import Money
from services.news.base import BaseNews


class Undecided(BaseModel):
    """A payout, or an attempt of a refund or a payment, as people see it. `of` is its withdrawal, refund or
    payment; `state` as in the table; `reference` what the provider called it, where it has taken it, of a
    payment the receipt that it told. `since`: when people were asked."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    kind: Literal["payout", "refund", "payment"]
    of: UUID
    amount: Money
    provider: str
    way: str  # of a payout the method_type, of a refund how it goes back, of a payment its order
    destination: str  # masked
    state: str
    reference: str | None
    sent_at: datetime
    since: datetime | None


class Settlement(BaseModel):
    """What one person says became of it. `reference`: the receipt of what was paid; of what was not, what
    says so. `because`: why it is void."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    about: Undecided
    outcome: Literal["paid", "not_paid"]
    reference: str
    note: str
    maker_id: UUID
    maker: str
    state: Literal["pending", "done", "rejected", "canceled", "expired", "void", "contradicted"]
    because: str | None
    digest: str
    created_at: datetime
    expires_at: datetime


class ReviewQueue(BaseModel):
    """What no provider tells the end of, and what somebody has said of it that others have yet to decide."""

    model_config = ConfigDict(frozen=True)

    undecided: tuple[Undecided, ...]
    settlements: tuple[Settlement, ...]


class SettlementAsked(BaseNews):
    """To each who may approve it."""

    kind: Literal["settlement_asked"] = "settlement_asked"
    settlement: Settlement


class SettlementMoved(BaseNews):
    """To its maker and to those who reconcile: where it stands now; `by` whom, where it was a person, and
    `reason` what they typed."""

    kind: Literal["settlement_moved"] = "settlement_moved"
    settlement: Settlement
    by: str | None = None
    reason: str | None = None
