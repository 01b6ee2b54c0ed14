"""Refusals of approvals: one-time codes, and who may not approve yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.errors import Refusal


@dataclass(eq=False)
class TotpInvalid(Refusal):
    """The one-time code is not the one of this moment. `used`: it was, and has been used. `locked_until`:
    too many were wrong, and none is looked at until then. `void`: so many that the request is closed."""

    code: ClassVar[str] = "totp_invalid"
    used: bool = False
    locked_until: datetime | None = None
    void: bool = False


@dataclass(eq=False)
class ApproverCoolingDown(Refusal):
    """Whose WhatsApp changed, or whose one-time codes are new, approves nothing for a while."""

    code: ClassVar[str] = "approver_cooling_down"
    until: datetime


@dataclass(eq=False)
class NotLendable(Refusal):
    """The right to approve cannot be lent so; `because` says why."""

    code: ClassVar[str] = "not_lendable"
    because: str
