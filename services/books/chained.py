"""Chained: a tenant's transfers gone through as they were posted, each held against its hash (see
services/ledger/chain.py), and the whole against where it stood when the books were closed.

A transfer follows what stands before it in both its accounts, so they are taken in the order of its numbers
there, whichever was read first. What a release has posted that kept no chain has no hash of its own; the
hashes that are kept when the books are closed are made here, anew and of all transfers, so they hold it too.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.books import closing
from services.books.breach import Breach
from services.books.closing import Closed, End
from services.ledger import account_id, chain
from services.store.schema import accounts, transfers

CHAINED = "a transfer is as it was posted, behind what stood before it"
CLOSED = "the ledger goes on from where it was closed"
NAMED = "an account has the id of its name"
RULES = (CHAINED, CLOSED)
_PAGE = 250  # between two of them others have their turn
_MOST_EARLY = 50_000  # of which one is missing, if so many are there before it
_ZERO = End(0, chain.START)


@dataclass(frozen=True)
class Gone:
    """What was found first, if anything, and where each account ended."""

    breaches: list[Breach]
    ends: dict[UUID, End]


async def tenants(connection: AsyncConnection) -> list[UUID]:
    """All that have accounts, or had."""
    there = await connection.scalars(sa.select(accounts.c.tenant_id).distinct())
    return sorted({*there, *await closing.tenants(connection)})


async def gone_through(connection: AsyncConnection, tenant: UUID) -> Gone:
    """All transfers of the tenant, in one snapshot."""
    walk = _Walk(tenant, await closing.closed(connection, tenant))
    try:
        async for rows in _pages(connection, tenant):
            for row in rows:
                walk.meet(row)
            if walk.breach or walk.early > _MOST_EARLY:
                break
            await asyncio.sleep(0)
    except (ValueError, OverflowError, TypeError) as error:  # of a kind that we never write
        walk.breach = Breach(CHAINED, tenant, str(tenant), "transfers that can be read", repr(error))
    walk.end(await _accounts(connection, tenant))
    return Gone([walk.breach] if walk.breach else [], walk.ends)


class _Walk:
    """`ends`: of each account as far as it was gone through, by hashes made anew; `_chain`: by those that
    stand there."""

    def __init__(self, tenant: UUID, closed: Closed) -> None:
        self._tenant, self._closed, self._unreadable = tenant, closed.ends, closed.unreadable
        self.ends: dict[UUID, End] = defaultdict(lambda: _ZERO)
        self._chain: dict[UUID, bytes] = defaultdict(lambda: chain.START)
        self._early: dict[tuple[UUID, int], list[Any]] = defaultdict(list)  # by what it waits to be next
        self.early = 0  # how many
        self.breach: Breach | None = None

    def meet(self, row: Any) -> None:
        """One that was read; whatever has waited for it is taken with it."""
        ready = [row]
        while ready and not self.breach:
            met = ready.pop()
            legs = ((met.source_id, met.source_entry), (met.target_id, met.target_entry))
            if early := next((leg for leg in legs if leg[1] != self.ends[leg[0]].entries + 1), None):
                self._early[early].append(met)
                self.early += 1
                continue
            self._take(met)
            for account, number in legs:
                waited = self._early.pop((account, number + 1), [])
                self.early -= len(waited)
                ready += waited

    def _take(self, row: Any) -> None:
        """The next one of both its accounts."""
        source, target = row.source_id, row.target_id
        numbers = row.source_entry, row.target_entry
        digest = _digest(row)
        if row.hash is not None:
            made = chain.hash_of(self._chain[source], self._chain[target], digest)
            if made != row.hash:
                self.breach = Breach(CHAINED, self._tenant, str(row.id), made.hex(), _hex(row.hash))
            self._chain |= {source: made, target: made}
        anew = chain.hash_of(self.ends[source].hash, self.ends[target].hash, digest)
        for account, number in zip((source, target), numbers, strict=True):
            self.ends[account] = End(number, anew)
            others = self._closed.pop((account, number), set()) - {anew.hex()}
            if others and not self.breach:
                place = f"{account} entry {number}"
                self.breach = Breach(CLOSED, self._tenant, place, min(others), anew.hex())

    def end(self, there: Sequence[Any]) -> None:
        """What was read and never came next, what was closed and was not read, and what the accounts say."""
        for find in (self._missing, self._cut_off, partial(self._unlike, there)):
            self.breach = self.breach or find()

    def _missing(self) -> Breach | None:
        early = min((row for rows in self._early.values() for row in rows), key=_by_id, default=None)
        if early is None:
            return None
        awaited = {a: self.ends[a].entries + 1 for a in (early.source_id, early.target_id)}
        found = {early.source_id: early.source_entry, early.target_id: early.target_entry}
        return Breach(CHAINED, self._tenant, str(early.id), _numbers(awaited), _numbers(found))

    def _cut_off(self) -> Breach | None:
        if self._unreadable:
            row = f"audit entry {self._unreadable[0]}"
            return Breach(CLOSED, self._tenant, row, "a closing", "facts that are none")
        if not self._closed:
            return None
        (account, number), hashes = min(self._closed.items(), key=lambda item: item[0][1])
        return Breach(CLOSED, self._tenant, f"{account} entry {number}", min(hashes), "nothing")

    def _unlike(self, there: Sequence[Any]) -> Breach | None:
        """An account that does not end as its transfers do, or has another name."""
        hashes = {row.id: row.hash for row in there if row.hash is not None}
        for account in sorted(self._chain.keys() | hashes.keys()):
            made, said = self._chain[account], hashes.get(account, chain.START)
            if made != said:
                return Breach(CHAINED, self._tenant, str(account), made.hex(), _hex(said))
        for row in there:
            named = account_id(self._tenant, row.name, row.currency)
            if named != row.id:
                return Breach(NAMED, self._tenant, str(row.id), str(named), f"{row.name} {row.currency}")
        return None


def _digest(row: Any) -> bytes:
    head = _head(row.tenant_id, row.source_id, row.target_id)
    cause = (row.currency, row.cause_id, row.created_at, row.channel, row.via)
    try:
        return chain.digest_of(head, row.id, row.amount, *cause, row.reason)
    except (TypeError, ValueError, OverflowError, AttributeError):  # of a type that we never write
        return b""


def _hex(stored: Any) -> str:
    return stored.hex() if isinstance(stored, bytes) else repr(stored)


_head = lru_cache(maxsize=1024)(chain.head_of)


def _by_id(row: Any) -> UUID:
    return row.id  # type: ignore[no-any-return]


def _numbers(of: dict[UUID, int]) -> str:
    return ", ".join(f"entry {number} of {account}" for account, number in of.items())


async def _accounts(connection: AsyncConnection, tenant: UUID) -> Sequence[Any]:
    query = sa.select(accounts.c.id, accounts.c.name, accounts.c.currency, accounts.c.hash)
    return (await connection.execute(query.where(accounts.c.tenant_id == tenant))).all()


async def _pages(connection: AsyncConnection, tenant: UUID) -> AsyncIterator[Sequence[Any]]:
    """In the order of ids, which is that of time, nearly."""
    query = sa.select(transfers).where(transfers.c.tenant_id == tenant).order_by(transfers.c.id).limit(_PAGE)
    going_on = query.where(transfers.c.id > sa.bindparam("after", type_=sa.Uuid))
    rows = (await connection.execute(query)).all()
    while rows:
        yield rows
        rows = (await connection.execute(going_on, {"after": rows[-1].id})).all()
