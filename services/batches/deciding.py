"""Deciding: others approve, reject or take back a batch as a whole; or it expires, and nothing is left of it.

With the last approval each line becomes a withdrawal, in the same transaction.
"""

from collections.abc import Collection
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import approval, inbox, jobs, ledger
from services.batches.asking import EXPIRES, refuse_changed
from services.batches.record import BATCH, alone, facts, lines_of, locked, move, moved, shown
from services.batches.starting import start
from services.errors import FourEyesViolation
from services.facts import Destination
from services.news.batches import Batch, BatchSelfApprovalTried
from services.people import people
from services.store.schema import batches
from services.withdrawals import limits
from services.withdrawals.decide import refuse_now
from services.withdrawals.destinations import place
from services.work import Work


async def approve(
    work: Work,
    approver: UUID,
    batch_id: UUID,
    shown_digest: str,
    ways: Collection[str],
    code: str | None = None,
) -> Batch:
    """Exactly what was shown. What no longer may be paid is refused, and the batch waits on.

    Raises what `approval.may_approve` raises, and what approving a withdrawal and asking for a batch raise.
    A tried self-approval is recorded and a wrong code counted, so the transaction must still be committed.
    """
    row = await locked(work, batch_id)
    tenant = await people.tenant_of(work)

    async def unless() -> None:
        for way, *_ in row.sums:
            await refuse_now(work, tenant, row.currency, way)
        limits.refuse_too_soon(work, tenant, row.created_at, new=row.new_destinations)
        await ledger.lock_wallet(work, row.currency)
        # What waits counts for the limits; from here on its lines do that themselves.
        await move(work, batch_id, "pending", "draft")
        try:
            await refuse_changed(work, row, ways)
        finally:
            await move(work, batch_id, "draft", "pending")

    try:
        operation = await approval.may_approve(
            work,
            BATCH,
            approver,
            batch_id,
            shown_digest,
            await _facts(work, row),
            code=code,
            step_up=limits.takes_step_up(tenant, row.amount),
            guessed=partial(_end, work, batch_id, "canceled", None),
            unless=unless,
        )
    except FourEyesViolation:
        news = BatchSelfApprovalTried(batch=await shown(work, batch_id))
        await inbox.tell_people(work, await people.owners(work), news)
        raise
    if await approval.add(work, BATCH, approver, operation, {"count": row.count, "amount": row.amount}):
        await jobs.finish(work, batch_id, EXPIRES)
        await start(work, row, lines_of(work, row))
        return await moved(work, batch_id, approver)
    return await shown(work, batch_id)


async def reject(work: Work, approver: UUID, batch_id: UUID, reason: str) -> Batch:
    """Raises MissingScope, NotFound, NotPending, BlankReason."""
    await locked(work, batch_id)
    await approval.reject(work, BATCH, approver, batch_id, reason)
    return await _end(work, batch_id, "rejected", approver, reason)


async def cancel(work: Work, person: UUID, batch_id: UUID, reason: str | None = None) -> Batch:
    """The maker takes it back, or who may approve. Raises MissingScope, NotFound, NotPending."""
    await locked(work, batch_id)
    await approval.cancel(work, BATCH, person, batch_id, reason)
    return await _end(work, batch_id, "canceled", person, reason)


async def void(work: Work, old: Destination) -> None:
    """Close those that nobody has decided, or sent on yet, with a line to this destination: it was
    changed."""
    waits = batches.c.state.in_(("draft", "pending"))
    query = sa.select(batches.c.id, batches.c.state).where(batches.c.tenant_id == work.tenant, waits)
    for batch_id, state in sorted((row.id, row.state) for row in await work.connection.execute(query)):
        row = await (alone if state == "draft" else locked)(work, batch_id)
        if row.state != state or not any(_goes(line, old) for line in lines_of(work, row)):
            continue
        if state == "draft":
            await jobs.finish(work, batch_id, EXPIRES)
            await move(work, batch_id, "draft", "expired", ended_at=work.now, lines_sealed=None)
        elif await approval.void(work, BATCH, batch_id):
            await _end(work, batch_id, "canceled", None)


def _goes(line: dict[str, Any], to: Destination) -> bool:
    return bool(line["method_type"] == to.method_type and place(line["details"]) == place(to.details))


async def expire(work: Work, batch_id: UUID) -> None:
    """What nobody sent on, or nobody decided in time; nothing where somebody did."""
    row = await alone(work, batch_id)
    if row.state in ("taken", "draft", "faulty"):
        await move(work, batch_id, row.state, "expired", ended_at=work.now, lines_sealed=None)
    elif row.state == "pending" and await approval.expire(work, BATCH, batch_id):
        await _end(work, batch_id, "expired", None)
        return
    elif row.state == "pending":
        return
    await jobs.finish(work, batch_id, EXPIRES)


async def _facts(work: Work, row: sa.Row[Any]) -> dict[str, Any]:
    """What is over is refused by the operation's state, whatever is left of its lines."""
    return facts(work, row) if row.lines_sealed is not None else {}


async def _end(work: Work, batch_id: UUID, state: str, by: UUID | None, reason: str | None = None) -> Batch:
    await jobs.finish(work, batch_id, EXPIRES)
    await move(work, batch_id, "pending", state, ended_at=work.now, lines_sealed=None)
    return await moved(work, batch_id, by, reason)
