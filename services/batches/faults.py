"""Faults: what is wrong of a file or of a line of it, as facts. Chat and API word them.

A fault stands at a line, as an editor counts them; at 0 where it is of the file as a whole.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from services import errors
from services.banks import InvalidDestination
from services.errors import Refusal
from services.errors.limits import TooManyWithdrawals
from services.money import Money


class Fault(StrEnum):
    # of the file
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_TEXT = "not_utf8"
    NOT_CSV = "not_csv"
    TOO_MANY_LINES = "too_many_lines"
    UNKNOWN_COLUMN = "unknown_column"
    MISSING_COLUMN = "missing_column"
    COLUMN_TWICE = "column_twice"
    # of a line
    CELLS = "too_many_cells"
    KIND = "unknown_kind"
    PHONE = "invalid_phone"
    TILL = "invalid_till"
    BANK = "unknown_bank"
    ACCOUNT = "invalid_account"
    HOLDER = "invalid_name"
    AMOUNT = "invalid_amount"
    NOTE = "invalid_note"
    CENTS = "not_whole_shillings"
    MINIMUM = "below_minimum"
    FEE = "not_above_fee"
    LIMIT = "over_limit"
    COUNT = "too_many_withdrawals"
    CLOSED = "provider_not_configured"


class Faulty(BaseModel):
    """`column` is the cell's; `given` what stands there, masked; `limit`, `left` and `most` are what is
    allowed (`limit` is the least where the amount is too small, after the `fee` where there is one), and `of`
    whom it counts for (see `services/withdrawals/limits.py`)."""

    model_config = ConfigDict(frozen=True)

    line: int
    because: Fault
    column: str | None = None
    given: str | None = None
    limit: Money | None = None
    fee: Money | None = None
    left: Money | None = None
    most: int | None = None
    of: str | None = None


@dataclass(eq=False)
class BatchFaulty(Refusal):
    """Nothing of the file is started. `faults` in the order of its lines."""

    code: ClassVar[str] = "batch_faulty"
    faults: tuple[Faulty, ...]


_FIELDS = {
    "till_number": (Fault.TILL, "number"),
    "bank_code": (Fault.BANK, "bank"),
    "account_number": (Fault.ACCOUNT, "number"),
    "account_name": (Fault.HOLDER, "name"),
}


def of(refusal: Refusal, line: int) -> Faulty:
    """What refuses a withdrawal, as the fault of its line. Raises the refusal where it is of no line."""
    match refusal:
        case errors.InvalidPhone(given=given):
            return Faulty(line=line, because=Fault.PHONE, column="number", given=given)
        case InvalidDestination(field=field):
            because, column = _FIELDS[field]
            return Faulty(line=line, because=because, column=column)
        case errors.NotWholeShillings():
            return Faulty(line=line, because=Fault.CENTS, column="amount")
        case errors.BelowMinimum(net=True, minimum=minimum, amount=amount, fee=fee):
            because = Fault.MINIMUM if amount else Fault.FEE
            return Faulty(line=line, because=because, column="amount", limit=minimum, fee=fee)
        case errors.BelowMinimum(minimum=minimum):
            return Faulty(line=line, because=Fault.MINIMUM, column="amount", limit=minimum)
        case errors.OverLimit(limit=limit, left=left, of=whom):
            return Faulty(line=line, because=Fault.LIMIT, column="amount", limit=limit, left=left, of=whom)
        case TooManyWithdrawals(limit=most, of=whom):
            return Faulty(line=line, because=Fault.COUNT, most=most, of=whom)
        case errors.ProviderNotConfigured():
            return Faulty(line=line, because=Fault.CLOSED, column="to")
    raise refusal
