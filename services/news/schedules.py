"""Schedules: what the staff are told of withdrawals that come by themselves."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.money import Money
from services.news.base import BaseNews
from services.news.withdrawals import Withdrawal


class Run(BaseModel):
    """`because`: why nothing was asked for."""

    model_config = ConfigDict(frozen=True)

    day: date
    outcome: Literal["made", "skipped"]
    because: str | None
    withdrawal_id: UUID | None


class Schedule(BaseModel):
    """A schedule as people see it; `runs` the latest first."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    name: str
    every: Literal["day", "week", "month"]
    days: tuple[int, ...]
    hour: int
    keep: Money
    most: Money
    last_day: date
    method_type: str
    destination: str
    maker_id: UUID
    maker: str
    state: Literal["pending", "active", "stopped", "resting", "ended", "rejected", "canceled", "expired"]
    because: str | None
    digest: str
    needed: int
    created_at: datetime
    expires_at: datetime
    next_at: datetime | None
    runs: tuple[Run, ...] = ()


class ScheduleAsked(BaseNews):
    """To the owners, and to each who may approve it."""

    kind: Literal["schedule_asked"] = "schedule_asked"
    schedule: Schedule


class ScheduleMoved(BaseNews):
    """To the owners, the maker and the approvers: where it stands now; `by` whom, where it was a person."""

    kind: Literal["schedule_moved"] = "schedule_moved"
    schedule: Schedule
    by: str | None = None
    reason: str | None = None


class ScheduleRan(BaseNews):
    """To the same: it came up, and this is on its way; or `because`, why nothing is."""

    kind: Literal["schedule_ran"] = "schedule_ran"
    schedule: Schedule
    withdrawal: Withdrawal | None = None
    because: str | None = None


class ScheduleSelfApprovalTried(BaseNews):
    """To the tenant's owners: the maker tried to approve an own schedule. It was refused."""

    kind: Literal["schedule_self_approval_tried"] = "schedule_self_approval_tried"
    schedule: Schedule
