"""Closing: every night it is entered in the audit where a tenant's accounts stand, and by which hash.

The audit's chain is anchored outside the database, so from then on what was posted cannot be rewritten
either: neither by who makes all later hashes anew, nor by who cuts off the last transfers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services import audit
from services.store.schema import audit as entries
from services.work import Work

_CLOSED = "ledger.closed"


@dataclass(frozen=True, slots=True)
class End:
    """Of an account: so many entries, and a hash of all of them."""

    entries: int
    hash: bytes


async def close(work: Work, ends: Mapping[UUID, End]) -> bool:
    """As a check has found them; False where nothing was posted since the last time."""
    before = await closed(work.connection, work.tenant)
    new = {
        account: end for account, end in ends.items() if end.entries and (account, end.entries) not in before
    }
    if new:
        stand = {str(account): {"entries": e.entries, "hash": e.hash.hex()} for account, e in new.items()}
        await audit.record(work, audit.CLOCK, _CLOSED, work.tenant, {"accounts": stand})
    return bool(new)


async def closed(connection: AsyncConnection, tenant: UUID) -> dict[tuple[UUID, int], str]:
    """The hashes, by account and number of entries, that were ever entered of the tenant."""
    query = sa.select(entries.c.facts).where(entries.c.tenant_id == tenant, entries.c.action == _CLOSED)
    return {
        (UUID(account), end["entries"]): end["hash"]
        for facts in await connection.scalars(query.order_by(entries.c.seq))
        for account, end in facts["accounts"].items()
    }
