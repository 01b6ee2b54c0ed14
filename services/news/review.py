"""Review news: what people say became of money whose provider says nothing of it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.money import Money
from services.news.base import BaseNews
from services.reasons import Doubt


class Told(BaseModel):
    """A word of the provider on a payment that nothing was booked by: that it was paid, or that it was not.
    `amount`, `receipt`: None where it named none. `by`: a callback that nobody signs, one that the provider
    has signed, or its answer to our question."""

    model_config = ConfigDict(frozen=True)

    paid: bool
    amount: Money | None
    receipt: str | None
    at: datetime
    by: Literal["callback", "signed_callback", "answer"]

    def is_same(self, other: "Told") -> bool:
        """Whenever it was told."""
        return self == other.model_copy(update={"at": self.at})


class Undecided(BaseModel):
    """A payout, or an attempt of a refund or a payment, as people see it. `of` is its withdrawal, refund or
    payment; `state` as in the table; `reference` what the provider called it, where it has taken it, of a
    payment the receipt that it told. `since`: when people were asked. Of a payment `doubt` says why nothing
    is credited, `told` what the provider has told, the oldest first, and `twice` that another attempt has
    paid its order, so that what this one brings is kept apart."""

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
    doubt: Doubt | None = None
    told: tuple[Told, ...] = ()
    twice: bool = False

    @property
    def others(self) -> tuple[Told, ...]:
        """The words that name another amount than was asked for."""
        return tuple(each for each in self.told if each.amount not in (None, self.amount))

    @property
    def differs(self) -> bool:
        """Another amount was told. Which one was not always kept."""
        return self.doubt == Doubt.OTHER_AMOUNT or bool(self.others)

    @property
    def firm(self) -> Money | None:
        """The other amount that the provider itself has told, which nobody overrules: it was signed, or we
        had asked. A callback that nobody signs may be somebody else's."""
        words = [each.amount for each in self.others if each.by != "callback"]
        return words[-1] if words else None


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
    """What no provider tells the end of, and what somebody has said of it that others have yet to decide.
    `asking`: how many payments are in doubt beside it and asked about still."""

    model_config = ConfigDict(frozen=True)

    undecided: tuple[Undecided, ...]
    settlements: tuple[Settlement, ...]
    asking: int = 0


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
