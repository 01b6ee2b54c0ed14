"""Audit: who did what to what, by which way, and what was before and after. Entries are only ever added, to
a chain of each tenant (see `chain`), in the commit of the deed; facts are masked."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from services.audit import private as private_facts
from services.audit.chain import Entry, append, written
from services.audit.private import Facts, Private
from services.store.ending import at_the_end, gathered
from services.store.schema import audit
from services.work import Work

__all__ = ["CLOCK", "NO_PERSON", "OPERATOR", "PROVIDER", "WHATSAPP", "Private", "alerted", "erase", "record"]

OPERATOR = "operator"
PROVIDER = "provider"
WHATSAPP = "whatsapp"
CLOCK = "clock"
NO_PERSON = frozenset({OPERATOR, PROVIDER, WHATSAPP, CLOCK})  # every other actor is a person's id

# What speaks by one channel only; a person's is that of the work.
_CHANNELS = {OPERATOR: "cli", PROVIDER: "provider", WHATSAPP: "chat", CLOCK: "clock"}


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
        private=await private_facts.keep(work, private) if private else None,
        actor=str(actor),
        channel=_CHANNELS.get(str(actor), work.via.channel),
        via=work.via.name,
        action=action,
        target=str(target),
        facts=written(facts),
        before=None if before is None else written(before),
        after=None if after is None else written(after),
    )
    at_the_end(work.connection, append, entry, last=True)


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
    """Forget what is kept apart about a person; how many entries had such facts. The chain stands."""
    count = await private_facts.forget(work, subject)
    if count:
        await record(work, OPERATOR, "audit.erased", subject, {"entries": count})
    return count


def _is_it(work: Work, entry: Entry, actions: tuple[str, ...], target: UUID | None) -> bool:
    return (
        entry.tenant == work.tenant
        and entry.alert
        and entry.action in actions
        and target in (None, UUID(entry.target))
    )
