"""Facts of a statement: its sums, and its lines."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.money import Money

# Kinds of lines: what the ledger calls the reason of a transfer, but for what everybody else calls so.
KINDS = {
    "payout": "withdrawal",
    "payout_returned": "withdrawal_returned",
    "payout_late": "withdrawal_paid_late",
}

# What a file of each form takes; less in a chat, where it has to be made within the lease of its message.
MOST_LINES = {"csv": 500_000, "xlsx": 200_000, "pdf": 5_000}
MOST_SENT = {"csv": 20_000, "xlsx": 10_000, "pdf": 2_000}


class Sum(BaseModel):
    """Of one kind of lines, either in or out: what went out is negative."""

    model_config = ConfigDict(frozen=True)

    kind: str
    count: int
    amount: Money


class Statement(BaseModel):
    """The wallet from `since` on and before `until`: opening + sums = closing, to the last cent.

    The balances are what is posted. `held` of the closing one was asked for and not paid out yet; `owed` is
    what the shop owed beside it at the end.
    """

    model_config = ConfigDict(frozen=True)

    since: datetime
    until: datetime
    opening: Money
    closing: Money
    held: Money
    owed: Money
    sums: tuple[Sum, ...]

    @property
    def count(self) -> int:
        """Of its lines."""
        return sum(each.count for each in self.sums)


@dataclass(frozen=True, slots=True)
class Line:
    """One transfer, as the wallet sees it: `amount` is negative where it went out, `balance` is after it.

    `number` is the order's. `withdrawal_id` stands where it was one. `account` is masked: who paid, or where
    it went. `receipt` is the provider's.
    """

    id: UUID
    at: datetime
    kind: str
    number: str | None
    withdrawal_id: UUID | None
    provider: str | None
    account: str | None
    receipt: str | None
    amount: Money
    balance: Money
