"""Audit: who did what to what, by which way, and what was before and after. Entries are only ever added, to
a chain of each tenant (see `chain`), in the commit of the deed; facts are masked."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.audit.chain import Entry, append, written
from services.store.ending import at_the_end, gathered
from services.store.schema import audit, audit_private
from services.work import Work

OPERATOR = "operator"
PROVIDER = "provider"
WHATSAPP = "whatsapp"
CLOCK = "clock"

# What speaks by one channel only; a person's is that of the work.
_CHANNELS = {OPERATOR: "cli", PROVIDER: "provider", WHATSAPP: "chat", CLOCK: "clock"}
_SALT_BYTES = 16
_PRIVATE = "audit_private.facts"

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Private:
    """Facts about a person that may have to be erased, kept apart from the chain."""

    subject: UUID
    facts: Facts


async def record(
    work: Work,
    actor: UUID | str,
    action: str,
    target: UUID,
    facts: Facts,
    *,
    before: Facts | None = None,
    after: Facts | None = None,
    private: Private | None = None,
    alert: bool = False,
) -> None:
    """`actor` is a person's id, OPERATOR, PROVIDER, WHATSAPP or CLOCK; `before` and `after` are what was
    changed, masked; `alert` asks that somebody look. Its place in the chain is given right before the commit.
    """
    entry = Entry(
        tenant=work.tenant,
        at=work.now,
        alert=alert,
        private=await _kept_apart(work, private) if private else None,
        actor=str(actor),
        channel=_CHANNELS.get(str(actor), work.via.channel),
        via=work.via.name,
        action=action,
        target=str(target),
        facts=written(facts),
        before=None if before is None else written(before),
        after=None if after is None else written(after),
    )
    at_the_end(work.connection, append, entry)


async def alerted(
    work: Work, *actions: str, target: UUID | None = None, since: datetime | None = None
) -> bool:
    """Whether one of these alerts was given before: of this target, or since then."""
    if any(_is_it(work, entry, actions, target) for entry in gathered(work.connection, append)):
        return True
    query = sa.select(audit.c.seq).where(
        audit.c.tenant_id == work.tenant, audit.c.alert, audit.c.action.in_(actions)
    )
    if target is not None:
        query = query.where(audit.c.target == str(target))
    if since is not None:
        query = query.where(audit.c.at >= since)
    return (await work.connection.execute(query.limit(1))).first() is not None


async def erase(work: Work, subject: UUID) -> int:
    """Forget what is kept apart about a person; how many entries had such facts. Their chain stands, since
    it holds digests of them only, and the salts that these were made with are gone too."""
    gone = sa.delete(audit_private).where(
        audit_private.c.tenant_id == work.tenant, audit_private.c.subject_id == subject
    )
    count = (await work.connection.execute(gone)).rowcount
    if count:
        await record(work, OPERATOR, "audit.erased", subject, {"entries": count})
    return count


async def opened(work: Work, digest: bytes) -> Facts | None:
    """What is kept apart under the digest of an entry; None where it was erased. Raises Unopenable."""
    mine = (audit_private.c.tenant_id == work.tenant, audit_private.c.digest == digest)
    sealed = await work.connection.scalar(sa.select(audit_private.c.facts_sealed).where(*mine))
    if sealed is None:
        return None
    kept = work.vault.open(sealed, work.tenant, _PRIVATE, digest)
    facts: Facts = json.loads(kept[_SALT_BYTES:])
    return facts


def private_digest(kept: bytes) -> bytes:
    """Of the salt and the facts' JSON behind it."""
    return hashlib.sha256(kept).digest()


async def _kept_apart(work: Work, private: Private) -> bytes:
    kept = secrets.token_bytes(_SALT_BYTES) + written(private.facts).encode()
    digest = private_digest(kept)
    sealed = work.vault.seal(kept, work.tenant, _PRIVATE, digest)
    await work.connection.execute(
        sa.insert(audit_private).values(
            tenant_id=work.tenant, digest=digest, subject_id=private.subject, facts_sealed=sealed
        )
    )
    return digest


def _is_it(work: Work, entry: Entry, actions: tuple[str, ...], target: UUID | None) -> bool:
    return (
        entry.tenant == work.tenant
        and entry.alert
        and entry.action in actions
        and target in (None, UUID(entry.target))
    )
