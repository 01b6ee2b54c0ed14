"""Refusals about money whose provider does not say what became of it."""

from dataclasses import dataclass
from typing import ClassVar

from services.errors import Refusal
from services.money import Money


@dataclass(eq=False)
class NotUndecided(Refusal):
    """It is known what became of it, or the provider is still being asked: people do not say."""

    code: ClassVar[str] = "not_undecided"
    status: str


@dataclass(eq=False)
class SettlementWaits(Refusal):
    """Somebody has said already what became of it, and another person has yet to decide over that."""

    code: ClassVar[str] = "settlement_waits"
    by: str


@dataclass(eq=False)
class ReceiptUsed(Refusal):
    """Something else has this receipt."""

    code: ClassVar[str] = "receipt_used"
    receipt: str


@dataclass(eq=False)
class AmountNeeded(Refusal):
    """Another amount was told of it: who says that it was paid says how much the provider's records have.
    `told`: the latest one; None where it was not kept."""

    code: ClassVar[str] = "amount_needed"
    asked: Money
    told: Money | None


@dataclass(eq=False)
class AmountDiffers(Refusal):
    """What came in is not what was asked for, by the provider's own word or by what the person says: nothing
    is credited. It is given back at the provider, and said to be not paid."""

    code: ClassVar[str] = "amount_differs"
    asked: Money
    told: Money


@dataclass(eq=False)
class InvalidReference(Refusal):
    """No receipt of this provider looks like that, or nothing of it can be read."""

    code: ClassVar[str] = "invalid_reference"
    given: str
