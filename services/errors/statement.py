"""Refusals of a statement: its period is none, or holds nothing, or holds too much."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.errors import Refusal
from services.money import Money


@dataclass(eq=False)
class InvalidPeriod(Refusal):
    """An end of it is neither a day ("2026-11-30") nor a time of RFC 3339."""

    code: ClassVar[str] = "invalid_period"
    given: str


@dataclass(eq=False)
class PeriodBackwards(Refusal):
    """It ends before it begins, or as it begins."""

    code: ClassVar[str] = "period_backwards"


@dataclass(eq=False)
class PeriodInFuture(Refusal):
    """It has not begun yet."""

    code: ClassVar[str] = "period_in_future"


@dataclass(eq=False)
class PeriodTooLong(Refusal):
    """One statement tells of so many days at most."""

    code: ClassVar[str] = "period_too_long"
    most_days: int


@dataclass(eq=False)
class EmptyPeriod(Refusal):
    """Nothing moved in it: the wallet had this balance from beginning to end."""

    code: ClassVar[str] = "empty_period"
    since: datetime
    until: datetime
    balance: Money


@dataclass(eq=False)
class StatementTooLarge(Refusal):
    """More lines than a file of this form takes."""

    code: ClassVar[str] = "statement_too_large"
    form: str
    lines: int
    most: int
