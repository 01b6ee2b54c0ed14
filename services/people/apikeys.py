"""API keys: each belongs to a member of the staff and carries that person's scopes, as they are at each
request. Shown once; only a keyed hash is stored, and the prefix names it."""

import re
import secrets
import zlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services import audit
from services.people import people
from services.safety.vault import Vault
from services.store.schema import api_keys, tenants
from services.store.scope import within
from services.work import Work

_COLUMN = "api_keys.key"
_LASTS = timedelta(days=365)
_COARSE = timedelta(hours=1)
_WRITTEN = re.compile(r"(lipa_[0-9a-f]{12})_[0-9a-f]{64}_[0-9a-f]{8}", re.ASCII)


@dataclass(frozen=True)
class Key:
    """A new key: `text` is told this once."""

    text: str
    prefix: str
    scopes: frozenset[str]
    expires_at: datetime


@dataclass(frozen=True)
class Holder:
    """Who calls by a key, and what they may do now."""

    tenant_id: UUID
    slug: str
    person_id: UUID
    scopes: frozenset[str]
    prefix: str
    mark: bytes = field(repr=False)  # the key's, under the first secret key
    stale: bool  # its last use is to be noted


async def create(work: Work, person_id: UUID) -> Key | None:
    """A key of 256 random bits; None where the person is not on the active staff."""
    scopes = (await people.active_staff(work)).get(person_id)
    if scopes is None:
        return None
    prefix = f"lipa_{secrets.token_hex(6)}"
    body = f"{prefix}_{secrets.token_hex(32)}"
    text = f"{body}_{_checksum(body)}"
    expires_at = work.now + _LASTS
    await work.connection.execute(
        sa.insert(api_keys).values(
            prefix=prefix,
            tenant_id=work.tenant,
            person_id=person_id,
            key_index=work.vault.mark(text, work.tenant, _COLUMN),
            created_at=work.now,
            expires_at=expires_at,
        )
    )
    facts = {"prefix": prefix, "expires_at": expires_at.isoformat()}
    await audit.record(work, audit.OPERATOR, "apikey.created", person_id, facts)
    return Key(text, prefix, scopes, expires_at)


async def revoke(connection: AsyncConnection, vault: Vault, prefix: str, now: datetime) -> datetime | None:
    """When it was revoked, now or before; None where no key has this prefix."""
    query = sa.select(api_keys).where(api_keys.c.prefix == prefix).with_for_update()
    row = (await connection.execute(query)).first()
    if row is None or row.revoked_at is not None:
        return row.revoked_at if row else None
    await connection.execute(sa.update(api_keys).where(api_keys.c.prefix == prefix).values(revoked_at=now))
    async with within(connection, row.tenant_id):
        work = Work(connection, vault, row.tenant_id, now)
        await audit.record(work, audit.OPERATOR, "apikey.revoked", row.person_id, {"prefix": prefix})
    return now


async def let_go(work: Work, persons: Collection[UUID], by: str) -> None:
    """Revoke all that these people have: they are on the staff no more, and who comes back asks for new ones.
    `by`: as in the audit."""
    ending = (
        sa.update(api_keys)
        .where(
            api_keys.c.tenant_id == work.tenant,
            api_keys.c.person_id.in_(persons),
            api_keys.c.revoked_at.is_(None),
        )
        .values(revoked_at=work.now)
        .returning(api_keys.c.prefix, api_keys.c.person_id)
    )
    for prefix, person_id in sorted((await work.connection.execute(ending)).all()):
        await audit.record(work, by, "apikey.revoked", person_id, {"prefix": prefix, "because": "left"})


async def holder(connection: AsyncConnection, vault: Vault, text: str, now: datetime) -> Holder | None:
    """None for a key that is unknown, revoked or expired, of somebody suspended, or of a tenant that is
    switched off. Read anew each time, so that a revocation holds at once."""
    prefix = _prefix(text)
    if prefix is None:
        return None
    query = (
        sa.select(api_keys, tenants.c.slug)
        .join(tenants, tenants.c.id == api_keys.c.tenant_id)
        .where(api_keys.c.prefix == prefix, tenants.c.active)
    )
    row = (await connection.execute(query)).first()
    if row is None or row.revoked_at is not None or row.expires_at <= now:
        return None
    if not vault.is_marked(row.key_index, text, row.tenant_id, _COLUMN):
        return None
    staff = await people.active_staff(Work(connection, vault, row.tenant_id, now))
    if row.person_id not in staff:
        return None
    mark = vault.mark(text, row.tenant_id, _COLUMN)
    stale = row.last_used_at is None or row.last_used_at <= now - _COARSE or row.key_index != mark
    return Holder(row.tenant_id, row.slug, row.person_id, staff[row.person_id], prefix, mark, stale)


async def used(connection: AsyncConnection, holder: Holder, now: datetime) -> None:
    """Note its last use, and mark it by the first of the secret keys: it is nowhere but in this request."""
    mine = sa.update(api_keys).where(
        api_keys.c.tenant_id == holder.tenant_id, api_keys.c.prefix == holder.prefix
    )
    await connection.execute(mine.values(last_used_at=now, key_index=holder.mark))


def _prefix(text: str) -> str | None:
    """None where it is none of our keys, or mistyped: the database need not be asked."""
    found = _WRITTEN.fullmatch(text)
    body, _, told = text.rpartition("_")
    return found[1] if found and told == _checksum(body) else None


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
