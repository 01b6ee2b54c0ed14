"""Refusals about money that goes back: refunds, what was taken back, what was paid twice."""

from dataclasses import dataclass
from typing import ClassVar

from services.errors import Refusal
from services.money import Money


@dataclass(eq=False)
class MoneyOwed(Refusal):
    """Nothing is withdrawn while the tenant owes what a provider took back."""

    code: ClassVar[str] = "money_owed"
    owed: Money


@dataclass(eq=False)
class AlreadyRefunded(Refusal):
    """Nothing of the payment is left to give back, or to ask for. `because`: it is "refunded", it "waits" for
    a decision or is on its way, the provider has "taken_back" it, or it was "kept" as another sale."""

    code: ClassVar[str] = "already_refunded"
    number: str
    because: str = "refunded"


@dataclass(eq=False)
class MoreThanRemains(Refusal):
    """More than was paid and not given back yet."""

    code: ClassVar[str] = "more_than_remains"
    remains: Money
    amount: Money


@dataclass(eq=False)
class NotRefundable(Refusal):
    """The provider does not give it back in this way: `because` is "partial" (only the whole), "too_old" (it
    was paid too long ago), "no_receipt" (it cannot be named there), "whole" (what was paid twice goes back as
    a whole), "erased" (who paid is no longer known) or "unable". `instead`: the way that is left, if any."""

    code: ClassVar[str] = "not_refundable"
    because: str
    instead: str | None = None


@dataclass(eq=False)
class RefundAsked(Refusal):
    """The customer has asked for this already, and nobody has answered yet."""

    code: ClassVar[str] = "refund_asked"
    number: str


@dataclass(eq=False)
class OwnPurchase(Refusal):
    """It would give back to who wants to approve it what they have paid themselves."""

    code: ClassVar[str] = "four_eyes_violation"
