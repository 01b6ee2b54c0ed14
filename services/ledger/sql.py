"""SQL: a posting as one statement of PostgreSQL, made for each shape that postings have."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from services.ledger import chain
from services.ledger.rows import Account


class Shape(NamedTuple):
    """Of a posting, whoever's it is: how many accounts it locks, from which to which of them its entries go,
    which of them change, in which of those less is held, and whether a limited one is left with less."""

    locked: int
    legs: tuple[tuple[int, int], ...]
    changed: tuple[int, ...]
    freed: tuple[int, ...]
    spends: bool


_START = f"coalesce(hash, decode(repeat('00', {len(chain.START)}), 'hex')) AS hash"
_LOCKED = ", ".join(_START if name == "hash" else name for name in Account._fields)
_SHARED = ("text", "uuid", "timestamptz", "text", "text")  # the types of a Cause
_SIDES = ("source", "target")
_COMPLETE = "AND {0} = (SELECT count(*) FROM accounts AS a WHERE a.tenant_id = $1 AND a.id IN ({1}))"
_ALL_LOCKED = " AND {0} = (SELECT count(*) FROM locked)"
_BEARABLE = " AND NOT EXISTS (SELECT 1 FROM locked WHERE limited AND {posted} < {held})"


@lru_cache(maxsize=256)
def statement(shape: Shape, *, opened: bool) -> str:
    """Nothing is written where one of its accounts is not there. Unless they are `opened`, it looks for that
    before it locks: who locked some and opened others could meet somebody who does it the other way round.

    `locked` is what an account is now, however long it was waited for. All else of it comes from there, since
    what the statement itself sees is as old as its beginning.
    """
    values = _Values()
    tenant, *ids = (values.next("uuid") for _ in range(1 + shape.locked))
    shared = ", ".join(values.next(of) for of in _SHARED)
    listed, change = ", ".join(ids), _change(shape, ids, values)
    complete = "" if opened else _COMPLETE.format(shape.locked, listed)
    all_locked = _ALL_LOCKED.format(shape.locked) if opened else ""
    bearable = _BEARABLE.format(**change) if shape.spends else ""
    entries = _entries(shape, ids, values, all_locked + bearable)
    names = [f"entry{n}" for n in range(len(entries))]
    return f"""
WITH locked AS MATERIALIZED (
    SELECT {_LOCKED} FROM accounts WHERE tenant_id = {tenant} AND id IN ({listed}) {complete}
    ORDER BY id FOR NO KEY UPDATE
), {", ".join(entries)}, written AS (
    INSERT INTO transfers (
        tenant_id, currency, cause_id, created_at, channel, via,
        id, source_id, source_entry, target_id, target_entry, amount, reason, hash
    )
    {" UNION ALL ".join(f"SELECT $1, {shared}, {name}.* FROM {name}" for name in names)}
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


def _entries(shape: Shape, ids: Sequence[str], values: _Values, on_condition: str) -> list[str]:
    """Each with its numbers and its hash, behind those of the same accounts before it. They hang on the first
    one, which is there `on_condition`."""
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
    WHERE source.id = {ids[leg[0]]} AND target.id = {ids[leg[1]]}{"" if entries else on_condition}
)""")  # noqa: S608
        last |= dict.fromkeys(leg, f"entry{n}.hash")
    return entries


def _change(shape: Shape, ids: Sequence[str], values: _Values) -> dict[str, str]:
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
