"""Books: the proof that they are right. Read-only, over all tenants; what is wrong is named by its row.

In full (`check`) every rule is proven from the first row on. In between (`check_since`) only what may have
changed since a moment: balances by adding the new entries to what was proven of each account. Both want one
snapshot, in which everything fits together.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.books import chained, entries
from services.books.breach import Breach
from services.books.closing import End
from services.books.entries import Proof
from services.books.rules import IN_FULL, RULES
from services.books.scope import Scope

__all__ = ["Breach", "Checked", "Proven", "check", "check_since", "prove"]


@dataclass(frozen=True)
class Proven:
    """What is wrong in full, and where each account ends."""

    breaches: list[Breach]
    ends: dict[UUID, End]


@dataclass(frozen=True)
class Checked:
    """What is wrong, and which accounts are proven anew."""

    breaches: list[Breach]
    proofs: list[Proof]


async def check(connection: AsyncConnection) -> list[Breach]:
    """Of all tenants: empty when all is right; else every breach, in the order of the rules, and the first of
    each chain."""
    broken = [breach for name in RULES for breach in await _broken(connection, name, Scope())]
    for tenant in await chained.tenants(connection):
        broken += (await chained.gone_through(connection, tenant)).breaches
    return broken


async def prove(connection: AsyncConnection, tenant: UUID) -> Proven:
    """The same of one tenant."""
    broken = [breach for name in RULES for breach in await _broken(connection, name, Scope(tenant))]
    gone = await chained.gone_through(connection, tenant)
    return Proven(broken + gone.breaches, gone.ends)


async def check_since(connection: AsyncConnection, since: datetime | None) -> Checked:
    """What may have changed since then, of all tenants; with None what nobody has proven."""
    breaches, proofs = await entries.prove(connection, since)
    for name in RULES.keys() - IN_FULL.keys():
        breaches += await _broken(connection, name, Scope(since=since))
    order = list(RULES)
    return Checked(sorted(breaches, key=lambda breach: order.index(breach.rule)), proofs)


async def _broken(connection: AsyncConnection, name: str, scope: Scope) -> list[Breach]:
    rows = await connection.execute(_statement(name, scope))
    return [Breach(name, values[0], *map(str, values[1:])) for values in map(list, rows)]


@lru_cache(maxsize=256)
def _statement(name: str, scope: Scope) -> sa.Select[Any]:
    """Kept, since to put one together takes longer than to run it."""
    return RULES[name](scope)
