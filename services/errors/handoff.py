"""Refusals of a handoff."""

from dataclasses import dataclass
from typing import ClassVar

from services.errors import Refusal


@dataclass(eq=False)
class NobodyAnswers(Refusal):
    """Nobody of the staff answers customers."""

    code: ClassVar[str] = "nobody_answers"


@dataclass(eq=False)
class AnswersCustomers(Refusal):
    """Who answers customers is not handed over to another."""

    code: ClassVar[str] = "answers_customers"


@dataclass(eq=False)
class AnsweredBy(Refusal):
    """Another one of the staff answers this customer."""

    code: ClassVar[str] = "answered_by_another"
    by: str


@dataclass(eq=False)
class HandoffOver(Refusal):
    """The customer talks with the bot again."""

    code: ClassVar[str] = "handoff_over"


@dataclass(eq=False)
class OutsideWindow(Refusal):
    """The customer has not written for a day, so WhatsApp lets nobody write to them freely."""

    code: ClassVar[str] = "outside_window"
