"""Asking: an operation waits for others than its maker."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit
from services.approval.record import Facts, Kind, digest, locked
from services.errors import Changed
from services.people import people
from services.store.schema import operations
from services.work import Work


async def ask(
    work: Work,
    kind: Kind,
    operation_id: UUID,
    maker: UUID,
    facts: Facts,
    *,
    needed: int,
    expires_at: datetime,
    step_up: bool = False,
) -> str:
    """Have `needed` others than the maker asked; the digest of what they are asked for.

    `step_up`: each of them has to type a one-time code. The policy is pinned; a kind asks again where that is
    no longer enough. The kind tells the approvers, and schedules the expiry.
    Raises MissingScope.
    """
    await people.require(work, maker, kind.ask)
    row = {
        "tenant_id": work.tenant,
        "id": operation_id,
        "kind": kind.name,
        "maker_id": maker,
        "round": 1,
        "approvals_needed": needed,
        "step_up": step_up,
        "state": "pending",
        "created_at": work.now,
        "expires_at": expires_at,
    }
    made = digest(work.tenant, SimpleNamespace(**row), facts)
    await work.connection.execute(sa.insert(operations).values(**row, digest=made))
    return made


async def ask_again(
    work: Work,
    kind: Kind,
    operation_id: UUID,
    facts: Facts,
    *,
    needed: int,
    expires_at: datetime,
    step_up: bool = False,
) -> str:
    """What was approved and not done in time, or waits under a policy that is no longer enough, waits for
    approvals again, under the policy of now; those of before count no more, since the digest is another one.
    Raises NotFound; Changed where it is no longer what was asked for."""
    operation = await locked(work, kind, operation_id)
    if operation.state not in ("approved", "pending") or operation.digest != digest(
        work.tenant, operation, facts
    ):
        raise Changed
    changed: dict[str, Any] = {
        "round": operation.round + 1,
        "approvals_needed": needed,
        "step_up": step_up,
        "state": "pending",
        "expires_at": expires_at,
    }
    now = SimpleNamespace(**operation._asdict() | changed)
    made = digest(work.tenant, now, facts)
    nobody = {"decided_by": None, "decided_at": None, "wrong_codes": 0}
    await work.connection.execute(
        sa.update(operations)
        .where(operations.c.tenant_id == work.tenant, operations.c.id == operation_id)
        .values(**changed, **nobody, digest=made)
    )
    return made


async def ask_more(work: Work, kind: Kind, operation_id: UUID, facts: Facts, needed: int) -> bool:
    """What waits for fewer than are needed by now waits for all of them anew, until the same end. False where
    it waits for enough, or waits no more, or could not be approved since it was altered. Raises NotFound."""
    operation = await locked(work, kind, operation_id)
    waits = operation.state == "pending" and operation.expires_at > work.now
    whole = operation.digest == digest(work.tenant, operation, facts)
    if not (waits and whole) or needed <= operation.approvals_needed:
        return False
    ends, step_up = operation.expires_at, bool(operation.step_up)
    made = await ask_again(work, kind, operation_id, facts, needed=needed, expires_at=ends, step_up=step_up)
    told = {"digest": made, "approvals": needed}
    await audit.record(work, audit.CLOCK, f"{kind.name}.asked_again", operation_id, told)
    return True
