"""Closing: every night it is entered in the audit where a tenant's accounts stand, and by which hash.

The audit's chain is anchored outside the database, so from then on what was posted cannot be rewritten
either: neither by who makes all later hashes anew, nor by who cuts off the last transfers.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services import audit
from services.store.hot import is_postgres
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
    before = (await closed(work.connection, work.tenant)).ends
    new = {account: end for account, end in ends.items() if (account, end.entries) not in before}
    if new:
        names = await _names(work)
        stand = [
            {
                "id": str(account),
                "name": names.get(account),
                "entries": end.entries,
                "hash": end.hash.hex(),
            }
            for account, end in new.items()
        ]
        await audit.record(work, audit.CLOCK, _CLOSED, work.tenant, {"accounts": stand})
    return bool(new)


@dataclass
class Closed:
    """What was ever closed: the hashes by account and number of entries, of which there is one, unless
    somebody has put in another. `unreadable`: positions in the audit of what no closing of ours says."""

    ends: dict[tuple[UUID, int], set[str]]
    unreadable: list[int]


async def closed(connection: AsyncConnection, tenant: UUID) -> Closed:
    """Of a tenant."""
    found = Closed(defaultdict(set), [])
    # As it is stored, since on SQLite what is no JSON, and no text, can be put there too.
    kept = sa.Text if is_postgres(connection) else sa.LargeBinary
    query = sa.select(entries.c.seq, sa.cast(entries.c.facts, kept)).where(
        entries.c.tenant_id == tenant, entries.c.action == _CLOSED
    )
    for seq, facts in await connection.execute(query.order_by(entries.c.seq)):
        try:
            for end in json.loads(facts)["accounts"]:
                found.ends[UUID(end["id"]), int(end["entries"])].add(str(end["hash"]))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            found.unreadable.append(seq)
    return found


async def tenants(connection: AsyncConnection) -> set[UUID]:
    """Those of whom something was closed."""
    query = sa.select(entries.c.tenant_id).distinct().where(entries.c.action == _CLOSED)
    return set(await connection.scalars(query))


async def _names(work: Work) -> dict[UUID, str]:
    """For who reads the audit."""
    query = sa.select(accounts.c.id, accounts.c.name, accounts.c.currency)
    rows = await work.connection.execute(query.where(accounts.c.tenant_id == work.tenant))
    return {row.id: f"{row.name} {row.currency}" for row in rows}
