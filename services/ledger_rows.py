"""Ledger rows: the accounts of a tenant, locked in one order and changed in one statement."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa

from services.store.schema import accounts
from services.work import Work

LIMITED = frozenset({"wallet"})


def account_id(tenant: UUID, name: str, currency: str) -> UUID:
    """Ids follow from names, so that the order of locks is known before anything is read."""
    return uuid5(tenant, f"account:{name}:{currency}")


async def locked(work: Work, names: Iterable[str], currency: str) -> dict[str, sa.Row[Any]]:
    """The accounts by name, locked in the order of their ids, opened where they are new.

    Nothing is locked before all of them are there: who held one and opened another could meet somebody
    who does it the other way round.
    """
    ids = sorted({account_id(work.tenant, name, currency): name for name in names}.items())
    listed = [each for each, _ in ids]
    there = accounts.alias()
    complete = sa.select(sa.func.count()).where(there.c.tenant_id == work.tenant, there.c.id.in_(listed))
    query = (
        sa.select(accounts)
        .where(
            accounts.c.tenant_id == work.tenant,
            accounts.c.id.in_(listed),
            complete.scalar_subquery() == len(listed),
        )
        .order_by(accounts.c.id)
        .with_for_update(key_share=True, of=accounts)
    )
    rows = (await work.connection.execute(query)).all()
    if not rows:
        new = [
            {
                "tenant_id": work.tenant,
                "id": each,
                "name": name,
                "currency": currency,
                "posted": 0,
                "held": 0,
                "entries": 0,
                "limited": name in LIMITED,
            }
            for each, name in ids
        ]
        await work.connection.execute(work.insert(accounts).values(new).on_conflict_do_nothing())
        rows = (await work.connection.execute(query)).all()
    return {row.name: row for row in rows}


async def change(
    work: Work,
    currency: str,
    *,
    posted: Mapping[str, int],
    held: Mapping[str, int],
    entries: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """One statement; where it moves several accounts, their rows are locked already."""
    ids = {name: account_id(work.tenant, name, currency) for name in (*posted, *held)}

    def by(changes: Mapping[str, int]) -> Any:
        if not changes:
            return 0
        return sa.case({ids[name]: change for name, change in changes.items()}, value=accounts.c.id, else_=0)

    await work.connection.execute(
        sa.update(accounts)
        .where(accounts.c.tenant_id == work.tenant, accounts.c.id.in_(list(ids.values())))
        .values(
            posted=accounts.c.posted + by(posted),
            held=accounts.c.held + by(held),
            entries=accounts.c.entries + by(entries),
        )
    )
