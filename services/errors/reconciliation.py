"""Refusals about statements of providers and where they and the books do not fit."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.errors import Refusal


@dataclass(eq=False)
class StillLate(Refusal):
    """It is not a day old, and most of these are explained by then."""

    code: ClassVar[str] = "still_late"
    until: datetime


@dataclass(eq=False)
class NotOpen(Refusal):
    """It is explained, or somebody has closed it; `status` is what it is now."""

    code: ClassVar[str] = "not_open"
    status: str


@dataclass(eq=False)
class OwnBreak(Refusal):
    """It is about what this person has asked for or approved. `others`: the names of who may close it;
    with none the operator does."""

    code: ClassVar[str] = "four_eyes_violation"
    others: tuple[str, ...]


@dataclass(eq=False)
class InvalidStatement(Refusal):
    """The file is no whole and legible statement of the business's there; nothing of it was kept."""

    code: ClassVar[str] = "invalid_statement"
    faults: tuple[str, ...]


@dataclass(eq=False)
class NoStatements(Refusal):
    """No file of this provider's can be read here."""

    code: ClassVar[str] = "no_statements"
    provider: str
