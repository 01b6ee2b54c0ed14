"""Entries: the balances, proven from the last proof on.

An account counts its entries under its row's lock, so a snapshot that shows it with n entries shows all n of
them, and whatever commits later has a higher number, however early it began. So what is to be added to a
proof is known by number alone; times only say where to look first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.books.breach import Breach
from services.books.scope import legs, whole
from services.store.schema import account_proofs as proven
from services.store.schema import accounts

SUM = "a balance is the sum of its entries"
COUNT = "the entries of an account are numbered without a gap"


@dataclass(frozen=True, slots=True)
class Proof:
    """What an account's balance was after so many entries."""

    tenant_id: UUID
    account_id: UUID
    entries: int
    posted: int


@dataclass(frozen=True, slots=True)
class _Added:
    """Entries beyond a proof: how many, the numbers they have, the last of them, and their sum."""

    count: int = 0
    numbers: int = 0
    last: int = 0
    total: int = 0


async def prove(connection: AsyncConnection, since: datetime | None) -> tuple[list[Breach], list[Proof]]:
    """The accounts that changed, or that entries since then claim to be of. What was dated earlier and
    committed later is looked for where the count of an account tells that it is missing."""
    added = await _added(connection, since)
    breaches, proofs = [], []
    for account in await _suspects(connection, added):
        new = added.get((account.tenant_id, account.id), _Added())
        if since is not None and _wrong(account, new):
            new = (await _added(connection, None, account)).get((account.tenant_id, account.id), _Added())
        if wrong := _wrong(account, new):
            breaches.append(wrong)
        else:
            proofs.append(Proof(account.tenant_id, account.id, account.entries, account.posted))
    return breaches, proofs


async def _suspects(connection: AsyncConnection, added: Iterable[tuple[UUID, UUID]]) -> list[Any]:
    """Accounts that are not as they were proven, and those that have entries nobody has proven."""
    query = sa.select(
        accounts,
        sa.func.coalesce(proven.c.entries, 0).label("base_entries"),
        sa.func.coalesce(proven.c.posted, 0).label("base_posted"),
    ).outerjoin(proven, _same(proven, accounts.c.tenant_id, accounts.c.id))
    changed = sa.or_(
        proven.c.entries.is_(None),
        proven.c.entries != accounts.c.entries,
        proven.c.posted != accounts.c.posted,
    )
    found = {(row.tenant_id, row.id): row for row in await connection.execute(query.where(changed))}
    for tenant, account in added:
        if (tenant, account) not in found:  # the rare: an entry that its account does not know of
            mine = query.where(accounts.c.tenant_id == tenant, accounts.c.id == account)
            found |= {(row.tenant_id, row.id): row for row in await connection.execute(mine)}
    return list(found.values())


async def _added(
    connection: AsyncConnection, since: datetime | None, account: Any = None
) -> dict[tuple[UUID, UUID], _Added]:
    """By account, what goes beyond its proof: dated since then, or of one account whenever."""
    each = legs(
        lambda transfers: sa.true() if since is None else transfers.c.created_at >= since,
        lambda transfers: (
            sa.true()
            if account is None
            else sa.and_(
                transfers.c.tenant_id == account.tenant_id,
                sa.or_(transfers.c.source_id == account.id, transfers.c.target_id == account.id),
            )
        ),
    )
    query = (
        sa.select(
            each.c.tenant_id,
            each.c.account,
            sa.func.count(),
            sa.func.count(sa.distinct(each.c.number)),
            sa.func.max(each.c.number),
            whole(sa.func.sum(each.c.amount)),
        )
        .outerjoin(proven, _same(proven, each.c.tenant_id, each.c.account))
        .where(each.c.number > sa.func.coalesce(proven.c.entries, 0))
        .group_by(each.c.tenant_id, each.c.account)
    )
    return {(row[0], row[1]): _Added(*row[2:]) for row in await connection.execute(query)}


def _wrong(account: Any, new: _Added) -> Breach | None:
    """The first thing that does not fit."""
    named = (account.tenant_id, str(account.id))
    expected = account.entries - account.base_entries
    for found in (new.count, new.numbers, new.last - account.base_entries if new.count else expected):
        if found != expected:
            return Breach(COUNT, *named, str(account.entries), str(account.base_entries + found))
    total = account.base_posted + new.total
    if account.posted != total:
        return Breach(SUM, *named, str(total), str(account.posted))
    return None


def _same(table: sa.Table, tenant: Any, account: Any) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.tenant_id == tenant, table.c.account_id == account)
