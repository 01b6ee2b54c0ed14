"""Record: an operation's row, its digest, and who has approved it."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.errors import FourEyesViolation, MissingScope, NotFound, NotPending
from services.people import people
from services.people.access import APPROVE
from services.store.hot import Hot, Named
from services.store.schema import approvals, operations
from services.work import Work, canonical

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """What is asked for. `name` heads its actions in the audit; a scope for asking, one for approving."""

    name: str
    ask: str
    approve: str
    lendable: bool = True  # whoever was lent the right to approve may use it for this


def digest(tenant: UUID, operation: Any, facts: Facts) -> str:
    """What an approval approves, as sha256 in hex: the facts, who asks, and the policy that it was asked
    under. `round` counts how often it was asked, so that no approval outlives its round."""
    told = {
        "tenant": str(tenant),
        "id": str(operation.id),
        "kind": operation.kind,
        "maker": str(operation.maker_id),
        "round": operation.round,
        "policy": {"approvals": operation.approvals_needed, "step_up": bool(operation.step_up)},
        "facts": dict(facts),
    }
    return hashlib.sha256(canonical(told).encode()).hexdigest()


_LOCKED = Named(
    sa.select(operations)
    .where(
        operations.c.tenant_id == sa.bindparam("tenant"),
        operations.c.id == sa.bindparam("operation"),
        operations.c.kind == sa.bindparam("kind"),
    )
    .with_for_update(key_share=True)
)


async def locked(work: Work, kind: Kind, operation_id: UUID) -> Any:
    """Its row, before any row of the kind's own is locked. Raises NotFound, for another kind's too."""
    one = {"tenant": work.tenant, "operation": operation_id, "kind": kind.name}
    rows = await _LOCKED(work.connection, **one)
    if not rows:
        raise NotFound(kind.name)
    return rows[0]


async def refuse_decided(work: Work, operation: sa.Row[Any]) -> None:
    """Raises NotPending, naming who decided and when; a request out of time counts as expired."""
    if operation.state == "pending" and operation.expires_at > work.now:
        return
    if operation.state == "pending":
        raise NotPending("expired", None, operation.expires_at)
    name = await people.name_of(work, operation.decided_by)
    raise NotPending(operation.state, name, operation.decided_at)


@contextmanager
def as_it_stands(status: str) -> Iterator[None]:
    """Who comes too late is told what has become of what was asked for, not only how it was decided.
    `status`: its own, under its lock."""
    try:
        yield
    except NotPending as decided:
        now = decided.status if status == "pending" else status
        raise NotPending(now, decided.by, decided.at) from None


_APPROVED = Hot(
    sa.select(approvals.c.approver_id, approvals.c.right_of).where(
        approvals.c.tenant_id == sa.bindparam("tenant"),
        approvals.c.operation_id == sa.bindparam("operation"),
        approvals.c.round == sa.bindparam("round"),
        approvals.c.digest == sa.bindparam("digest"),
        approvals.c.approver_id != sa.bindparam("maker"),
    )
)


async def approvers(work: Work, kind: Kind, operation: sa.Row[Any]) -> dict[UUID, UUID]:
    """Who approved exactly this, and may still: others than the maker, active, holding the scope, or lent it
    by another who holds it; each with whose right it is."""
    of = {"operation": operation.id, "round": operation.round, "digest": operation.digest}
    rows = await _APPROVED(work.connection, tenant=work.tenant, **of, maker=operation.maker_id)
    rights = await people.rights_to_approve(work)
    return {
        approver: right_of
        for approver, right_of in rows
        if right_of in _rights_of(rights, kind, approver) and right_of != operation.maker_id
    }


async def given(work: Work, operation: sa.Row[Any]) -> set[UUID]:
    """Who approved it in this round, whether or not they may still."""
    query = sa.select(approvals.c.approver_id).where(
        approvals.c.tenant_id == work.tenant,
        approvals.c.operation_id == operation.id,
        approvals.c.round == operation.round,
    )
    return set((await work.connection.execute(query)).scalars())


async def right_used(
    work: Work, kind: Kind, operation: sa.Row[Any], approver: UUID, used: Iterable[UUID] = ()
) -> UUID:
    """Whose right to approve it is: the approver's own, else of who lent it, and where more than one has, one
    that is not `used` yet. One right is one approval.

    Raises MissingScope; FourEyesViolation where it was lent by the maker only, who would decide by proxy.
    """
    mine = _rights_of(await people.rights_to_approve(work), kind, approver)
    if not mine:
        raise MissingScope(kind.approve)
    if approver in mine:
        return approver
    others = mine - {operation.maker_id}
    if not others:
        raise FourEyesViolation
    return min(others - set(used) or others)


async def whose_right(work: Work, kind: Kind, operation_id: UUID, approver: UUID) -> UUID:
    """By whose right this person would approve it now. Raises NotFound, and as `right_used` does."""
    operation = await locked(work, kind, operation_id)
    counted = await approvers(work, kind, operation)
    return await right_used(work, kind, operation, approver, counted.values())


def _rights_of(rights: people.Rights, kind: Kind, person: UUID) -> frozenset[UUID]:
    if kind.approve in rights.own.get(person, ()):
        return frozenset({person})
    lent = rights.lent.get(person, frozenset())
    return lent if kind.approve == APPROVE and kind.lendable else frozenset()


async def stands(work: Work, kind: Kind, operation_id: UUID, facts: Facts) -> bool:
    """Whether it is approved still: exactly these facts, by as many as it takes who may approve now."""
    operation = await locked(work, kind, operation_id)
    if operation.state != "approved" or operation.digest != digest(work.tenant, operation, facts):
        return False
    needed: int = operation.approvals_needed
    return len(await approvers(work, kind, operation)) >= needed
