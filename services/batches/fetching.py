"""Fetching: a file that was sent in a chat, in steps around the network call that the edge makes."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import inbox, jobs
from services.batches.asking import check_file
from services.batches.faults import BatchFaulty
from services.batches.record import alone, move, shown
from services.errors import InsufficientBalance
from services.errors.refunds import MoneyOwed
from services.jobs import SEND_LADDER
from services.news.batches import BatchRead
from services.store.schema import batches
from services.work import Work

JOB = "batch_fetch"
_MOST_FAULTS = 10  # that fit into a message


async def wanted(work: Work, batch_id: UUID) -> str | None:
    """What the channel calls the file; None where it is there already."""
    query = sa.select(batches.c.media_id).where(
        batches.c.tenant_id == work.tenant, batches.c.id == batch_id, batches.c.state == "taken"
    )
    media: str | None = await work.connection.scalar(query)
    if media is None:
        await jobs.finish(work, batch_id, JOB)
    return media


async def came(work: Work, batch_id: UUID, content: bytes, ways: Collection[str]) -> None:
    """Its sender is told what it comes to, or all that is wrong of it: then nothing of it is kept."""
    row = await alone(work, batch_id)
    await jobs.finish(work, batch_id, JOB)
    if row.state != "taken":
        return
    try:
        await check_file(work, row.maker_id, batch_id, content, ways)
    except BatchFaulty as faulty:
        await _faulty(work, row, faults=faulty.faults[:_MOST_FAULTS], count=len(faulty.faults))
    except InsufficientBalance as short:
        await _faulty(work, row, available=short.available, required=short.required)
    except MoneyOwed as owing:
        await _faulty(work, row, owed=owing.owed)
    else:
        await inbox.tell(work, row.conversation_id, BatchRead(batch=await shown(work, batch_id)))


async def lost(work: Work, batch_id: UUID, *, again: bool) -> None:
    """It could not be had; `again`: perhaps a little later."""
    row = await alone(work, batch_id)
    if row.state != "taken":
        await jobs.finish(work, batch_id, JOB)
    elif not (again and await jobs.again(work, JOB, batch_id, SEND_LADDER)):
        await jobs.finish(work, batch_id, JOB)
        await _faulty(work, row, lost=True)


async def _faulty(work: Work, row: sa.Row[Any], **told: Any) -> None:
    await move(work, row.id, "taken", "faulty", media_id=None, ended_at=work.now)
    await inbox.tell(work, row.conversation_id, BatchRead(batch=await shown(work, row.id), **told))
