"""Ledger rows: the accounts of a tenant locked in one order, and what is written of them together.

By the driver, since every sale and every payout comes through here: on PostgreSQL a posting is one statement,
so that nobody waits for an account longer than for it and its commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import NamedTuple
from uuid import UUID, uuid5

import sqlalchemy as sa

from services.store.bulk import BulkInsert
from services.store.hot import Hot, among, is_postgres, run
from services.store.schema import accounts, transfers
from services.work import Work

LIMITED = frozenset({"wallet"})


@dataclass(slots=True)
class Change:
    """By how much an account changes."""

    posted: int = 0
    held: int = 0
    entries: int = 0


class Account(NamedTuple):
    """As it is under the lock; `entries` is the number of its last entry."""

    id: UUID
    name: str
    posted: int
    held: int
    entries: int
    limited: bool

    @property
    def available(self) -> int:
        return self.posted - self.held

    def after(self, change: Change) -> "Account":
        return self._replace(
            posted=self.posted + change.posted,
            held=self.held + change.held,
            entries=self.entries + change.entries,
        )


class Entry(NamedTuple):
    """A transfer; its numbers are counted from the last entry of each account."""

    id: UUID
    source_id: UUID
    source_entry: int
    target_id: UUID
    target_entry: int
    amount: int
    currency: str
    reason: str
    cause_id: UUID
    created_at: datetime


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
    rows = await _locked(work, sorted(ids))
    if not rows:
        await _open(work, ids, currency)
        rows = await _locked(work, sorted(ids))
    return {row.name: row for row in rows}


async def _locked(work: Work, ids: Sequence[UUID]) -> list[Account]:
    """None while one of them is not there."""
    rows = await _LOCK(work.connection, tenant=work.tenant, ids=ids, count=len(ids))
    return [Account(*row) for row in rows]


async def _open(work: Work, ids: Mapping[UUID, str], currency: str) -> None:
    nothing = {"tenant_id": work.tenant, "currency": currency, "posted": 0, "held": 0, "entries": 0}
    new = [
        nothing | {"id": each, "name": name, "limited": name in LIMITED} for each, name in sorted(ids.items())
    ]
    await work.connection.execute(work.insert(accounts).values(new).on_conflict_do_nothing())


async def post(
    work: Work, names: Iterable[str], currency: str, entries: Sequence[Entry], changes: Mapping[UUID, Change]
) -> tuple[dict[str, Account], int]:
    """Lock the accounts of these names, write the entries of some of them, and change those as said.

    Returns the accounts as they were, and how many of the entries were new. Nothing is written where a
    limited account would not bear it; no account changes where not all entries are new.
    """
    ids = {account_id(work.tenant, name, currency): name for name in names}
    put = _post_postgres if is_postgres(work.connection) else _post_sqlite
    rows, written = await put(work, sorted(ids), entries, changes)
    if not rows:
        await _open(work, ids, currency)
        rows, written = await put(work, sorted(ids), entries, changes)
    return {row.name: row for row in rows}, written


def bears(account: Account, change: Change) -> bool:
    """Whether it may change so: of a limited account no more leaves than is available."""
    return not account.limited or account.after(change).available >= 0


async def change(work: Work, account: Account, by: Change) -> None:
    """Of an account that is locked already."""
    values = (work.tenant, account.id, by.posted, by.held, by.entries)
    if is_postgres(work.connection):
        await run(work.connection, _CHANGE_POSTGRES, values, of=work.tenant)
    else:
        await run(
            work.connection, _CHANGE_SQLITE, (work.tenant.hex, account.id.hex, *values[2:]), of=work.tenant
        )


# --- one statement on PostgreSQL ---------------------------------------------------------------------


@lru_cache(maxsize=64)
def _posting(locked: int, changed: int, entries: int) -> str:
    """The statement for so many of each. Its values are single ones: the driver takes longer to write arrays
    than the database to carry out all of it.

    `locked` is what an account is now, however long it was waited for. All else of it comes from there, since
    what the statement itself sees is as old as its beginning.
    """
    numbers = count(2)

    def values(of: int, *types: str) -> str:
        rows = (", ".join(f"${next(numbers)}::{each}" for each in types) for _ in range(of))
        return ", ".join(f"({row})" for row in rows)

    ids = ", ".join(f"${next(numbers)}::uuid" for _ in range(locked))
    return f"""
