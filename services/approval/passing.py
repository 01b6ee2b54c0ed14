"""Passing on: what an approved operation stands for becomes operations of its own, of another kind, each of
them approved by those who approved the first. So each is proven by itself where its money is sent, and asked
for again by itself where that was not done in time.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from uuid import UUID

import sqlalchemy as sa

from services.approval.record import Facts, Kind, approvers, digest
from services.errors import Changed
from services.store.schema import approvals, operations
from services.work import Work


async def pass_on(
    work: Work, of: sa.Row[object], of_kind: Kind, kind: Kind, made: Mapping[UUID, Facts]
) -> None:
    """`of` is the approved operation, read under its lock; `made` the new ones by id, with their facts.

    Only approvals that stand at this moment are passed on. Raises Changed where there are too few.
    """
    standing = await approvers(work, of_kind, of)
    if of.state != "approved" or len(standing) < of.approvals_needed:
        raise Changed
    policy = {"approvals_needed": of.approvals_needed, "step_up": of.step_up}
    decided = {"state": "approved", "decided_by": of.decided_by, "decided_at": work.now}
    rows = [
        {
            "tenant_id": work.tenant,
            "id": id_,
            "kind": kind.name,
            "maker_id": of.maker_id,
            "round": 1,
            "created_at": work.now,
            "expires_at": work.now,
            **policy,
            **decided,
        }
        for id_ in made
    ]
    for row in rows:
        row["digest"] = digest(work.tenant, SimpleNamespace(**row), made[row["id"]])
    await work.connection.execute(sa.insert(operations), rows)
    query = sa.select(approvals).where(
        approvals.c.tenant_id == work.tenant,
        approvals.c.operation_id == of.id,
        approvals.c.round == of.round,
        approvals.c.digest == of.digest,
        approvals.c.approver_id.in_(standing),
    )
    given = (await work.connection.execute(query)).mappings().all()
    passed = [
        dict(one) | {"operation_id": row["id"], "round": 1, "digest": row["digest"]}
        for row in rows
        for one in given
    ]
    await work.connection.execute(sa.insert(approvals), passed)
