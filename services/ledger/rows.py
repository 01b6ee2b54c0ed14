"""Rows of the ledger: the accounts of a tenant, locked in one order and opened where they are new."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID, uuid5

import sqlalchemy as sa

from services.store.ending import note
from services.store.hot import Hot, among, is_postgres, run
from services.store.schema import accounts
from services.work import Work

LIMITED = frozenset({"wallet"})
OPENED = "accounts were opened"


@dataclass(slots=True)
class Change:
    """By how much an account changes."""

    posted: int = 0
    held: int = 0


class Account(NamedTuple):
    """As it is under the lock; `entries`: the number of its last entry, `hash`: that of its last transfer."""

    id: UUID
    name: str
    posted: int
    held: int
    entries: int
    limited: bool
    hash: bytes | None

    @property
    def available(self) -> int:
        return self.posted - self.held

    def after(self, change: Change) -> "Account":
        """What it holds then."""
        return self._replace(posted=self.posted + change.posted, held=self.held + change.held)

    def bears(self, change: Change) -> bool:
        """Whether it may change so: of a limited account no more leaves than is available."""
        return not self.limited or self.after(change).available >= 0


@lru_cache(maxsize=16384)
def account_id(tenant: UUID, name: str, currency: str) -> UUID:
    """Ids follow from names, so that the order of locks is known before anything is read."""
    return uuid5(tenant, f"account:{name}:{currency}")


_there = accounts.alias()
_complete = sa.select(sa.func.count()).where(
    _there.c.tenant_id == sa.bindparam("tenant"), among(_there.c.id, "ids")
)
_LOCK = Hot(
    sa.select(*(accounts.c[name] for name in Account._fields))
    .where(
        accounts.c.tenant_id == sa.bindparam("tenant"),
        among(accounts.c.id, "ids"),
        _complete.scalar_subquery() == sa.bindparam("count"),
    )
    .order_by(accounts.c.id)
    .with_for_update(key_share=True, of=accounts)
)


async def locked(work: Work, names: Iterable[str], currency: str) -> dict[str, Account]:
    """The accounts by name, locked in the order of their ids, opened where they are new.

    Nothing is locked before all of them are there: who held one and opened another could meet somebody
    who does it the other way round.
    """
    ids = {account_id(work.tenant, name, currency): name for name in names}
    rows = await lock(work, sorted(ids))
    if not rows:
        await open_(work, ids, currency)
        rows = await lock(work, sorted(ids))
    return {row.name: row for row in rows}


async def lock(work: Work, ids: Sequence[UUID]) -> list[Account]:
    """None while one of them is not there."""
    rows = await _LOCK(work.connection, tenant=work.tenant, ids=ids, count=len(ids))
    return [Account(*row) for row in rows]


async def open_(work: Work, ids: Mapping[UUID, str], currency: str) -> None:
    """Those that are not there yet, by their names. Until the commit nobody may rely on them."""
    note(work.connection, OPENED)
    nothing = {"tenant_id": work.tenant, "currency": currency, "posted": 0, "held": 0, "entries": 0}
    new = [
        nothing | {"id": each, "name": name, "limited": name in LIMITED} for each, name in sorted(ids.items())
    ]
    await work.connection.execute(work.insert(accounts).values(new).on_conflict_do_nothing())


_HOLD = "UPDATE accounts SET held = held + {0}3 WHERE tenant_id = {0}1 AND id = {0}2"
_HOLD_POSTGRES, _HOLD_SQLITE = _HOLD.format("$"), _HOLD.format("?")


async def hold(work: Work, account: Account, minor: int) -> None:
    """So much more is held of an account that is locked already; less, where it is negative."""
    if is_postgres(work.connection):
        await run(work.connection, _HOLD_POSTGRES, (work.tenant, account.id, minor), of=work.tenant)
    else:
        values = (work.tenant.hex, account.id.hex, minor)
        await run(work.connection, _HOLD_SQLITE, values, of=work.tenant)
