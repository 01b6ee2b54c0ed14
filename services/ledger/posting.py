"""Posting: the transfers of one cause written at once, and their accounts changed with them.

By the driver, since every sale and every payout comes through here: on PostgreSQL a posting is one statement,
so that nobody waits for an account longer than for it and its commit.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from services.ledger import chain, sql
from services.ledger.rows import LIMITED, OPENED, Account, Change, account_id, lock, open_
from services.ledger.sql import Shape
from services.store.bulk import BulkInsert
from services.store.ending import noted
from services.store.hot import is_postgres, run
from services.store.schema import transfers
from services.work import Work


class Cause(NamedTuple):
    """What all transfers of a posting share: what has moved the money, when, and by which way (as in the
    audit)."""

    currency: str
    id: UUID
    at: datetime
    channel: str
    via: str | None


class Entry(NamedTuple):
    """A transfer, from one account to another by their names."""

    id: UUID
    source: str
    target: str
    amount: int
    reason: str


async def post(
    work: Work, names: Sequence[str], cause: Cause, entries: Sequence[Entry], changes: Mapping[str, Change]
) -> tuple[dict[str, Account], int]:
    """Lock the accounts of these names, write the entries of some of them, and change those as said.

    Returns the accounts as they were, and how many of the entries were new. Nothing is written where a
    limited account would not bear it; no account changes where not all entries are new.
    """
    legs = tuple((entry.source, entry.target) for entry in entries)
    spends = any(changes[name].posted < changes[name].held for name in LIMITED & changes.keys())
    freed = tuple(name for name, change in changes.items() if change.held)
    plan = _plan(work.tenant, cause.currency, tuple(names), legs, tuple(changes), freed, spends=spends)
    digests = [
        chain.digest_of(head, entry.id, entry.amount, *cause, entry.reason)
        for head, entry in zip(plan.heads, entries, strict=True)
    ]
    put = _post_postgres if is_postgres(work.connection) else _post_sqlite
    rows, written = await put(work, plan, cause, entries, digests, changes)
    if len(rows) < len(plan.ids):
        plan.opened = False
        await open_(work, plan.ids, cause.currency)
        rows, written = await put(work, plan, cause, entries, digests, changes)
    elif not noted(work.connection, OPENED):
        plan.opened = True
    return {row.name: row for row in rows}, written


@dataclass(slots=True)
class _Plan:
    """What a tenant's postings between the same accounts have in common. `ids`: of the accounts that are
    locked; `heads`: with what the digest of each entry begins; `opened`: all of them are committed, and
    accounts are never taken away."""

    ids: dict[UUID, str]
    heads: tuple[bytes, ...]
    shape: Shape
    opened: bool = False


@lru_cache(maxsize=16384)
def _plan(
    tenant: UUID,
    currency: str,
    names: tuple[str, ...],
    legs: tuple[tuple[str, str], ...],
    changed: tuple[str, ...],
    freed: tuple[str, ...],
    *,
    spends: bool,
) -> _Plan:
    ids = {name: account_id(tenant, name, currency) for name in names}
    place = {name: n for n, name in enumerate(names)}
    return _Plan(
        {each: name for name, each in ids.items()},
        tuple(chain.head_of(tenant, ids[source], ids[target]) for source, target in legs),
        Shape(
            len(names),
            tuple((place[source], place[target]) for source, target in legs),
            tuple(place[name] for name in changed),
            tuple(place[name] for name in freed),
            spends,
        ),
    )


# --- on PostgreSQL one statement ---------------------------------------------------------------------


async def _post_postgres(
    work: Work,
    plan: _Plan,
    cause: Cause,
    entries: Sequence[Entry],
    digests: Sequence[bytes],
    changes: Mapping[str, Change],
) -> tuple[list[Account], int]:
    values: list[object] = [work.tenant, *plan.ids, *cause]
    values += [change.posted for change in changes.values()]
    values += [change.held for change in changes.values() if change.held]
    for entry, digest in zip(entries, digests, strict=True):
        values += (entry.id, entry.amount, entry.reason, digest)
    statement = sql.statement(plan.shape, opened=plan.opened)
    told = await run(work.connection, statement, values, of=work.tenant)
    return [Account(*row[:-1]) for row in told], told[0][-1] if told else 0


# --- the same on SQLite, where the writer is alone ---------------------------------------------------

_TRANSFER = BulkInsert(
    transfers,
    *("tenant_id", "currency", "cause_id", "created_at", "channel", "via", "id"),
    *("source_id", "source_entry", "target_id", "target_entry", "amount", "reason", "hash"),
    unless_there=True,
)
_CHANGE = (
    "UPDATE accounts SET posted = posted + ?3, held = held + ?4, entries = ?5, hash = ?6 "
    "WHERE tenant_id = ?1 AND id = ?2"
)


async def _post_sqlite(
    work: Work,
    plan: _Plan,
    cause: Cause,
    entries: Sequence[Entry],
    digests: Sequence[bytes],
    changes: Mapping[str, Change],
) -> tuple[list[Account], int]:
    rows = {row.name: row for row in await lock(work, list(plan.ids))}
    if not rows or not all(rows[name].bears(change) for name, change in changes.items()):
        return list(rows.values()), 0
    counted = Counter({name: row.entries for name, row in rows.items()})
    hashes = {name: row.hash or chain.START for name, row in rows.items()}
    new = []
    for entry, digest in zip(entries, digests, strict=True):
        source, target = entry.source, entry.target
        counted.update((source, target))
        own = chain.hash_of(hashes[source], hashes[target], digest)
        hashes |= {source: own, target: own}
        legs = (rows[source].id, counted[source], rows[target].id, counted[target])
        new.append((work.tenant, *cause, entry.id, *legs, entry.amount, entry.reason, own))
    statement = f"{_TRANSFER.sqlite} RETURNING 1"
    put = [await run(work.connection, statement, row, of=work.tenant) for row in _TRANSFER.for_sqlite(new)]
    written = sum(map(len, put))
    if written == len(entries):
        for name, by in changes.items():
            values = (rows[name].id.hex, by.posted, by.held, counted[name], hashes[name])
            await run(work.connection, _CHANGE, (work.tenant.hex, *values), of=work.tenant)
    return list(rows.values()), written
