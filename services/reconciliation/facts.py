"""Facts of a reconciliation: what is ours, and what a break is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.money import Money
from services.providers.listing import Kind


class Type(StrEnum):
    LATE = "late"  # one side lacks it, and it is younger than a day
    MISSING_AT_PROVIDER = "missing_at_provider"
    MISSING_IN_BOOKS = "missing_in_books"
    DUPLICATE = "duplicate"  # a second line for the same
    UNKNOWN_REFERENCE = "unknown_reference"  # a line that names nothing of ours
    AMOUNT_DIFFERS = "amount_differs"
    CURRENCY_DIFFERS = "currency_differs"
    FEE_DIFFERS = "fee_differs"


class State(StrEnum):
    OPEN = "open"
    EXPLAINED = "explained"  # a later line or posting fits
    CLOSED = "closed"  # by a person, with a reason


@dataclass(frozen=True, slots=True)
class Item:
    """One of ours that a line may be: an attempt, a payout, what came back of it (by the withdrawal's id), a
    refund's attempt, a reversal, or a transfer that nothing asked for. `booked` is what the ledger moved for
    it with the provider, None for nothing; it happened there between `since` and `until`. `names`: what the
    provider may call it by; `label`: what people do; `party`: whose money, masked; `fee`: what is booked as
    the provider's charge, where one is known."""

    id: UUID
    kind: Kind
    asked: Money
    booked: Money | None
    since: datetime
    until: datetime
    receipt: str | None = None
    names: frozenset[str] = frozenset()
    label: str = ""
    party: str | None = None
    fee: Money | None = None


@dataclass(frozen=True, slots=True)
class Break:
    """Where two sides do not fit together. `subject` stays the same while its type may change; `at` is when
    it happened at the provider, or at ours; `ours` and `theirs` are the sums (of a fee: the fees)."""

    type: Type
    subject: str
    kind: Kind
    at: datetime
    ours: Money | None
    theirs: Money | None
    item: UUID | None = None
    line: str | None = None
    receipt: str | None = None
    label: str = ""
    party: str | None = None
