"""API keys: each belongs to a member of the staff and carries that person's scopes, as they are at each
request. Shown once; only a keyed hash is stored, and the prefix names it. One that is rotated works beside
the new one for a while: only its end comes nearer."""

import re
import secrets
import zlib
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services import audit, inbox
from services.news.settings import KeyRotated
from services.people import people
from services.people.people import Member
from services.safety.vault import Vault
from services.store.hot import Hot
from services.store.schema import api_keys, lendings, staff, tenants
from services.store.scope import within
from services.work import Work

_COLUMN = "api_keys.key"
LASTS = timedelta(days=365)
_COARSE = timedelta(hours=1)
_WRITTEN = re.compile(r"(lipa_[0-9a-f]{12})_[0-9a-f]{64}_[0-9a-f]{8}", re.ASCII)


@dataclass(frozen=True)
class Key:
    """A new key: `text` is told this once. `replaced_until`: how long the one before it works on."""

    text: str = field(repr=False)
    prefix: str
    person_id: UUID
    scopes: frozenset[str]
    expires_at: datetime
    replaced_until: datetime | None = None


@dataclass(frozen=True)
class Listed:
    """A key as the operator sees it. `state`: active, expired, revoked, or suspended where its person is not
    on the active staff."""

    prefix: str
    state: str
    staff_id: UUID
    staff: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


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


@dataclass(frozen=True)
class Void:
    """A key of ours, whole and right, that opens nothing: it is revoked or expired, its person suspended, or
    its tenant switched_off."""

    tenant_id: UUID
    person_id: UUID
    prefix: str
    because: str


async def create(work: Work, person_id: UUID, lasts: timedelta = LASTS) -> Key | None:
    """A key of 256 random bits; None where the person is not on the active staff."""
    scopes = (await people.active_staff(work)).get(person_id)
    if scopes is None:
        return None
    prefix = f"lipa_{secrets.token_hex(6)}"
    body = f"{prefix}_{secrets.token_hex(32)}"
    text = f"{body}_{_checksum(body)}"
    expires_at = work.now + lasts
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
    return Key(text, prefix, person_id, scopes, expires_at)


async def tenant_of(connection: AsyncConnection, prefix: str) -> UUID | None:
    """Whose key it is; None where no key has this prefix."""
    found: UUID | None = await connection.scalar(
        sa.select(api_keys.c.tenant_id).where(api_keys.c.prefix == prefix)
    )
    return found


async def rotate(work: Work, prefix: str, overlap: timedelta, lasts: timedelta = LASTS) -> Key | None:
    """A new key of the same person; the old one works for `overlap` more, and never longer than it would
    have. None where the old one is no more: revoked, expired, or of somebody who is not on the staff."""
    mine = (api_keys.c.tenant_id == work.tenant, api_keys.c.prefix == prefix)
    query = sa.select(api_keys).where(*mine).with_for_update()
    row = (await work.connection.execute(query)).first()
    if row is None or row.revoked_at is not None or row.expires_at <= work.now:
        return None
    key = await create(work, row.person_id, lasts)
    if key is None:
        return None
    until = min(row.expires_at, work.now + overlap)
    await work.connection.execute(sa.update(api_keys).where(*mine).values(expires_at=until))
    facts = {"prefix": prefix, "by": key.prefix}
    ends = {"expires_at": until.isoformat()}
    before = {"expires_at": row.expires_at.isoformat()}
    await audit.record(
        work, audit.OPERATOR, "apikey.rotated", row.person_id, facts, before=before, after=ends
    )
    told = await people.owners(work) | {row.person_id}
    name = await people.name_of(work, row.person_id) or ""
    await inbox.tell_people(work, told, KeyRotated(name=name, prefix=prefix, until=until))
    return replace(key, replaced_until=until)


async def listed(work: Work) -> list[Listed]:
    """All keys that the tenant has or had, the latest first."""
    query = sa.select(api_keys).where(api_keys.c.tenant_id == work.tenant)
    rows = (await work.connection.execute(query.order_by(api_keys.c.created_at.desc()))).all()
    names = await people.names_of(work, {row.person_id for row in rows})
    staff = await people.active_staff(work)
    return [
        Listed(
            prefix=row.prefix,
            state=_state(row, work.now, suspended=row.person_id not in staff),
            staff_id=row.person_id,
            staff=names[row.person_id],
            created_at=row.created_at,
            expires_at=row.expires_at,
            last_used_at=row.last_used_at,
            revoked_at=row.revoked_at,
        )
        for row in rows
    ]


def _state(row: Any, now: datetime, *, suspended: bool) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at <= now:
        return "expired"
    return "suspended" if suspended else "active"


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


# The key, its tenant, and who may do what there: all in one round trip, with every request.
_keys = api_keys.c
_FOUND = Hot(
    sa.select(
        _keys.tenant_id,
        _keys.person_id,
        _keys.key_index,
        _keys.expires_at,
        _keys.last_used_at,
        _keys.revoked_at,
        tenants.c.slug,
        tenants.c.active,
        *people.OF_MEMBER,
    )
    .select_from(
        api_keys.join(tenants, tenants.c.id == _keys.tenant_id)
        .outerjoin(staff, sa.and_(staff.c.tenant_id == _keys.tenant_id, people.IS_ACTIVE))
        .outerjoin(lendings, people.IS_LENT)
    )
    .where(_keys.prefix == sa.bindparam("prefix"))
)


class _Found(NamedTuple):
    tenant_id: UUID
    person_id: UUID
    key_index: bytes
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    slug: str
    active: bool


_OF_KEY = len(_Found._fields)


async def holder(connection: AsyncConnection, vault: Vault, text: str, now: datetime) -> Holder | Void | None:
    """None for a key that is unknown. Read anew each time, so that a revocation holds at once."""
    prefix = _prefix(text)
    rows = await _FOUND(connection, prefix=prefix, now=now) if prefix is not None else ()
    if prefix is None or not rows:
        return None
    found = _Found(*rows[0][:_OF_KEY])
    if not vault.is_marked(found.key_index, text, found.tenant_id, _COLUMN):
        return None
    members = [Member(*row[_OF_KEY:]) for row in rows if row[_OF_KEY] is not None]
    scopes = people.scopes_of(members, now).get(found.person_id)
    state = _state(found, now, suspended=scopes is None)
    if scopes is None or state != "active" or not found.active:
        because = state if state != "active" else "switched_off"
        return Void(found.tenant_id, found.person_id, prefix, because)
    mark = vault.mark(text, found.tenant_id, _COLUMN)
    used = found.last_used_at
    stale = used is None or used <= now - _COARSE or found.key_index != mark
    return Holder(found.tenant_id, found.slug, found.person_id, scopes, prefix, mark, stale)


async def used(connection: AsyncConnection, holder: Holder, now: datetime) -> None:
    """Note its last use, and mark it by the first of the secret keys: it is nowhere but in this request."""
    mine = sa.update(api_keys).where(
        api_keys.c.tenant_id == holder.tenant_id, api_keys.c.prefix == holder.prefix
    )
    await connection.execute(mine.values(last_used_at=now, key_index=holder.mark))


def named(text: str) -> str:
    """The prefix, also where somebody gives the whole key, which is then told to nobody."""
    return "_".join(text.split("_")[:2])


def _prefix(text: str) -> str | None:
    """None where it is none of our keys, or mistyped: the database need not be asked."""
    found = _WRITTEN.fullmatch(text)
    body, _, told = text.rpartition("_")
    return found[1] if found and told == _checksum(body) else None


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
