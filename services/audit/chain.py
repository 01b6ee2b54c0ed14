"""The chain: a tenant's entries, each bound to the one before, so that none can be changed, removed, put in
or moved without breaking what follows.

    hash   = SHA-256(seq as 8 bytes + the hash before + digest)        the hash before the first is 32 zeros
    digest = SHA-256(the format's name + the tenant's 16 bytes + the time in microseconds as 8 bytes + alert
             as 1 byte + private, actor, channel, via, action, target, facts, before, after), each of the
             latter led by its length in 4 bytes; what is not there is four bytes of 255

over the bytes as they are stored: JSON is hashed as its text. The format never changes for entries that are
there; another one gets another name.

Appended by `services.store.ending`, last in its transaction: the head's row is locked after everything else,
in the order of the tenants' ids, and only for the time of the commit. On PostgreSQL one statement locks the
head, moves it on and writes the entry, so that a deed waits for no more round trips than its entries.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.store.hot import is_postgres, run
from services.store.schema import Moment
from services.store.scope import within

START = bytes(32)
_FORMAT = b"lipachat audit 1"
_NOTHING = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class Entry:
    """One that has no place in its chain yet."""

    tenant: UUID
    at: datetime
    alert: bool
    private: bytes | None
    actor: str
    channel: str
    via: str | None
    action: str
    target: str
    facts: str
    before: str | None
    after: str | None

    @property
    def texts(self) -> tuple[str | None, ...]:
        """In the order in which they are hashed."""
        return (
            self.actor,
            self.channel,
            self.via,
            self.action,
            self.target,
            self.facts,
            self.before,
            self.after,
        )

    def digest(self) -> bytes:
        return digest_of(self.tenant, Moment.microseconds(self.at), self.alert, self.private, self.texts)


def written(facts: Any) -> str:
    """JSON that both databases take, whatever a person has typed into it."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def digest_of(
    tenant: UUID,
    microseconds: int,
    alert: bool,  # noqa: FBT001  a column
    private: bytes | None,
    texts: Sequence[str | bytes | None],
) -> bytes:
    """Of everything but the place in the chain. Texts may be their UTF-8."""
    parts = [_FORMAT, tenant.bytes, microseconds.to_bytes(8, signed=True), b"\1" if alert else b"\0"]
    for value in (private, *texts):
        if value is None:
            parts.append(_NOTHING)
        else:
            body = value.encode() if isinstance(value, str) else value
            parts += (len(body).to_bytes(4), body)
    return hashlib.sha256(b"".join(parts)).digest()


def hash_of(seq: int, previous: bytes, digest: bytes) -> bytes:
    return hashlib.sha256(seq.to_bytes(8, signed=True) + previous + digest).digest()


async def append(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """All entries of a transaction, those of a tenant in the order in which they were recorded."""
    put = _put_postgres if is_postgres(connection) else _put_sqlite
    for entry in sorted(entries, key=lambda entry: entry.tenant.bytes):
        async with within(connection, entry.tenant):
            await put(connection, entry)


_COLUMNS = (
    "tenant_id, at, alert, private, actor, channel, via, action, target, facts, before, after, "
    "seq, previous, hash"
)

_POSTGRES = f"""
WITH head AS (
    INSERT INTO audit_heads AS head (tenant_id, seq, previous, hash)
    VALUES ($1, 1, $14, sha256(int8send(1) || $14 || $13))
    ON CONFLICT (tenant_id) DO UPDATE SET
        seq = head.seq + 1, previous = head.hash, hash = sha256(int8send(head.seq + 1) || head.hash || $13)
    RETURNING seq, previous, hash
)
INSERT INTO audit ({_COLUMNS})
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10::json, $11::json, $12::json, seq, previous, hash FROM head
"""  # noqa: S608  of names only


async def _put_postgres(connection: AsyncConnection, entry: Entry) -> None:
    values = (entry.tenant, entry.at, entry.alert, entry.private, *entry.texts, entry.digest(), START)
    await run(connection, _POSTGRES, values, of=entry.tenant)


_MARKS = ", ".join("?" * 15)
_SQLITE_HEAD = "SELECT seq, hash FROM audit_heads WHERE tenant_id = ?"
_SQLITE_ENTRY = f"INSERT INTO audit ({_COLUMNS}) VALUES ({_MARKS})"  # noqa: S608  of names only
_SQLITE_MOVED = (
    "INSERT INTO audit_heads (tenant_id, seq, previous, hash) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (tenant_id) DO UPDATE SET "
    "seq = excluded.seq, previous = excluded.previous, hash = excluded.hash"
)


async def _put_sqlite(connection: AsyncConnection, entry: Entry) -> None:
    """The writer is alone."""
    tenant = entry.tenant.hex
    rows = await run(connection, _SQLITE_HEAD, (tenant,), of=entry.tenant)
    seq, previous = rows[0] if rows else (0, START)
    seq += 1
    own = hash_of(seq, previous, entry.digest())
    at = Moment.microseconds(entry.at)
    facts = (tenant, at, entry.alert, entry.private, *entry.texts, seq, previous, own)
    await run(connection, _SQLITE_ENTRY, facts, of=entry.tenant)
    await run(connection, _SQLITE_MOVED, (tenant, seq, previous, own), of=entry.tenant)
