"""Anchors: where the chains ended, signed, and kept where the database's administrator does not rule.

Each run writes one file of two lines and never touches it again, so that the folder can lie on storage
that takes new files only:

    {"at": "2026-11-28T12:00:00+00:00", "format": 1, "heads": [["tenant's id", position, "hash"], ...]}
    {"public_key": base64 of 32 bytes, "signature": base64 of Ed25519 over the bytes of the first line}

The signing key follows from LIPACHAT_SECRET_KEYS (the first signs, all are believed), so that who rules the
database alone can forge none.
"""

import base64
import contextlib
import itertools
import json
import os
import secrets
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.ext.asyncio import AsyncConnection

from services.safety.vault import Vault
from services.store.schema import audit, audit_heads

_PURPOSE = "audit:anchors"
_SUFFIX = ".anchor"
_DAY = "%Y-%m-%d"
_FORMAT = 1
_AT_ONCE = 500  # entries that are looked up by one statement
PUBLIC_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ended."""

    tenant: UUID
    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """When it was written down."""

    at: datetime
    head: Head


async def ends(connection: AsyncConnection) -> dict[Head, int]:
    """Where every chain ends, and how far the database says that it was anchored: whoever rules it can write
    there what they like, so what has moved is never told by it."""
    heads = audit_heads.c
    query = sa.select(heads.tenant_id, heads.seq, heads.hash, heads.anchored_seq).order_by(heads.tenant_id)
    return {Head(*head): marked for *head, marked in await connection.execute(query)}


async def anchored(connection: AsyncConnection, heads: Sequence[Head]) -> None:
    """These were written down. In the order of their ids, as everybody locks heads."""
    for head in heads:
        await connection.execute(
            sa.update(audit_heads)
            .where(audit_heads.c.tenant_id == head.tenant, audit_heads.c.anchored_seq < head.seq)
            .values(anchored_seq=head.seq)
        )


def write(folder: Path, vault: Vault, heads: Sequence[Head], at: datetime) -> Path:
    """A new file, on the disk when this returns."""
    listed = [[str(head.tenant), head.seq, head.hash.hex()] for head in heads]
    body = json.dumps({"at": at.isoformat(), "format": _FORMAT, "heads": listed}).encode()
    key = Ed25519PrivateKey.from_private_bytes(vault.derived(_PURPOSE)[0])
    signed = {"public_key": _public(key), "signature": base64.b64encode(key.sign(body)).decode()}
    day = folder / f"{at:{_DAY}}"
    day.mkdir(parents=True, exist_ok=True)
    path = day / f"{at:%H%M%S}-{secrets.token_hex(4)}{_SUFFIX}"
    with path.open("xb") as file:
        file.write(body + b"\n" + json.dumps(signed).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    for each in (day, folder):
        _sync(each)
    return path


def public_keys(vault: Vault) -> list[str]:
    """Of each secret key, the one that signs first."""
    return [_public(Ed25519PrivateKey.from_private_bytes(seed)) for seed in vault.derived(_PURPOSE)]


@dataclass
class Anchors:
    """What a folder holds, by tenant; on disk, however much that is. `torn` files were never finished, as
    when the machine died; `forged` ones were not written by us, or were changed."""

    files: int = 0
    forged: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    _kept: sqlite3.Connection = field(default_factory=lambda: sqlite3.connect(""))

    def __post_init__(self) -> None:
        self._kept.execute("CREATE TABLE heads (tenant TEXT, seq INTEGER, hash BLOB)")

    def of(self, tenant: UUID) -> Iterator[tuple[int, bytes]]:
        """Position and hash, in the order of positions."""
        query = "SELECT DISTINCT seq, hash FROM heads WHERE tenant = ? ORDER BY seq"
        return self._kept.execute(query, (tenant.hex,))

    def next_tenant(self, after: UUID | None) -> UUID | None:
        """In the order of their ids."""
        query = "SELECT min(tenant) FROM heads WHERE tenant > ?"
        (found,) = self._kept.execute(query, (after.hex if after else "",)).fetchone()
        return UUID(found) if found else None

    def add(self, name: str, content: bytes, believed: Collection[str]) -> None:
        """One file."""
        self.files += 1
        body, newline, rest = content.partition(b"\n")
        if not newline or not rest.endswith(b"\n"):
            self.torn.append(name)
            return
        try:
            heads = _heads(body, json.loads(rest), believed)
        except (ValueError, KeyError, TypeError, InvalidSignature):
            self.forged.append(name)
            return
        self._kept.executemany("INSERT INTO heads VALUES (?, ?, ?)", heads)

    def index(self) -> None:
        """After all were added."""
        self._kept.execute("CREATE INDEX by_tenant ON heads (tenant, seq, hash)")


def latest(folder: Path, vault: Vault, also_believed: Collection[str] = (), files: int = 20) -> list[Told]:
    """What the newest files say that we signed; nothing where there are none."""
    believed = {*public_keys(vault), *also_believed}
    return [told for path in itertools.islice(_newest(folder), files) for told in _told(path, believed)]


def covered(
    folder: Path, vault: Vault, since: datetime, also_believed: Collection[str] = ()
) -> dict[UUID, int]:
    """How far the chains were anchored by files that we signed on that day (UTC) or later."""
    believed, found = {*public_keys(vault), *also_believed}, dict[UUID, int]()
    recent = itertools.takewhile(lambda path: path.parent.name >= f"{since:{_DAY}}", _newest(folder))
    for head in (told.head for path in recent for told in _told(path, believed)):
        found[head.tenant] = max(head.seq, found.get(head.tenant, 0))
    return found


def _newest(folder: Path) -> Iterator[Path]:
    """Its files, the newest first."""
    for day in sorted(folder.glob("*-*-*"), reverse=True):
        yield from sorted(day.glob(f"*{_SUFFIX}"), reverse=True)


def _told(path: Path, believed: Collection[str]) -> list[Told]:
    """By one file; nothing by one that is torn or forged."""
    body, _, rest = path.read_bytes().partition(b"\n")
    with contextlib.suppress(ValueError, KeyError, TypeError, InvalidSignature):
        heads = _heads(body, json.loads(rest), believed)
        at = datetime.fromisoformat(json.loads(body)["at"])
        return [Told(at, Head(UUID(tenant), seq, hash_)) for tenant, seq, hash_ in heads]
    return []


async def lost(connection: AsyncConnection, told: Sequence[Told], since: datetime | None) -> list[Told]:
    """What was anchored, and is not in the database, or is another entry there since it went on by itself;
    what was so before `since` is known. A database without tenants has lost nothing: it is a new one."""
    heads = audit_heads.c
    there = {
        row.tenant_id: row.seq for row in await connection.execute(sa.select(heads.tenant_id, heads.seq))
    }
    fresh = [each for each in told if since is None or each.at > since]
    if not there:
        return []
    ends = await _hashes(connection, {(each.head.tenant, each.head.seq) for each in fresh})
    return [
        each
        for each in fresh
        if each.head.seq > there.get(each.head.tenant, 0)
        or ends.get((each.head.tenant, each.head.seq), each.head.hash) != each.head.hash
    ]


async def _hashes(
    connection: AsyncConnection, places: Collection[tuple[UUID, int]]
) -> dict[tuple[UUID, int], bytes]:
    """Of the entries that are there, by chain and position."""
    found, listed = dict[tuple[UUID, int], bytes](), sorted(places)
    for start in range(0, len(listed), _AT_ONCE):
        among = sa.tuple_(audit.c.tenant_id, audit.c.seq).in_(listed[start : start + _AT_ONCE])
        rows = await connection.execute(sa.select(audit.c.tenant_id, audit.c.seq, audit.c.hash).where(among))
        found |= {(tenant, seq): bytes(hash_) for tenant, seq, hash_ in rows}
    return found


def read(folder: Path, vault: Vault, also_believed: Collection[str] = ()) -> Anchors:
    """All below the folder. `also_believed`: public keys of secret keys that are gone."""
    anchors, believed = Anchors(), {*public_keys(vault), *also_believed}
    for path in sorted(folder.rglob(f"*{_SUFFIX}")):
        anchors.add(str(path.relative_to(folder)), path.read_bytes(), believed)
    anchors.index()
    return anchors


def _heads(body: bytes, signed: Any, believed: Collection[str]) -> list[tuple[str, int, bytes]]:
    """Raises InvalidSignature, ValueError, KeyError or TypeError."""
    if signed["public_key"] not in believed:
        raise ValueError("signed by nobody that we know")
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signed["public_key"]))
    key.verify(base64.b64decode(signed["signature"]), body)
    told = json.loads(body)
    if told["format"] != _FORMAT:
        raise ValueError("of another format")
    return [(UUID(tenant).hex, seq, bytes.fromhex(hash_)) for tenant, seq, hash_ in told["heads"]]


def _public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def _sync(folder: Path) -> None:
    """That the file has its name is on the disk too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
