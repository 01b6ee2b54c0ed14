"""Verify: whether the chains are as they were written. Reads only, a page at a time.

| finding   | the entry at this position                                                              |
|-----------|-----------------------------------------------------------------------------------------|
| changed   | does not say what its own hash was made of: changed, or moved here from elsewhere         |
| unlinked  | was not written behind the one before it: one of both was changed, put in or moved        |
| missing   | is not there, although later ones are                                                     |
| extra     | is there a second time, or before the first                                              |
| cut       | is not there, nor any later one, although the head or an anchor says that it was written  |
| head      | is not the one that the head says, or stands behind the head                              |
| rewritten | is not the one that was anchored: it, or what stands before it, was written anew          |
| private   | has facts kept apart that are not those of its digest                                     |

The first one of each tenant is told; what follows it proves nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.audit.anchors import Anchors
from services.audit.chain import START, digest_of, hash_of
from services.audit.private import fits
from services.safety.vault import Vault
from services.store.hot import is_postgres, run
from services.store.schema import Moment, audit_heads

_PAGE = 2000  # between two of them others have their turn
_TOGETHER = 500  # chains that are read at once: most are short
_LOWEST = -(2**63)
_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)
_TEXTS = ("actor", "channel", "via", "action", "target", "facts", "before", "after")


@dataclass(frozen=True)
class Finding:
    """The first bad entry of a tenant. Hashes are hexadecimal."""

    finding: str
    tenant_id: UUID
    position: int
    expected: str
    found: str


@dataclass
class Verified:
    """How much was looked at, and what was found."""

    tenants: int = 0
    entries: int = 0
    findings: list[Finding] = field(default_factory=list)


async def verify(
    connection: AsyncConnection,
    vault: Vault,
    anchors: Anchors,
    tenant: UUID | None = None,
    together: int = _TOGETHER,
) -> Verified:
    """Of one tenant, or of all that have entries, a head or an anchor; so many chains at once."""
    verified = Verified()
    first, last = (_FIRST, _LAST) if tenant is None else (tenant, tenant)
    while True:
        # What is written meanwhile comes behind the heads, which are read first.
        heads = await _heads(connection, first, last, together)
        end = max(heads, key=_order) if len(heads) == together else last
        verifier = _Verifier(connection, vault, anchors, heads)
        await verifier.look_through(first, end)
        verified.tenants += verifier.tenants
        verified.entries += verifier.entries
        verified.findings += sorted(verifier.findings, key=lambda finding: _order(finding.tenant_id))
        if end == last:
            break
        first = UUID(int=end.int + 1)
    if tenant is not None:
        verified.tenants = 1
    return verified


_Bad = tuple[str, int, str, str]
_Head = tuple[int, bytes, int]  # position, hash, and how far it says that it was anchored


class _Verifier:
    """Of some tenants, by their heads."""

    def __init__(
        self, connection: AsyncConnection, vault: Vault, anchors: Anchors, heads: dict[UUID, _Head]
    ) -> None:
        self._connection, self._vault, self._anchors, self._heads = connection, vault, anchors, heads
        self.tenants = self.entries = 0
        self.findings: list[Finding] = []

    async def look_through(self, first: UUID, last: UUID) -> None:
        """All between the two."""
        without = {*self._heads, *_anchored(self._anchors, first, last)}
        chain, named = None, None
        async for rows in _pages(self._connection, first, last):
            await asyncio.sleep(0)
            for row in rows:
                if chain is None or row[0] != named:
                    await self._end(chain)
                    named = row[0]
                    chain = self._chain(UUID(str(named)))
                    without.discard(chain.tenant)
                if chain.bad is None:
                    chain.take(row[1:])
                    if row[4] is not None:
                        await self._look_apart(chain, row[1], bytes(row[4]))
        await self._end(chain)
        for tenant in without:
            await self._end(self._chain(tenant))

    def _chain(self, tenant: UUID) -> "_Chain":
        return _Chain(self._anchors, tenant, self._heads.get(tenant))

    async def _look_apart(self, chain: "_Chain", seq: int, private: bytes) -> None:
        if chain.bad is None and not await fits(self._connection, self._vault, chain.tenant, private):
            chain.bad = "private", seq, private.hex(), "other facts"

    async def _end(self, chain: "_Chain | None") -> None:
        if chain is None:
            return
        if chain.bad is None:
            chain.bad = await chain.bad_end(self._connection)
        self.tenants += 1
        self.entries += chain.entries
        if chain.bad is not None:
            self.findings.append(Finding(chain.bad[0], chain.tenant, *chain.bad[1:]))


class _Chain:
    """One that is gone through from its beginning; `bad`: its first bad entry."""

    def __init__(self, anchors: Anchors, tenant: UUID, head: _Head | None) -> None:
        self.tenant, self.entries = tenant, 0
        self.bad: _Bad | None = None
        self._head = head
        self._anchors = anchors.of(tenant)
        self._anchor = next(self._anchors, None)
        self._seq, self._hash = 0, START

    def take(self, row: Sequence[Any]) -> None:
        self.entries += 1
        if (bad := self._wrong(row)) is None:
            self._seq, self._hash = row[0], row[-1]
            head = self._head
            if head is not None and self._seq == head[0] and self._hash != head[1]:
                bad = "head", self._seq, head[1].hex(), self._hash.hex()
            else:
                bad = self._not_as_anchored()
        self.bad = bad

    def _wrong(self, row: Sequence[Any]) -> _Bad | None:
        seq, at, alert, private, *texts, previous, own = row
        expected = self._seq + 1
        if seq != expected:
            return ("missing" if seq > expected else "extra"), min(expected, seq), str(expected), str(seq)
        if previous != self._hash:
            return "unlinked", seq, self._hash.hex(), bytes(previous).hex()
        try:
            moment = at if isinstance(at, int) else Moment.microseconds(at)
            hashed = hash_of(seq, previous, digest_of(self.tenant, moment, bool(alert), private, texts))
        except (TypeError, ValueError, OverflowError, AttributeError):  # of a type that we never write
            hashed = b""
        return None if hashed == own else ("changed", seq, bytes(own).hex(), hashed.hex())

    def _not_as_anchored(self) -> _Bad | None:
        while self._anchor is not None and self._anchor[0] <= self._seq:
            seq, anchored = self._anchor
            if seq == self._seq and anchored != self._hash:
                return "rewritten", seq, anchored.hex(), self._hash.hex()
            self._anchor = next(self._anchors, None)
        return None

    async def bad_end(self, connection: AsyncConnection) -> _Bad | None:
        head = self._head
        end = self._anchor or head
        if end is not None and end[0] > self._seq:
            return "cut", self._seq + 1, end[1].hex(), "nothing"
        if head is not None and head[2] > self._seq:
            return "cut", self._seq + 1, f"entries up to {head[2]}, which the head calls anchored", "nothing"
        if self._seq > (head[0] if head else 0):  # written since, unless the head says otherwise
            head = (await _heads(connection, self.tenant, self.tenant, 1)).get(self.tenant)
            if head is None or self._seq > head[0]:
                found = head[0] if head else 0
                return "head", found + 1, f"a head at {self._seq} at least", f"a head at {found}"
        return None


async def _heads(connection: AsyncConnection, first: UUID, last: UUID, most: int) -> dict[UUID, _Head]:
    """Of so many tenants between these two."""
    heads = audit_heads.c
    query = (
        sa.select(heads.tenant_id, heads.seq, heads.hash, heads.anchored_seq)
        .where(heads.tenant_id >= first, heads.tenant_id <= last)
        .order_by(heads.tenant_id)
        .limit(most)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in await connection.execute(query)}


def _anchored(anchors: Anchors, first: UUID, last: UUID) -> Iterator[UUID]:
    tenant = anchors.next_tenant(None if first == _FIRST else UUID(int=first.int - 1))
    while tenant is not None and _order(tenant) <= _order(last):
        yield tenant
        tenant = anchors.next_tenant(tenant)


def _order(tenant: UUID) -> bytes:
    """As the databases have it."""
    return tenant.bytes


async def _pages(
    connection: AsyncConnection, first: UUID, last: UUID
) -> AsyncIterator[Sequence[Sequence[Any]]]:
    """Entries of all tenants between, in the order of their positions, the tenant's id ahead. Equal positions
    come together: where the database's own key was dropped, there may be some. So the last one of a full
    page waits for the next."""
    postgres = is_postgres(connection)
    sql = _POSTGRES if postgres else _SQLITE
    tenant, seq, until = (first, _LOWEST, last) if postgres else (first.hex, _LOWEST, last.hex)
    while rows := await run(connection, sql, (tenant, seq, until)):
        end = tuple(rows[-1][:2])
        whole = [row for row in rows if tuple(row[:2]) != end] if len(rows) == _PAGE else rows
        yield whole or rows
        tenant, seq = (whole or rows)[-1][:2]


_SQL = (
    "SELECT tenant_id, seq, at, alert, private, {texts}, previous, hash FROM audit "
    "WHERE (tenant_id, seq) > ({first}, {seq}) AND tenant_id <= {last} "
    "ORDER BY tenant_id, seq LIMIT {page}"
)
_POSTGRES = _SQL.format(
    texts=", ".join(f"{name}::text" for name in _TEXTS), first="$1", seq="$2", last="$3", page=_PAGE
)
# As the bytes that are stored: what is no text can be put there too.
_SQLITE = _SQL.format(
    texts=", ".join(f"CAST({name} AS BLOB)" for name in _TEXTS), first="?", seq="?", last="?", page=_PAGE
)
