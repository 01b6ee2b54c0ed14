"""Overtaken: the provider says after all what became of something that people look at, or have settled."""

from uuid import UUID

from services import approval, audit, jobs
from services.review.record import EXPIRY, KIND, found, move, moved, waiting
from services.work import Work

CONFIRMED = "confirmed"
DECIDED, TOLD = "decided", "told"  # why it is void: the provider has decided it, or told something new of it


async def overtaken(work: Work, kind: str, attempt_id: UUID, because: str = DECIDED) -> None:
    """The provider speaks before anybody has approved what somebody else said of it: nothing is left to
    approve."""
    settlement_id = await waiting(work, kind, attempt_id)
    if settlement_id is None or not await approval.void(work, KIND, settlement_id):
        return
    await move(work, settlement_id, "pending", "void", because)
    await jobs.finish(work, settlement_id, EXPIRY)
    await moved(work, settlement_id)


async def confirm(work: Work, kind: str, attempt_id: UUID) -> None:
    """The provider says the same as two people have settled: from now on it is its own word."""
    settlement_id = await waiting(work, kind, attempt_id, "done")
    if settlement_id is None or (await found(work, settlement_id)).because == CONFIRMED:
        return
    if await move(work, settlement_id, "done", "done", CONFIRMED):
        await audit.record(work, audit.PROVIDER, "settlement.confirmed", settlement_id, {})


async def confirmed(work: Work, kind: str, attempt_id: UUID) -> bool:
    settlement_id = await waiting(work, kind, attempt_id, "done")
    return settlement_id is not None and (await found(work, settlement_id)).because == CONFIRMED


async def contradicted(work: Work, kind: str, attempt_id: UUID, outcome: str | None = None) -> bool:
    """The provider says otherwise than two people have settled; they are told. False where nobody has settled
    it, or as something else than this outcome, or where it was told before."""
    settlement_id = await waiting(work, kind, attempt_id, "done")
    if settlement_id is None or outcome not in (None, (await found(work, settlement_id)).outcome):
        return False
    if not await move(work, settlement_id, "done", "contradicted"):
        return False
    await audit.record(work, audit.PROVIDER, "settlement.contradicted", settlement_id, {}, alert=True)
    await moved(work, settlement_id)
    return True
