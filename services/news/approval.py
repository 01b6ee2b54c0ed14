"""News of approvals: what owners hear of one-time codes."""

from datetime import datetime
from typing import Literal

from services.news.base import BaseNews
from services.news.withdrawals import Withdrawal


class CodesEnrolled(BaseNews):
    """To the owners and to whom it concerns: the operator has given this person one-time codes; `again`: in
    place of those that they had."""

    kind: Literal["codes_enrolled"] = "codes_enrolled"
    name: str
    again: bool


class RightLent(BaseNews):
    """To the owners, the lender and the borrower: the right to approve is lent until then."""

    kind: Literal["right_lent"] = "right_lent"
    lender: str
    borrower: str
    until: datetime


class WithdrawalAskedAgain(BaseNews):
    """To the maker: it was approved and could not be sent in time, so the approvers are asked again."""

    kind: Literal["withdrawal_asked_again"] = "withdrawal_asked_again"
    withdrawal: Withdrawal


class CodesGuessed(BaseNews):
    """To the owners: so many wrong codes were typed for a request that it was closed. `reference` is its
    withdrawal's; `name` typed the last one."""

    kind: Literal["codes_guessed"] = "codes_guessed"
    name: str
    reference: str
