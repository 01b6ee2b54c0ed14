"""Deciding: approve, reject, cancel, expire. The first decision wins; the row's lock is the referee.

Four eyes are held by the person, not by phone, session or role, and nobody is exempt. The database
refuses a maker's own approval too.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import audit, inbox
from services.approval.record import Facts, Kind, approvers, digest, locked, refuse_decided, right_used
from services.errors import Changed, FourEyesViolation, MissingScope
from services.errors.approval import TotpInvalid
from services.news.approval import CodesGuessed, RightUsed
from services.people import people
from services.phones import without_numbers
from services.points import point
from services.readable import refuse_blank
from services.safety import stepup
from services.store.schema import approvals, operations
from services.work import Work

_WRONG_CODES_VOID = 10


async def may_approve(
    work: Work,
    kind: Kind,
    approver: UUID,
    operation_id: UUID,
    shown_digest: str,
    facts: Facts,
    *,
    code: str | None = None,
    step_up: bool = False,
    guessed: Callable[[], Awaitable[object]] | None = None,
    unless: Callable[[], Awaitable[object]] | None = None,
) -> Any:
    """The operation, locked, where this person may approve it as it was shown. `facts` are read under
    this lock. `step_up`: it takes a code by now, whether or not it did when it was asked for. `unless`: what
    else of its kind refuses; a right code is not used up by that.

    Raises NotFound, FourEyesViolation, ApproverCoolingDown, MissingScope, StepUpRequired, TotpInvalid,
    NotPending, Changed. A tried self-approval is recorded, and a wrong code counted, before it is refused,
    so the transaction must still be committed. With the last of many wrong codes the operation is closed
    (TotpInvalid.void), and `guessed` closes what the kind keeps.
    """
    operation = await locked(work, kind, operation_id)
    # Before the scope, or a maker without it would try unseen; REST, whose order is the scope first, asks
    # for that at its door. A maker is a person here, whichever of their phones speaks.
    if operation.maker_id == approver:
        await _tried(work, kind, operation, approver)
        raise FourEyesViolation
    await people.refuse_resting(work, approver)
    try:
        await right_used(work, kind, operation, approver)
    except FourEyesViolation:
        await _tried(work, kind, operation, approver)
        raise

    async def refuse() -> None:
        await refuse_decided(work, operation)
        if not shown_digest == operation.digest == digest(work.tenant, operation, facts):
            raise Changed
        if unless is not None:
            await unless()

    if not (operation.step_up or step_up):
        await refuse()
        return operation
    try:
        await _step_up(work, kind, operation, approver, code, refuse)
    except TotpInvalid as wrong:
        if wrong.void and guessed is not None:
            await guessed()
        raise
    return operation


async def _tried(work: Work, kind: Kind, operation: sa.Row[Any], approver: UUID) -> None:
    tried = {"maker": str(operation.maker_id), "digest": operation.digest}
    await audit.record(work, approver, f"{kind.name}.self_approval", operation.id, tried, alert=True)


async def add(
    work: Work, kind: Kind, approver: UUID, operation: sa.Row[Any], told: dict[str, Any] | None = None
) -> bool:
    """Add this person's approval to what `may_approve` gave out; True with the last one needed.

    `told`: masked facts for the audit, which has what was added, and no second tap.
    """
    counted = await approvers(work, kind, operation)
    right_of = await right_used(work, kind, operation, approver, counted.values())
    await _make_room(work, operation, approver, right_of, counted)
    values = {
        "tenant_id": work.tenant,
        "operation_id": operation.id,
        "round": operation.round,
        "approver_id": approver,
        "right_of": right_of,
        "maker_id": operation.maker_id,
        "digest": operation.digest,
        "created_at": work.now,
    }
    adding = work.insert(approvals).values(values).on_conflict_do_nothing().returning(approvals.c.approver_id)
    added = (await work.connection.execute(adding)).first() is not None
    point("approval.added")
    if added:
        known = {"maker": str(operation.maker_id), "digest": operation.digest}
        lent = {} if right_of == approver else {"lent_by": str(right_of)}
        facts = known | lent | (told or {})
        await audit.record(work, approver, f"{kind.name}.approved", operation.id, facts)
        if lent:
            borrower = await people.name_of(work, approver) or ""
            used = RightUsed(borrower=borrower, reference=_reference(operation))
            await inbox.tell_people(work, [right_of], used)
    if len(await approvers(work, kind, operation)) < operation.approvals_needed:
        return False
    await _decide(work, operation, "approved", approver)
    return True


def _reference(operation: sa.Row[Any]) -> str:
    """As people are shown it."""
    return str(operation.id.hex[-6:].upper())


async def _make_room(
    work: Work, operation: sa.Row[Any], approver: UUID, right_of: UUID, counted: Collection[UUID]
) -> None:
    """What was approved by a right that has ended counts no more, and must not keep whose right it was, or
    who has another by now, from approving. The audit has it still."""
    await work.connection.execute(
        sa.delete(approvals).where(
            approvals.c.tenant_id == work.tenant,
            approvals.c.operation_id == operation.id,
            approvals.c.round == operation.round,
            sa.or_(approvals.c.approver_id == approver, approvals.c.right_of == right_of),
            approvals.c.approver_id.not_in(counted),
        )
    )


async def _step_up(
    work: Work,
    kind: Kind,
    operation: sa.Row[Any],
    approver: UUID,
    code: str | None,
    refuse: Callable[[], Awaitable[None]],
) -> None:
    """A code that is none of the person's, whether mistyped or guessed, counts against the operation too. At
    what is decided it cannot, so a right one is used up there: it would be the place to guess."""
    try:
        if operation.state == "pending":
            await stepup.verify(work, approver, code, unless=refuse)
        else:
            await stepup.verify(work, approver, code)
            await refuse()
    except TotpInvalid as wrong:
        if wrong.used or operation.state != "pending":
            raise
        tries = operation.wrong_codes + 1
        counting = sa.update(operations).where(
            operations.c.tenant_id == work.tenant, operations.c.id == operation.id
        )
        await work.connection.execute(counting.values(wrong_codes=tries))
        await audit.record(work, approver, f"{kind.name}.wrong_code", operation.id, {"wrong_codes": tries})
        if tries < _WRONG_CODES_VOID:
            raise
        await _decide(work, operation, "canceled", None)
        facts = {"wrong_codes": tries, "last_by": str(approver)}
        await audit.record(work, approver, f"{kind.name}.codes_guessed", operation.id, facts, alert=True)
        name = await people.name_of(work, approver) or ""
        news = CodesGuessed(name=name, reference=_reference(operation))
        await inbox.tell_people(work, await people.owners(work), news)
        wrong.void = True
        raise


async def reject(
    work: Work, kind: Kind, approver: UUID, operation_id: UUID, reason: str, about: UUID | None = None
) -> None:
    """`about`: the customer of whom the reason may tell. Raises MissingScope, NotFound, NotPending,
    BlankReason."""
    await people.require(work, approver, kind.approve)
    operation = await locked(work, kind, operation_id)
    await refuse_decided(work, operation)
    refuse_blank(reason)
    await _close(work, kind, operation, "rejected", approver, reason, about)


async def cancel(work: Work, kind: Kind, person: UUID, operation_id: UUID, reason: str | None = None) -> None:
    """The maker takes it back, or who may approve. Raises MissingScope, NotFound, NotPending."""
    scopes = (await people.active_staff(work)).get(person, frozenset())
    if not scopes & {kind.ask, kind.approve}:
        raise MissingScope(kind.ask)
    operation = await locked(work, kind, operation_id)
    if person != operation.maker_id and kind.approve not in scopes:
        raise MissingScope(kind.approve)
    await refuse_decided(work, operation)
    await _close(work, kind, operation, "canceled", person, reason)


async def expire(work: Work, kind: Kind, operation_id: UUID) -> bool:
    """Close what nobody decided in time; False where it was decided, or is not yet due."""
    operation = await locked(work, kind, operation_id)
    if operation.state != "pending" or operation.expires_at > work.now:
        return False
    await _decide(work, operation, "expired", None)
    point("approval.expired")
    await audit.record(work, audit.CLOCK, f"{kind.name}.expired", operation_id, {})
    return True


async def forget(work: Work, person: UUID) -> None:
    """Whatever this person has approved and waits for others still: somebody else may have been behind
    their chat, or they have been off the staff since."""
    pending = sa.select(operations.c.id).where(
        operations.c.tenant_id == work.tenant, operations.c.state == "pending"
    )
    await work.connection.execute(
        sa.delete(approvals).where(
            approvals.c.tenant_id == work.tenant,
            sa.or_(approvals.c.approver_id == person, approvals.c.right_of == person),
            approvals.c.operation_id.in_(pending),
        )
    )


async def void(work: Work, kind: Kind, operation_id: UUID) -> bool:
    """Close what nobody has decided, since what it was asked for no longer holds; False where it was."""
    operation = await locked(work, kind, operation_id)
    if operation.state != "pending":
        return False
    await _decide(work, operation, "canceled", None)
    await audit.record(work, audit.CLOCK, f"{kind.name}.voided", operation_id, {})
    return True


async def _close(
    work: Work,
    kind: Kind,
    operation: sa.Row[Any],
    state: str,
    by: UUID,
    reason: str | None,
    about: UUID | None = None,
) -> None:
    await _decide(work, operation, state, by)
    facts = {"reason": without_numbers(reason)} if reason else {}
    private = audit.Private(about, facts) if about and facts else None
    await audit.record(
        work, by, f"{kind.name}.{state}", operation.id, {} if private else facts, private=private
    )


async def _decide(work: Work, operation: sa.Row[Any], state: str, by: UUID | None) -> None:
    """It is there, pending and unchanged, since we hold its lock; anything else is a bug and rolls back."""
    statement = (
        sa.update(operations)
        .where(
            operations.c.tenant_id == work.tenant,
            operations.c.id == operation.id,
            operations.c.state == "pending",
            operations.c.digest == operation.digest,
        )
        .values(state=state, decided_by=by, decided_at=work.now)
        .returning(operations.c.id)
    )
    (await work.connection.execute(statement)).one()
    point("approval.decided")
