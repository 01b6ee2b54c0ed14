"""Listing: what a provider's statement says, in our words, and the ability to list it.

A line is one movement of money as the provider has it, complete and final: what is still pending is no line.
It names nobody: a party is masked where the line is read.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from services.money import Money
from services.providers.base import Misconfigured, NotSent, Unknown


class Kind(StrEnum):
    PAID = "paid"  # by a customer
    SENT = "sent"  # to a destination, or to who had paid
    BACK = "back"  # a payment given back
    RETURNED = "returned"  # what was sent has come back
    FEE = "fee"  # what the provider took for itself
    OWN = "own"  # between the business's own accounts, or to its bank


@dataclass(frozen=True, slots=True)
class Line:
    """`key` is the same whenever and from wherever the same movement is read. `reference`: what it calls ours
    by; `of`: the receipt of the movement that it is a fee of, or gives back; `fee`: where the line itself
    tells it; `party`: whose money, masked."""

    key: str
    kind: Kind
    amount: Money
    at: datetime
    receipt: str | None = None
    reference: str | None = None
    of: str | None = None
    fee: Money | None = None
    party: str | None = field(default=None, repr=False)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for name in (self.reference, self.of) if name is not None)


@dataclass(frozen=True, slots=True)
class Covered:
    """Every line of this kind from `since` up to `until` is told."""

    kind: Kind
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """A part of a statement. `following` asks for the next one; None: this was the last, and all of `covered`
    has been told."""

    lines: tuple[Line, ...]
    covered: tuple[Covered, ...] = ()
    following: str | None = None


@runtime_checkable
class Lists(Protocol):
    """Tells its lines by itself, a page at a time."""

    @property
    def lists(self) -> bool:
        """Whether its settings allow it."""
        ...

    async def list_lines(
        self, since: datetime, until: datetime, page: str | None
    ) -> Listed | Misconfigured | NotSent | Unknown:
        """`page` is `following` of the one before. What they keep for a shorter time begins later: `covered`
        says when."""
        ...


@runtime_checkable
class TellsEach(Protocol):
    """Has no list, and tells of one payment to who knows its reference."""

    async def lines_of(
        self, reference: str, until: datetime
    ) -> tuple[Line, ...] | Misconfigured | NotSent | Unknown:
        """None of one that nobody has paid; what went back of it is a line of its own. `until`: the end of
        the time that is asked about, in which whatever has no time of its own is dated."""
        ...


class WrongStatement(ValueError):
    """A file that is no statement of the business's at this provider, whole and legible. `faults`: (line,
    what is wrong with it); line 0 is the file as a whole."""

    def __init__(self, *faults: tuple[int, str]) -> None:
        super().__init__("; ".join(f"line {line}: {what}" if line else what for line, what in faults))
        self.faults = faults
