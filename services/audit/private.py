"""Private: facts about a person that may have to be erased. They are kept apart, sealed; the chain holds the
digest of them and of a salt that goes with them, so that it stands and tells nothing once they are gone."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.audit.chain import written
from services.safety.vault import Unopenable, Vault
from services.store.schema import audit_private
from services.work import Work

Facts = Mapping[str, Any]

_SALT_BYTES = 16
_COLUMN = "audit_private.facts"


@dataclass(frozen=True)
class Private:
    """Facts about somebody."""

    subject: UUID
    facts: Facts


async def keep(work: Work, private: Private) -> bytes:
    """The digest for the entry."""
    kept = secrets.token_bytes(_SALT_BYTES) + written(private.facts).encode()
    digest = hashlib.sha256(kept).digest()
    sealed = work.vault.seal(kept, work.tenant, _COLUMN, digest)
    await work.connection.execute(
        sa.insert(audit_private).values(
            tenant_id=work.tenant, digest=digest, subject_id=private.subject, facts_sealed=sealed
        )
    )
    return digest


async def opened(work: Work, digest: bytes) -> Facts | None:
    """What is kept under the digest of an entry; None where it was erased. Raises Unopenable."""
    kept = await _kept(work.connection, work.vault, work.tenant, digest)
    if kept is None:
        return None
    facts: Facts = json.loads(kept[_SALT_BYTES:])
    return facts


async def fits(connection: AsyncConnection, vault: Vault, tenant: UUID, digest: bytes) -> bool:
    """Whether what is kept under the digest is what it was made of, or was erased."""
    try:
        kept = await _kept(connection, vault, tenant, digest)
    except Unopenable:
        return False
    return kept is None or hashlib.sha256(kept).digest() == digest


async def forget(work: Work, subject: UUID) -> int:
    """How many there were."""
    gone = sa.delete(audit_private).where(
        audit_private.c.tenant_id == work.tenant, audit_private.c.subject_id == subject
    )
    return (await work.connection.execute(gone)).rowcount


async def _kept(connection: AsyncConnection, vault: Vault, tenant: UUID, digest: bytes) -> bytes | None:
    mine = (audit_private.c.tenant_id == tenant, audit_private.c.digest == digest)
    sealed = await connection.scalar(sa.select(audit_private.c.facts_sealed).where(*mine))
    return None if sealed is None else vault.open(sealed, tenant, _COLUMN, digest)
