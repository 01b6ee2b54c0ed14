"""Refusals of the tenant's own limits, besides OverLimit."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.errors import Refusal
from services.money import Money


@dataclass(eq=False)
class TooManyWithdrawals(Refusal):
    """As many of the last 24 hours as the tenant allows; `of`: "day", or "destination"."""

    code: ClassVar[str] = "over_limit"
    limit: int
    of: str


@dataclass(eq=False)
class LimitLowered(Refusal):
    """It was asked for while one withdrawal might be as large."""

    code: ClassVar[str] = "limit_lowered"
    limit: Money
    amount: Money


@dataclass(eq=False)
class PayoutsBlocked(Refusal):
    """The tenant lets nothing leave at this hour."""

    code: ClassVar[str] = "payouts_blocked"
    until: datetime


@dataclass(eq=False)
class DestinationCoolingDown(Refusal):
    """A new destination may be approved only after the tenant's `new_destination_hours`."""

    code: ClassVar[str] = "destination_cooling_down"
    until: datetime


@dataclass(eq=False)
class PayoutsStoppedBy(Refusal):
    """A person has stopped all payouts; `by` None: the operator."""

    code: ClassVar[str] = "payouts_frozen"
    by: str | None
    at: datetime
