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

from collections.abc import AsyncIterator, Sequence
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
from services.store.schema import Moment, audit, audit_heads

_PAGE = 5000
_LOWEST = -(2**63)
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
    connection: AsyncConnection, vault: Vault, anchors: Anchors, tenant: UUID | None = None
) -> Verified:
    """Of one tenant, or of all that have entries, a head or an anchor."""
    verified = Verified()
    async for each in _tenants(connection, anchors) if tenant is None else _only(tenant):
        chain = _Chain(connection, vault, anchors, each)
        found = await chain.first_bad()
        verified.tenants += 1
        verified.entries += chain.entries
        if found is not None:
            verified.findings.append(Finding(found[0], each, *found[1:]))
    return verified


_Bad = tuple[str, int, str, str]


class _Chain:
    def __init__(self, connection: AsyncConnection, vault: Vault, anchors: Anchors, tenant: UUID) -> None:
        self._connection, self._vault, self._tenant = connection, vault, tenant
        self._anchors = anchors.of(tenant)
        self._anchor = next(self._anchors, None)
        self._seq, self._hash = 0, START
        self.entries = 0

    async def first_bad(self) -> _Bad | None:
        """What is written meanwhile comes behind the head that is read first."""
        head = await self._head()
        async for rows in self._pages():
            for row in rows:
                self.entries += 1
                if (bad := self._bad(row)) is not None:
                    return bad
                self._seq, self._hash = row[0], row[-1]
                if head is not None and self._seq == head[0] and self._hash != head[1]:
                    return "head", self._seq, head[1].hex(), self._hash.hex()
                if (bad := self._not_as_anchored()) is not None:
                    return bad
                if row[3] is not None and not await fits(
                    self._connection, self._vault, self._tenant, bytes(row[3])
                ):
                    return "private", self._seq, bytes(row[3]).hex(), "other facts"
        return await self._bad_end(head)

    def _bad(self, row: Sequence[Any]) -> _Bad | None:
        seq, at, alert, private, *texts, previous, own = row
        expected = self._seq + 1
        if seq != expected:
            return ("missing" if seq > expected else "extra"), min(expected, seq), str(expected), str(seq)
        if previous != self._hash:
            return "unlinked", seq, self._hash.hex(), bytes(previous).hex()
        try:
            moment = at if isinstance(at, int) else Moment.microseconds(at)
            hashed = hash_of(seq, previous, digest_of(self._tenant, moment, bool(alert), private, texts))
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

    async def _bad_end(self, head: tuple[int, bytes] | None) -> _Bad | None:
        end = self._anchor or head
        if end is not None and end[0] > self._seq:
            return "cut", self._seq + 1, end[1].hex(), "nothing"
        if self._seq > (head[0] if head else 0):  # written since, unless the head says otherwise
            head = await self._head()
            if head is None or self._seq > head[0]:
                found = head[0] if head else 0
                return "head", found + 1, f"a head at {self._seq} at least", f"a head at {found}"
        return None

    async def _head(self) -> tuple[int, bytes] | None:
        heads = audit_heads.c
        query = sa.select(heads.seq, heads.hash).where(heads.tenant_id == self._tenant)
        row = (await self._connection.execute(query)).first()
        return None if row is None else (row.seq, row.hash)

    async def _pages(self) -> AsyncIterator[Sequence[Sequence[Any]]]:
        """Equal positions come together: where the database's own key was dropped, there may be some. So the
        last one of a full page waits for the next."""
        postgres = is_postgres(self._connection)
        sql = _POSTGRES if postgres else _SQLITE
        tenant, last = self._tenant if postgres else self._tenant.hex, _LOWEST
        while rows := await run(self._connection, sql, (tenant, last)):
            whole = [row for row in rows if row[0] != rows[-1][0]] if len(rows) == _PAGE else rows
            yield whole or rows
            last = (whole or rows)[-1][0]


_SQL = (
    "SELECT seq, at, alert, private, {texts}, previous, hash FROM audit "
    "WHERE tenant_id = {tenant} AND seq > {last} ORDER BY seq LIMIT {page}"
)
_POSTGRES = _SQL.format(
    texts=", ".join(f"{name}::text" for name in _TEXTS), tenant="$1", last="$2", page=_PAGE
)
# As the bytes that are stored: what is no text can be put there too.
_SQLITE = _SQL.format(
    texts=", ".join(f"CAST({name} AS BLOB)" for name in _TEXTS), tenant="?", last="?", page=_PAGE
)


async def _tenants(connection: AsyncConnection, anchors: Anchors) -> AsyncIterator[UUID]:
    last: UUID | None = None
    while True:
        found = [await _next(connection, table, last) for table in (audit, audit_heads)]
        after = [tenant for tenant in (*found, anchors.next_tenant(last)) if tenant is not None]
        if not after:
            return
        last = min(after, key=lambda tenant: tenant.bytes)
        yield last


async def _next(connection: AsyncConnection, table: sa.Table, after: UUID | None) -> UUID | None:
    query = sa.select(table.c.tenant_id).order_by(table.c.tenant_id).limit(1)
    if after is not None:
        query = query.where(table.c.tenant_id > after)
    found: UUID | None = await connection.scalar(query)
    return found


async def _only(tenant: UUID) -> AsyncIterator[UUID]:
    yield tenant
