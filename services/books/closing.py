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
from services.ledger import account_id
from services.store.schema import accounts
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
    new = [(account, end) for account, end in ends.items() if (account, end.entries) not in before]
    if new:
        names = await _names(work)
        stand = {names[account]: {"entries": end.entries, "hash": end.hash.hex()} for account, end in new}
        await audit.record(work, audit.CLOCK, _CLOSED, work.tenant, {"accounts": stand})
    return bool(new)


async def closed(connection: AsyncConnection, tenant: UUID) -> dict[tuple[UUID, int], str]:
    """The hashes, by account and number of entries, that were ever entered of the tenant."""
    query = sa.select(entries.c.facts).where(entries.c.tenant_id == tenant, entries.c.action == _CLOSED)
    return {
        (account_id(tenant, *name.rsplit(" ", 1)), end["entries"]): end["hash"]
        for facts in await connection.scalars(query.order_by(entries.c.seq))
        for name, end in facts["accounts"].items()
    }


async def _names(work: Work) -> dict[UUID, str]:
    query = sa.select(accounts.c.id, accounts.c.name, accounts.c.currency)
    rows = await work.connection.execute(query.where(accounts.c.tenant_id == work.tenant))
    return {row.id: f"{row.name} {row.currency}" for row in rows}
