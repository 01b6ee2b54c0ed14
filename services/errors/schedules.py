"""Refusals of schedules."""

from dataclasses import dataclass
from typing import ClassVar

from services.errors import Refusal


@dataclass(eq=False)
class InvalidSchedule(Refusal):
    """It cannot be so; `field`, and why."""

    code: ClassVar[str] = "invalid_schedule"
    field: str
    because: str
