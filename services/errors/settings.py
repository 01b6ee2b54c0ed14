"""Refusals of changes from inside."""

from dataclasses import dataclass
from typing import ClassVar

from services.errors import Refusal


@dataclass(eq=False)
class InvalidChange(Refusal):
    """What was wanted is not a setting, or not one that can be so; `field` and why."""

    code: ClassVar[str] = "invalid_change"
    field: str
    because: str


@dataclass(eq=False)
class ChangesNothing(Refusal):
    """It is so already."""

    code: ClassVar[str] = "changes_nothing"


@dataclass(eq=False)
class LeavesNoTwo(Refusal):
    """Afterwards not every withdrawal could be made and approved by different people, the largest by as many
    as it takes, or no owner would be left."""

    code: ClassVar[str] = "leaves_no_two_people"


@dataclass(eq=False)
class OwnRights(Refusal):
    """It would give rights to who wants to approve it."""

    code: ClassVar[str] = "four_eyes_violation"
