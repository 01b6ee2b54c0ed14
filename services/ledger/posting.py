"""Posting: the transfers of one cause written at once, and their accounts changed with them.

By the driver, since every sale and every payout comes through here: on PostgreSQL a posting is one statement,
so that nobody waits for an account longer than for it and its commit.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import NamedTuple
from uuid import UUID

from services.ledger import chain
from services.ledger.rows import Account, Change, account_id, lock, open_
from services.store.bulk import BulkInsert
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
    work: Work, names: Iterable[str], cause: Cause, entries: Sequence[Entry], changes: Mapping[str, Change]
) -> tuple[dict[str, Account], int]:
    """Lock the accounts of these names, write the entries of some of them, and change those as said.

    Returns the accounts as they were, and how many of the entries were new. Nothing is written where a
    limited account would not bear it; no account changes where not all entries are new.
    """
    legs = tuple((entry.source, entry.target) for entry in entries)
    spends = any(change.posted < change.held for change in changes.values())
    freed = tuple(name for name, change in changes.items() if change.held)
    plan = _plan(work.tenant, cause.currency, tuple(names), legs, tuple(changes), freed, spends=spends)
    digests = [
        chain.digest_of(head, entry.id, entry.amount, *cause, entry.reason)
        for head, entry in zip(plan.heads, entries, strict=True)
    ]
    put = _post_postgres if is_postgres(work.connection) else _post_sqlite
    rows, written = await put(work, plan, cause, entries, digests, changes)
    if len(rows) == len(plan.ids):
        plan.opened = True
    else:
        plan.opened = False
        await open_(work, plan.ids, cause.currency)
        if written:  # of one that is locked only, as it was before what is written here
            seen = {row.id for row in rows}
            rows += [row for row in await lock(work, list(plan.ids)) if row.id not in seen]
        else:
            rows, written = await put(work, plan, cause, entries, digests, changes)
    return {row.name: row for row in rows}, written


class _Shape(NamedTuple):
    """Of a posting, whoever's it is: how many accounts it locks, from which to which of them its entries go,
    which of them change, in which less is held then, and whether one of them is left with less."""

    locked: int
    legs: tuple[tuple[int, int], ...]
    changed: tuple[int, ...]
    freed: tuple[int, ...]
    spends: bool


@dataclass(slots=True)
class _Plan:
    """What a tenant's postings between the same accounts have in common. `ids`: of the accounts that are
    locked, in the order of the locks; `heads`: with what the digest of each entry begins; `opened`: they were
    all there before, and accounts are never taken away."""

    ids: dict[UUID, str]
    heads: tuple[bytes, ...]
    shape: _Shape
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
    by_name = {name: account_id(tenant, name, currency) for name in names}
    ordered = sorted(names, key=lambda name: by_name[name])
    place = {name: n for n, name in enumerate(ordered)}
    between = tuple((place[source], place[target]) for source, target in legs)
    return _Plan(
        {by_name[name]: name for name in ordered},
        tuple(chain.head_of(tenant, by_name[source], by_name[target]) for source, target in legs),
        _Shape(
            len(names),
            between,
            tuple(place[name] for name in changed),
            tuple(place[name] for name in freed),
            spends,
        ),
    )


# --- one statement on PostgreSQL ---------------------------------------------------------------------

_START = f"coalesce(hash, decode(repeat('00', {len(chain.START)}), 'hex')) AS hash"
_LOCKED = ", ".join(_START if name == "hash" else name for name in Account._fields)
_SHARED = ("text", "uuid", "timestamptz", "text", "text")  # the types of a Cause
_SIDES = ("source", "target")
_COMPLETE = "AND {0} = (SELECT count(*) FROM accounts AS a WHERE a.tenant_id = $1 AND a.id IN ({1}))"
_BEARABLE = "WHERE NOT EXISTS (SELECT 1 FROM locked WHERE limited AND {0} < {1})"


@lru_cache(maxsize=256)
def _statement(shape: _Shape, *, opened: bool) -> str:
    """Unless its accounts are `opened`, it first looks whether all of them are: who locked some and opened
    others could meet somebody who does it the other way round.

    `locked` is what an account is now, however long it was waited for. All else of it comes from there, since
    what the statement itself sees is as old as its beginning.
    """
    values = _Values()
    tenant, *ids = (values.next("uuid") for _ in range(1 + shape.locked))
    shared = ", ".join(values.next(of) for of in _SHARED)
    listed, entries, change = ", ".join(ids), _entries(shape, ids, values), _change(shape, ids, values)
    names = [f"entry{n}" for n in range(len(entries))]
    complete = "" if opened else _COMPLETE.format(shape.locked, listed)
    bearable = _BEARABLE.format(change["posted"], change["held"]) if shape.spends else ""
    return f"""
