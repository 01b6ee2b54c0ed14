"""News of approvals: what owners hear of one-time codes."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.news.base import BaseNews
from services.news.withdrawals import Withdrawal
from services.reasons import Unsent


class Lending(BaseModel):
    """The right to approve, lent to another of the staff."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    lender_id: UUID
    lender: str
    borrower_id: UUID
    borrower: str
    until: datetime
    state: Literal["pending", "lent", "over", "rejected", "canceled", "expired"]
    digest: str


class CodesEnrolled(BaseNews):
    """To the owners and to whom it concerns: the operator has given this person one-time codes; `again`: in
    place of those that they had."""

    kind: Literal["codes_enrolled"] = "codes_enrolled"
    name: str
    again: bool


class LendingAsked(BaseNews):
    """To the owners, and to each who may agree to it."""

    kind: Literal["lending_asked"] = "lending_asked"
    lending: Lending


class LendingMoved(BaseNews):
    """To the owners and the lender: it was rejected; to the borrower too: it is over before its time."""

    kind: Literal["lending_moved"] = "lending_moved"
    lending: Lending


class RightLent(BaseNews):
    """To the owners, the lender and the borrower: the right to approve is lent until then."""

    kind: Literal["right_lent"] = "right_lent"
    lender: str
    borrower: str
    until: datetime


class RightUsed(BaseNews):
    """To the lender: the borrower has approved by the lent right."""

    kind: Literal["right_used"] = "right_used"
    borrower: str
    reference: str


class WithdrawalAskedAgain(BaseNews):
    """To the maker: the approvers are asked again, since it could not be sent in time, or since what was
    approved is not enough any more (`because`)."""

    kind: Literal["withdrawal_asked_again"] = "withdrawal_asked_again"
    withdrawal: Withdrawal
    because: Unsent = Unsent.TOO_LATE


class CodesGuessed(BaseNews):
    """To the owners: so many wrong codes were typed for a request that it was closed. `reference` is its
    withdrawal's; `name` typed the last one."""

    kind: Literal["codes_guessed"] = "codes_guessed"
    name: str
    reference: str
