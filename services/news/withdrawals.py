"""Withdrawals: what their makers and approvers are told."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.money import Money
from services.news.base import BaseNews
from services.reasons import Frozen, Held, Unsent, Unusual


class Flag(BaseModel):
    """What is unusual of a withdrawal: `usual` beside a large amount, `count` where many were asked for."""

    model_config = ConfigDict(frozen=True)

    because: Unusual
    usual: Money | None = None
    count: int | None = None


class Resting(BaseModel):
    """A way out that is stopped, and why; None: all of them are."""

    model_config = ConfigDict(frozen=True)

    way: str | None
    because: Frozen
    since: datetime | None


class Withdrawal(BaseModel):
    """A withdrawal as people see it: the destination masked."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    amount: Money
    fee: Money
    net: Money
    method_type: str
    destination: str  # masked
    new_destination: bool
    maker_id: UUID
    maker: str
    status: str
    digest: str
    flags: tuple[Flag, ...] = ()
    created_at: datetime
    expires_at: datetime
    notes: str | None = None
    batch_id: UUID | None = None  # it is a line of a file
    carrier: str | None = None  # the provider by whom it was sent, where that is told
    named: str | None = None  # the destination with its holder's name, for who decides; in no news

    @property
    def to(self) -> str:
        return self.named or self.destination


class WithdrawalRequested(BaseNews):
    """To each who may approve it."""

    kind: Literal["withdrawal_requested"] = "withdrawal_requested"
    withdrawal: Withdrawal


class WithdrawalApproved(BaseNews):
    """To the maker and the other approvers: `by` approved it; the payout is under way."""

    kind: Literal["withdrawal_approved"] = "withdrawal_approved"
    withdrawal: Withdrawal
    by: str


class WithdrawalClosed(BaseNews):
    """To the maker and the approvers: nothing was or will be paid; the hold is released.

    `withdrawal.status` is rejected, canceled, expired or failed; `by` the person, where one decided,
    and `reason` what they typed; `because` is ours where it failed.
    """

    kind: Literal["withdrawal_closed"] = "withdrawal_closed"
    withdrawal: Withdrawal
    by: str | None = None
    reason: str | None = None
    because: Unsent | None = None


class WithdrawalHeldBack(BaseNews):
    """To the maker and the approvers: it is approved, and is sent once what it waits for is over: payouts go
    on, or the hours end (`until`) at which nothing may leave, or the one before it has arrived."""

    kind: Literal["withdrawal_held_back"] = "withdrawal_held_back"
    withdrawal: Withdrawal
    until: datetime | None = None
    because: Held = Held.STOPPED


class FloatShort(BaseNews):
    """To those who reconcile, once while it is so: the account that this way out is paid from holds less than
    a payout that waits for it."""

    kind: Literal["float_short"] = "float_short"
    rail: str
    provider: str
    funds: Money
    needed: Money


class WithdrawalPaid(BaseNews):
    """To the maker and the approver: the provider has paid it out."""

    kind: Literal["withdrawal_paid"] = "withdrawal_paid"
    withdrawal: Withdrawal
    receipt: str | None


class WithdrawalPaidLate(BaseNews):
    """To the maker, the approvers and those who reconcile: it had failed, and the provider has paid it out
    after all. What left is taken from the wallet, and `owed` of it is owed."""

    kind: Literal["withdrawal_paid_late"] = "withdrawal_paid_late"
    withdrawal: Withdrawal
    owed: Money
    receipt: str | None


class SelfApprovalTried(BaseNews):
    """To the tenant's owners: the maker tried to approve an own withdrawal. It was refused."""

    kind: Literal["self_approval_tried"] = "self_approval_tried"
    withdrawal: Withdrawal