WITH locked AS MATERIALIZED (
    SELECT {_LOCKED} FROM accounts WHERE tenant_id = {tenant} AND id IN ({listed}) {complete}
    ORDER BY id FOR NO KEY UPDATE
), {", ".join(entries)}, written AS (
    INSERT INTO transfers (
        tenant_id, currency, cause_id, created_at, channel, via,
        id, source_id, source_entry, target_id, target_entry, amount, reason, hash
    )
    {" UNION ALL ".join(f"SELECT $1, {shared}, {name}.* FROM {name} {bearable}" for name in names)}
    ON CONFLICT DO NOTHING RETURNING 1
), counted AS (
    SELECT count(*) AS n FROM written
), changed AS (
    UPDATE accounts SET {", ".join(f"{column} = {becomes}" for column, becomes in change.items())}
    FROM locked, counted, {", ".join(names)}
    WHERE accounts.tenant_id = $1 AND accounts.id = locked.id AND counted.n = {len(entries)}
        AND locked.id IN ({", ".join(ids[n] for n in shape.changed)})
)
SELECT locked.*, n FROM locked, counted
"""  # noqa: S608  of numbers and types only, as all that it is made of


class _Values:
    """Single ones: the driver takes longer to write arrays than the database to carry out all of it."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def next(self, of: str) -> str:
        return f"${next(self._numbers)}::{of}"


def _entries(shape: _Shape, ids: Sequence[str], values: _Values) -> list[str]:
    """Each with its numbers and its hash, behind those of the same accounts before it."""
    counted, last, entries = Counter[int](), dict[int, str](), list[str]()
    for n, leg in enumerate(shape.legs):
        counted.update(leg)
        sides = [f"{side}.entries + {counted[place]}" for side, place in zip(_SIDES, leg, strict=True)]
        before = [last.get(place, f"{side}.hash") for side, place in zip(_SIDES, leg, strict=True)]
        entries.append(f"""entry{n} AS (
    SELECT {values.next("uuid")} AS id, source.id AS source_id, {sides[0]} AS source_entry,
        target.id AS target_id, {sides[1]} AS target_entry, {values.next("bigint")} AS amount,
        {values.next("text")} AS reason, sha256({" || ".join([*before, values.next("bytea")])}) AS hash
    FROM {", ".join(["locked AS source", "locked AS target", *(f"entry{m}" for m in range(n))])}
    WHERE source.id = {ids[leg[0]]} AND target.id = {ids[leg[1]]}
)""")  # noqa: S608
        last |= dict.fromkeys(leg, f"entry{n}.hash")
    return entries


def _change(shape: _Shape, ids: Sequence[str], values: _Values) -> dict[str, str]:
    """What becomes of the columns of a locked account that changes."""
    last = {place: f"entry{n}.hash" for n, leg in enumerate(shape.legs) for place in leg}
    counted = Counter(place for leg in shape.legs for place in leg)
    posted = {n: values.next("bigint") for n in shape.changed}
    held = {n: values.next("bigint") for n in shape.freed}

    def of_each(told: Mapping[int, str], otherwise: str = "NULL") -> str:
        if told.keys() == set(shape.changed) and len({*told.values()}) == 1:
            return told[shape.changed[0]]
        cases = " ".join(f"WHEN {ids[n]} THEN {value}" for n, value in told.items())
        return f"CASE locked.id {cases} ELSE {otherwise} END" if told else otherwise

    return {
        "posted": f"locked.posted + {of_each(posted)}",
        "held": f"locked.held + {of_each(held, '0')}",
        "entries": f"locked.entries + {of_each({n: str(counted[n]) for n in shape.changed})}",
        "hash": of_each(last),
    }


async def _post_postgres(
    work: Work,
    plan: _Plan,
    cause: Cause,
    entries: Sequence[Entry],
    digests: Sequence[bytes],
    changes: Mapping[str, Change],
) -> tuple[list[Account], int]:
    values: list[object] = [work.tenant, *plan.ids, *cause]
    for entry, digest in zip(entries, digests, strict=True):
        values += (entry.id, entry.amount, entry.reason, digest)
    values += [change.posted for change in changes.values()]
    values += [change.held for change in changes.values() if change.held]
    statement = _statement(plan.shape, opened=plan.opened)
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
