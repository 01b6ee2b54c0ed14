"""Settings: what the staff are told of changes from inside, and of payouts that a person has stopped."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.news.base import BaseNews


class Change(BaseModel):
    """A change as people see it; `before` and `after` are masked, by key: texts, or bands of them. `state` is
    one of the table's. `needed`: so many others have to approve it, and `approved_by` have."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    kind: Literal["destination", "limits", "staff", "fees", "resume"]
    before: dict[str, Any]
    after: dict[str, Any]
    maker_id: UUID
    maker: str
    cools: bool
    state: Literal[
        "pending",
        "cooling",
        "done",
        "undone",
        "rejected",
        "canceled",
        "expired",
        "taken_back",
        "void",
    ]
    digest: str
    created_at: datetime
    expires_at: datetime
    due_at: datetime | None = None
    needed: int = 1
    approved_by: dict[UUID, str] = {}
    because: str | None = None


class ChangeAsked(BaseNews):
    """To the owners, and to each who may approve it."""

    kind: Literal["change_asked"] = "change_asked"
    change: Change


class ChangeMoved(BaseNews):
    """To the owners, the maker and the approvers: where it stands now; `by` whom, where it was a person."""

    kind: Literal["change_moved"] = "change_moved"
    change: Change
    by: str | None = None
    reason: str | None = None


class StoppedByPerson(BaseNews):
    """To all who ask for, approve and reconcile withdrawals: payouts are `stopped`, or go on. `by`: one of
    the staff; None where it was the operator, or two of the staff who let them go on."""

    kind: Literal["stopped_by_person"] = "stopped_by_person"
    by: str | None
    stopped: bool


class KeyRotated(BaseNews):
    """To the owners and to whose it is: the operator has made a new key of the API in place of the one with
    this prefix, which works until then."""

    kind: Literal["key_rotated"] = "key_rotated"
    name: str
    prefix: str
    until: datetime
