"""Batches: what the staff are told of a file of withdrawals."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.batches.faults import Faulty
from services.money import Money
from services.news.base import BaseNews
from services.news.withdrawals import Flag


class Sum(BaseModel):
    """Of the lines that go one way; or that have come to one end."""

    model_config = ConfigDict(frozen=True)

    of: str
    count: int
    amount: Money


class Repeated(BaseModel):
    """A line with the destination and the amount of an earlier one."""

    model_config = ConfigDict(frozen=True)

    line: int
    earlier: int


class Batch(BaseModel):
    """A batch as people see it. `sums` are by rail, `stands` by what has become of the lines, once there are
    withdrawals; `seen_at`: when the very same file was asked for."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    name: str
    count: int
    amount: Money
    fee: Money
    net: Money
    sums: tuple[Sum, ...]
    flags: tuple[Flag, ...]
    repeated: tuple[Repeated, ...]
    seen_at: datetime | None
    new_destinations: bool
    maker_id: UUID
    maker: str
    state: Literal[
        "taken", "draft", "faulty", "pending", "running", "done", "rejected", "canceled", "expired"
    ]
    stands: tuple[Sum, ...] = ()
    digest: str = ""
    needed: int = 0  # approvals
    created_at: datetime
    expires_at: datetime | None = None


class BatchRead(BaseNews):
    """To who sent the file: what it comes to, or else `faults`: the first of `count`. `required`: more than
    what is `available`; `owed`: that is paid first; `lost`: the file could not be had."""

    kind: Literal["batch_read"] = "batch_read"
    batch: Batch
    faults: tuple[Faulty, ...] = ()
    count: int = 0
    available: Money | None = None
    required: Money | None = None
    owed: Money | None = None
    lost: bool = False


class BatchAsked(BaseNews):
    """To each who may approve it."""

    kind: Literal["batch_asked"] = "batch_asked"
    batch: Batch


class BatchMoved(BaseNews):
    """To the maker and the approvers: where it stands now; `by` whom, where it was a person."""

    kind: Literal["batch_moved"] = "batch_moved"
    batch: Batch
    by: str | None = None
    reason: str | None = None


class BatchSelfApprovalTried(BaseNews):
    """To the tenant's owners: the maker tried to approve an own batch. It was refused."""

    kind: Literal["batch_self_approval_tried"] = "batch_self_approval_tried"
    batch: Batch
