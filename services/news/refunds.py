"""Refund news: money that goes back, is to be decided about, or was taken back."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.money import Money
from services.news.base import BaseNews


class Way(StrEnum):
    """How it goes back, or that it stays."""

    REVERSAL = "reversal"  # the provider takes the payment back
    PAYOUT = "payout"  # the payer is paid out
    SALE = "sale"  # what was paid twice is kept, as a sale


class Unrefunded(StrEnum):
    """Why a refund did not go through, in our words."""

    PROVIDER = "provider"  # the provider refused it
    SETTINGS = "settings"  # it refuses our account or settings
    FUNDS = "funds"  # the account there is short
    TOO_LATE = "too_late"  # approved too long ago
    APPROVER = "approver"  # who approved it may no longer do so, or it was altered
    GUESSED = "guessed"  # too many wrong codes were typed to approve it
    SETTLED = "settled"  # two people have found that it was not paid
    DENIED = "denied"  # two people had found that it was made, and the provider says that it failed
    RETURNED = "returned"  # the payer was paid out, and the provider gave it back
    ATTENTION = "attention"  # it waits for what the shop has to do at the provider
    TAKEN_BACK = "taken_back"  # the provider took the payment back by itself meanwhile


class Refund(BaseModel):
    """A refund as people see it. `twice`: it is about a second payment for an order that is paid; `fee`: of
    the sale, which is not given back."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    payment_id: UUID
    number: str
    customer: str
    amount: Money
    paid: Money
    fee: Money
    twice: bool
    way: Way
    provider: str
    label: str  # masked
    reason: str
    maker_id: UUID
    maker: str
    status: str
    digest: str
    receipt: str | None
    created_at: datetime
    expires_at: datetime


class RefundRequested(BaseNews):
    """To each who may approve it."""

    kind: Literal["refund_requested"] = "refund_requested"
    refund: Refund


class RefundTold(BaseNews):
    """To the maker and those who reconcile: where it stands. `by`: who decided, `reason` what they typed;
    `because`: ours, where it failed. `undecided`: the provider does not say what became of it."""

    kind: Literal["refund_told"] = "refund_told"
    refund: Refund
    by: str | None = None
    reason: str | None = None
    because: Unrefunded | None = None
    undecided: bool = False


class RefundMade(BaseNews):
    """To the customer: their money is back. `twice`: of a second payment."""

    kind: Literal["refund_made"] = "refund_made"
    number: str
    amount: Money
    provider: str
    label: str
    receipt: str | None
    twice: bool


class RefundUndone(BaseNews):
    """To the customer, who was told that their money is back: it is not. `twice`: of a second payment."""

    kind: Literal["refund_undone"] = "refund_undone"
    number: str
    amount: Money
    provider: str
    label: str
    twice: bool


class PaymentKept(BaseNews):
    """To the customer: the shop has taken their second payment as another sale."""

    kind: Literal["payment_kept"] = "payment_kept"
    number: str
    amount: Money
    reason: str


class RefundWanted(BaseNews):
    """To those who reconcile: a customer asks for their money."""

    kind: Literal["refund_wanted"] = "refund_wanted"
    wish_id: UUID
    payment_id: UUID
    number: str
    amount: Money
    customer: str
    reason: str


class RefundDeclined(BaseNews):
    """To the customer: the shop does not give it back, and says why."""

    kind: Literal["refund_declined"] = "refund_declined"
    number: str
    reason: str


class MoneyTakenBack(BaseNews):
    """To those who reconcile: a provider took a customer's payment back. `owed`: what the wallet did not
    cover. `left`: it says that it took more than this, which was left of the payment; nothing is booked."""

    kind: Literal["money_taken_back"] = "money_taken_back"
    number: str
    amount: Money
    owed: Money
    provider: str
    left: Money | None = None


class PaymentDisputed(BaseNews):
    """To those who reconcile: a customer disputes a payment at the provider. Nothing has moved yet."""

    kind: Literal["payment_disputed"] = "payment_disputed"
    number: str
    amount: Money
    provider: str
