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
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.books import closing
from services.books.breach import Breach
from services.books.closing import End
from services.ledger import chain
from services.store.schema import accounts, transfers

CHAINED = "a transfer is as it was posted, behind what stood before it"
CLOSED = "the ledger goes on from where it was closed"
_PAGE = 2000  # between two of them others have their turn
_FIRST = UUID(int=0)
_ZERO = End(0, chain.START)


@dataclass(frozen=True)
class Gone:
    """What was found first, if anything, and where each account ended."""

    breaches: list[Breach]
    ends: dict[UUID, End]


async def tenants(connection: AsyncConnection) -> list[UUID]:
    """All that have accounts."""
    query = sa.select(accounts.c.tenant_id).distinct().order_by(accounts.c.tenant_id)
    return list(await connection.scalars(query))


async def gone_through(connection: AsyncConnection, tenant: UUID) -> Gone:
    """All transfers of the tenant, in one snapshot."""
    walk = _Walk(tenant, await closing.closed(connection, tenant))
    async for rows in _pages(connection, tenant):
        for row in rows:
            walk.meet(row)
        if walk.breach:
            break
        await asyncio.sleep(0)
    walk.end(await _last(connection, tenant))
    return Gone([walk.breach] if walk.breach else [], walk.ends)


class _Walk:
    """`ends`: of each account as far as it was gone through, by hashes made anew; `_chain`: by those that
    stand there."""

    def __init__(self, tenant: UUID, closed: dict[tuple[UUID, int], str]) -> None:
        self._tenant, self._closed = tenant, closed
        self.ends: dict[UUID, End] = defaultdict(lambda: _ZERO)
        self._chain: dict[UUID, bytes] = defaultdict(lambda: chain.START)
        self._early: dict[tuple[UUID, int], list[Any]] = defaultdict(list)  # by what it waits to be next
        self.breach: Breach | None = None

    def meet(self, row: Any) -> None:
        """One that was read; whatever has waited for it is taken with it."""
        ready = [row]
        while ready and not self.breach:
            met = ready.pop()
            legs = ((met.source_id, met.source_entry), (met.target_id, met.target_entry))
            if early := next((leg for leg in legs if leg[1] != self.ends[leg[0]].entries + 1), None):
                self._early[early].append(met)
                continue
            self._take(met)
            for account, number in legs:
                ready += self._early.pop((account, number + 1), ())

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
            self._hold_against(account, number, self._closed.pop((account, number), None))

    def _hold_against(self, account: UUID, number: int, closed: str | None) -> None:
        found = self.ends[account].hash.hex()
        if closed not in (None, found) and not self.breach:
            self.breach = Breach(CLOSED, self._tenant, f"{account} entry {number}", str(closed), found)

    def end(self, last: dict[UUID, bytes]) -> None:
        """What was read and never came next, what was closed and was not read, and what accounts say."""
        if self.breach:
            return
        early = min((row for rows in self._early.values() for row in rows), key=_by_id, default=None)
        if early is not None:
            awaited = {a: self.ends[a].entries + 1 for a in (early.source_id, early.target_id)}
            found = {early.source_id: early.source_entry, early.target_id: early.target_entry}
            self.breach = Breach(CHAINED, self._tenant, str(early.id), _numbers(awaited), _numbers(found))
        elif self._closed:
            (account, number), hash_ = min(self._closed.items(), key=lambda item: item[0][1])
            self.breach = Breach(CLOSED, self._tenant, f"{account} entry {number}", hash_, "nothing")
        else:
            for account in sorted(self._chain.keys() | last.keys()):
                made, found_ = self._chain[account], last.get(account, chain.START)
                if made != found_:
                    self.breach = Breach(CHAINED, self._tenant, str(account), made.hex(), _hex(found_))
                    break


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


async def _last(connection: AsyncConnection, tenant: UUID) -> dict[UUID, bytes]:
    """What the accounts say of themselves."""
    query = sa.select(accounts.c.id, accounts.c.hash).where(
        accounts.c.tenant_id == tenant, accounts.c.hash.is_not(None)
    )
    return {row.id: row.hash for row in await connection.execute(query)}


async def _pages(connection: AsyncConnection, tenant: UUID) -> AsyncIterator[Sequence[Any]]:
    """In the order of ids, which is that of time, nearly."""
    query = (
        sa.select(transfers)
        .where(transfers.c.tenant_id == tenant, transfers.c.id > sa.bindparam("after", type_=sa.Uuid))
        .order_by(transfers.c.id)
        .limit(_PAGE)
    )
    after = _FIRST
    while rows := (await connection.execute(query, {"after": after})).all():
        yield rows
        after = rows[-1].id
