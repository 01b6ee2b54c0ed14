"""Refusals of a statement, as a person reads them."""

from flows.text import Text
from services.errors import Refusal
from services.errors import statement as errors


def statement_worded(refusal: Refusal) -> Text | None:
    """A sentence on what is wrong, and one on what to do; None for another refusal."""
    match refusal:
        case errors.InvalidPeriod(given=given):
            return Text(
                "“{given}” is not a period. Type two days, such as 1/11/2026 to 15/11/2026.", given=given
            )
        case errors.PeriodBackwards():
            return Text("The last day is before the first. Type the earlier day first.")
        case errors.PeriodInFuture():
            return Text("That period has not begun yet. Choose one that has.")
        case errors.PeriodTooLong(most_days=most):
            return Text("A statement tells of {most} days at most. Choose a shorter period.", most=most)
        case errors.EmptyPeriod(balance=balance):
            return Text(
                "Nothing came in or went out in that period: the balance was {balance} all the time. "
                "Choose another one.",
                balance=balance,
            )
        case errors.StatementTooLarge(lines=lines, most=most):
            return Text(
                "That period has {lines} lines, and such a file takes {most} here. Choose a shorter period "
                "or another kind of file.",
                lines=lines,
                most=most,
            )
        case _:
            return None