WITH locked AS MATERIALIZED (
    SELECT id, name, posted, held, entries, limited FROM accounts
    WHERE tenant_id = $1 AND id IN ({ids}) AND {locked} = (
        SELECT count(*) FROM accounts AS there WHERE there.tenant_id = $1 AND there.id IN ({ids})
    )
    ORDER BY id FOR NO KEY UPDATE
), change (id, posted, held, entries) AS (
    VALUES {values(changed, "uuid", "bigint", "bigint", "bigint")}
), new (
    id, source_id, source_entry, target_id, target_entry, amount, currency, reason, cause_id, created_at
) AS (
    VALUES {values(entries, *_TYPES)}
), refused AS (
    SELECT count(*) AS n FROM locked JOIN change USING (id)
    WHERE locked.limited AND locked.posted + change.posted - locked.held - change.held < 0
), written AS (
    INSERT INTO transfers (
        tenant_id, id, source_id, source_entry, target_id, target_entry,
        amount, currency, reason, cause_id, created_at
    )
    SELECT $1, new.id, source.id, source.entries + new.source_entry,
        target.id, target.entries + new.target_entry,
        new.amount, new.currency, new.reason, new.cause_id, new.created_at
    FROM new
    JOIN locked AS source ON source.id = new.source_id JOIN locked AS target ON target.id = new.target_id,
        refused
    WHERE refused.n = 0
    ON CONFLICT DO NOTHING RETURNING 1
), counted AS (
    SELECT count(*) AS n FROM written
), changed AS (
    UPDATE accounts SET
        posted = locked.posted + change.posted, held = locked.held + change.held,
        entries = locked.entries + change.entries
    FROM change JOIN locked USING (id), counted
    WHERE accounts.tenant_id = $1 AND accounts.id = change.id AND counted.n = {entries}
)
SELECT locked.*, counted.n FROM locked, counted
"""  # noqa: S608  of numbers and types only


_TYPES = ("uuid", "uuid", "bigint", "uuid", "bigint", "bigint", "text", "text", "uuid", "timestamptz")
_CHANGE_POSTGRES = (
    "UPDATE accounts SET posted = posted + $3, held = held + $4, entries = entries + $5 "
    "WHERE tenant_id = $1 AND id = $2"
)


async def _post_postgres(
    work: Work, ids: Sequence[UUID], entries: Sequence[Entry], changes: Mapping[UUID, Change]
) -> tuple[list[Account], int]:
    values: list[object] = [work.tenant, *ids]
    for each, by in changes.items():
        values += (each, by.posted, by.held, by.entries)
    for entry in entries:
        values += entry
    statement = _posting(len(ids), len(changes), len(entries))
    told = await run(work.connection, statement, values, of=work.tenant)
    return [Account(*row[:-1]) for row in told], told[0][-1] if told else 0


# --- the same on SQLite, where the writer is alone ---------------------------------------------------

_CHANGE_SQLITE = (
    "UPDATE accounts SET posted = posted + ?3, held = held + ?4, entries = entries + ?5 "
    "WHERE tenant_id = ?1 AND id = ?2"
)
_TRANSFER_SQLITE = BulkInsert(transfers, "tenant_id", *Entry._fields, unless_there=True)


async def _post_sqlite(
    work: Work, ids: Sequence[UUID], entries: Sequence[Entry], changes: Mapping[UUID, Change]
) -> tuple[list[Account], int]:
    rows = {row.id: row for row in await _locked(work, ids)}
    if not rows or not all(bears(rows[each], change) for each, change in changes.items()):
        return list(rows.values()), 0
    counted = [
        entry._replace(
            source_entry=rows[entry.source_id].entries + entry.source_entry,
            target_entry=rows[entry.target_id].entries + entry.target_entry,
        )
        for entry in entries
    ]
    values = _TRANSFER_SQLITE.for_sqlite([(work.tenant, *entry) for entry in counted])
    statement = f"{_TRANSFER_SQLITE.sqlite} RETURNING 1"
    written = sum([len(await run(work.connection, statement, row, of=work.tenant)) for row in values])
    if written == len(entries):
        for each, by in changes.items():
            await change(work, rows[each], by)
    return list(rows.values()), written
