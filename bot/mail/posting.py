"""Posting: who is told what by e-mail. It follows from the audit alone, whose entries are committed with what
they tell: so nothing is told that did not happen, and nothing that did is forgotten.

Each chain is read on from where it was read last, and its entries become rows of `mails` in the same commit
as the place. What is told twice by a crash is one row.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import sqlalchemy as sa

from bot.mail import asked
from services import audit as record
from services.jobs import MAIL_ALERT, MAIL_APPROVAL
from services.people import mailboxes
from services.people.access import RECONCILE
from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import NOBODY, audit, audit_heads, jobs, mails
from services.store.scope import AUDITOR, PLATFORM
from services.work import Via, Work

# No alerts in the audit, for nothing is to be put right; but somebody wants to know at once.
ALSO_TOLD = ("withdrawal.failed",)
# The installation's own matters: the operator's alone.
OPERATORS_ALONE = ("audit.", "events.", "person.", "change_fees.", "method.")
_STALE = timedelta(days=1)  # older ones are no news, as when e-mail is set up late
_FAR = 1000  # entries that tell nobody anything are passed over in bulk
_MOST = 5000
JOB_OF = {"alert": MAIL_ALERT, "approval": MAIL_APPROVAL}


def operator_id(address: str) -> UUID:
    """What names an address of the operator's among the recipients."""
    return uuid5(NAMESPACE_URL, f"mailto:{address.lower()}")


class Posting:
    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Callable[[], datetime],
        operators: Sequence[str],
        *,
        on: bool = True,
    ) -> None:
        """Where it is not `on`, nobody is written to; but the chains are kept up with, so that once it is, it
        begins where they stand."""
        self._database, self._vault, self._clock = database, vault, clock
        self._on = on
        self._operators = [operator_id(address) for address in operators]

    async def once(self) -> int:
        """How many are to be told something."""
        now = self._clock()
        async with self._database.reading(AUDITOR) as connection:
            found = (await connection.execute(_untold(now))).all() if self._on else []
            far = (await connection.execute(_FAR_BEHIND)).all()
        by_tenant: dict[UUID, list[sa.Row[Any]]] = defaultdict(list)
        for row in found:
            by_tenant[row.tenant_id].append(row)
        posted = 0
        for tenant, entries in by_tenant.items():
            posted += await self._post(tenant, entries, now)
        passed = {row.tenant_id: row.seq for row in far if row.tenant_id not in by_tenant}
        if len(found) < _MOST:
            await self._pass_over(passed)
        await (self._have_sent(now) if self._on else self._have_nothing_sent())
        return posted

    async def _post(self, tenant: UUID, entries: Sequence[sa.Row[Any]], now: datetime) -> int:
        async with self._database.transaction(tenant) as connection:
            work = Work(connection, self._vault, tenant, now, Via("clock", "mail"))
            told = await self._recipients(work, entries)
            rows = [
                {"tenant_id": tenant, "seq": seq, "recipient_id": each, "kind": kind, "created_at": now}
                for (seq, kind), recipients in told.items()
                for each in sorted(recipients)
            ]
            if rows:
                await connection.execute(work.insert(mails).on_conflict_do_nothing(), rows)
            await connection.execute(_moved(tenant, entries[-1].seq))
        return len(rows)

    async def _recipients(
        self, work: Work, entries: Sequence[sa.Row[Any]]
    ) -> Mapping[tuple[int, str], set[UUID]]:
        """Who is asked is not told of the same as an alert too."""
        holders = {scope: set(await mailboxes.addresses(work, scope)) for scope in {*asked.SCOPES, RECONCILE}}
        told: dict[tuple[int, str], set[UUID]] = {}
        for entry in entries:
            actor, approvers = _person(entry.actor), set[UUID]()
            if entry.action in asked.ACTIONS:
                approvers = holders[asked.scope_of(entry.action)] - {actor}
                told[entry.seq, "approval"] = approvers
            if entry.alert or entry.action in ALSO_TOLD:
                staff = set() if entry.action.startswith(OPERATORS_ALONE) else holders[RECONCILE] - {actor}
                told[entry.seq, "alert"] = {*self._operators, *staff} - approvers
        return told

    async def _pass_over(self, heads: Mapping[UUID, int]) -> None:
        for tenant in sorted(heads):
            async with self._database.transaction(tenant) as connection:
                await connection.execute(_moved(tenant, heads[tenant]))

    async def _have_sent(self, now: datetime) -> None:
        """One job for each recipient and kind. One that is there already keeps its time: it has just written
        to them, or could not."""
        query = sa.select(mails.c.recipient_id, mails.c.kind).distinct()
        async with self._database.reading(PLATFORM) as connection:
            waiting = (await connection.execute(query)).all()
        if not waiting:
            return
        rows = [
            {"tenant_id": NOBODY, "target_id": recipient, "kind": JOB_OF[kind], "due_at": now}
            for recipient, kind in waiting
        ]
        async with self._database.transaction(NOBODY) as connection:
            work = Work(connection, self._vault, NOBODY, now, Via("clock", "mail"))
            await connection.execute(work.insert(jobs).on_conflict_do_nothing(), rows)

    async def _have_nothing_sent(self) -> None:
        """What waits from before stays, for whoever has a server again."""
        left = sa.delete(jobs).where(jobs.c.tenant_id == NOBODY, jobs.c.kind.in_(JOB_OF.values()))
        async with self._database.transaction(NOBODY) as connection:
            await connection.execute(left)


def _untold(now: datetime) -> Any:
    """What is to be told, of all chains, each in its order."""
    wanted = sa.or_(audit.c.alert, audit.c.action.in_((*ALSO_TOLD, *asked.ACTIONS)))
    return (
        sa.select(audit.c.tenant_id, audit.c.seq, audit.c.action, audit.c.actor, audit.c.alert)
        .join_from(audit_heads, audit, audit.c.tenant_id == audit_heads.c.tenant_id)
        .where(
            audit_heads.c.seq > audit_heads.c.posted_seq,
            audit.c.seq > audit_heads.c.posted_seq,
            audit.c.at > now - _STALE,
            wanted,
        )
        .order_by(audit_heads.c.tenant_id, audit.c.seq)
        .limit(_MOST)
    )


_FAR_BEHIND = sa.select(audit_heads.c.tenant_id, audit_heads.c.seq).where(
    audit_heads.c.seq > audit_heads.c.posted_seq + _FAR
)


def _moved(tenant: UUID, seq: int) -> Any:
    heads = audit_heads.c
    return (
        sa.update(audit_heads).where(heads.tenant_id == tenant, heads.posted_seq < seq).values(posted_seq=seq)
    )


def _person(actor: str) -> UUID | None:
    """None of who is no person."""
    return None if actor in record.NO_PERSON else UUID(actor)
