"""Statements: the staff see what moved in the wallet. Part of the `Teller`."""

from datetime import date
from typing import Protocol

from services.statement.facts import Statement


class Statements(Protocol):
    async def statement(self, first: date, last: date) -> Statement:
        """From the first day to the last, both whole by the clocks of the shop, or until now.

        Raises MissingScope (finance:view), EmptyPeriod, PeriodBackwards, PeriodInFuture, PeriodTooLong and
        InvalidPeriod."""
        ...
