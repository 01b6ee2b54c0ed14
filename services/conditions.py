"""Conditions: what is not as it should be and lasts, looked for every minute over all tenants.

| kind                  | subject               | stands while |
|-----------------------|-----------------------|----------|
| payment.pending_long  | an attempt            | a payment is under way for more than a day |
| payout.pending_long   | a payout              | so is a withdrawal that was approved |
| refund.pending_long   | a refund's attempt    | so is a refund |
| events.parked         | a number in the inbox | an event failed again and again, and nobody has played it |
| provider.down         | a provider            | it leaves calls of the tenant's unanswered |
| balance.low           |                       | less is available than the tenant's file says |
| messages.stopped      |                       | WhatsApp refuses the tenant's access token |
| apikey.expiring       | the prefix of a key   | a key that is in use ends within two weeks |
| token.expiring        | when it ends          | a token of WhatsApp ends within two weeks, until it does |

Of each what is new is one alert of its tenant, however much of it there is. It is one again only after it was
well for an hour.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services import audit, breakers, inbox
from services.ledger import WALLET
from services.news.conditions import KeyExpiring, ProviderDown, StillPending
from services.people import people
from services.store import schema
from services.store.schema import NOBODY, conditions
from services.work import Work

_LONG, _SOON = timedelta(days=1), timedelta(days=14)
TOKEN_EXPIRING = "token.expiring"
_WELL_FOR = timedelta(hours=1)
_MOST = 1000  # of a kind; the oldest
_SHOWN = 5
_LIVE = {
    "payment.pending_long": (schema.attempts, schema.LIVE_ATTEMPT),
    "payout.pending_long": (schema.payouts, schema.UNDER_WAY),
    "refund.pending_long": (schema.refund_attempts, schema.LIVE_REFUND),
}
Standing = Mapping[UUID, Mapping[str, Sequence[str]]]  # by tenant and kind: the subjects


async def standing(connection: AsyncConnection, now: datetime) -> Standing:
    """All that stands now. A wide read."""
    found: dict[UUID, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for kind, query in _queries(now).items():
        for tenant, subject in await connection.execute(query.limit(_MOST)):
            if tenant != NOBODY:
                found[tenant][kind].append(str(subject))
    return found


async def news(connection: AsyncConnection, found: Standing, now: datetime) -> Standing:
    """What of it nobody was told of yet, or was well for long in between."""
    known = {
        (row.tenant_id, row.kind, row.subject)
        for row in (await connection.execute(sa.select(conditions))).all()
        if row.well_at is None or row.well_at >= now - _WELL_FOR
    }
    untold: dict[UUID, dict[str, list[str]]] = defaultdict(dict)
    for tenant, kinds in found.items():
        for kind, subjects in kinds.items():
            if new := [each for each in subjects if (tenant, kind, each) not in known]:
                untold[tenant][kind] = new
    return untold


async def tell(work: Work, now_standing: Mapping[str, Sequence[str]]) -> int:
    """Of one tenant: an alert, and news for its people, of each kind of which something is new."""
    told = 0
    for kind, subjects in now_standing.items():
        new = [subject for subject in subjects if await _is_new(work, kind, subject)]
        if new:
            await _alert(work, kind, new)
            told += 1
    return told


async def note(connection: AsyncConnection, found: Standing, now: datetime) -> None:
    """Since when what stood is well; what has been for long is forgotten. While all is as it was, nothing is
    written."""
    for row in (await connection.execute(sa.select(conditions))).all():
        stands = row.subject in found.get(row.tenant_id, {}).get(row.kind, ())
        if stands == (row.well_at is None):
            continue
        mine = (conditions.c.tenant_id == row.tenant_id, conditions.c.kind == row.kind)
        this = sa.update(conditions).where(*mine, conditions.c.subject == row.subject)
        await connection.execute(this.values(well_at=None if stands else now))
    await connection.execute(sa.delete(conditions).where(conditions.c.well_at < now - _LONG))


def _queries(now: datetime) -> dict[str, Any]:
    queries: dict[str, Any] = {
        kind: sa.select(table.c.tenant_id, table.c.id)
        .where(is_live, table.c.created_at < now - _LONG)
        .order_by(table.c.created_at)
        for kind, (table, is_live) in _LIVE.items()
    }
    events, keys, tenants, accounts = schema.inbox.c, schema.api_keys.c, schema.tenants.c, schema.accounts.c
    queries["events.parked"] = (
        sa.select(events.tenant_id, events.seq).where(sa.text("state = 'parked'")).order_by(events.seq.desc())
    )
    queries["provider.down"] = breakers.down(now)
    queries["balance.low"] = (
        sa.select(tenants.id, sa.literal(""))
        .join(
            schema.accounts,
            sa.and_(
                accounts.tenant_id == tenants.id,
                accounts.name == WALLET,
                accounts.currency == tenants.currency,
            ),
        )
        .where(tenants.low_balance.is_not(None), accounts.posted - accounts.held < tenants.low_balance)
    )
    # Meta takes no message by a token that has ended, and they wait.
    queries["messages.stopped"] = (
        sa.select(schema.outbox.c.tenant_id, sa.literal(""))
        .where(schema.OPEN_OUTBOX, schema.outbox.c.error.startswith("190:"))
        .distinct()
    )
    queries["apikey.expiring"] = (
        sa.select(keys.tenant_id, keys.prefix)
        .where(
            keys.revoked_at.is_(None),
            keys.expires_at > now,
            keys.expires_at < now + _SOON,
            keys.last_used_at > now - _SOON,
        )
        .order_by(keys.expires_at)
    )
    # Seen once a day from outside, and told as it is seen.
    queries[TOKEN_EXPIRING] = sa.select(conditions.c.tenant_id, conditions.c.subject).where(
        conditions.c.kind == TOKEN_EXPIRING, conditions.c.subject > now.isoformat()
    )
    return queries


async def _is_new(work: Work, kind: str, subject: str) -> bool:
    """One statement: of two processes that look at once, one finds it new."""
    row = {"tenant_id": work.tenant, "kind": kind, "subject": subject}
    statement = work.insert(conditions).values(**row, began_at=work.now)
    again = statement.on_conflict_do_update(
        index_elements=["tenant_id", "kind", "subject"],
        set_={"began_at": work.now, "well_at": None},
        where=conditions.c.well_at < work.now - _WELL_FOR,
    )
    return (await work.connection.execute(again.returning(conditions.c.subject))).first() is not None


async def _alert(work: Work, kind: str, new: Sequence[str]) -> None:
    facts = {"count": len(new), "of": list(new[:_SHOWN])} if new != [""] else {}
    target = UUID(new[0]) if kind in _LIVE else work.tenant
    await audit.record(work, audit.CLOCK, kind, target, facts, alert=True)
    if kind in _LIVE:
        news = StillPending(what=kind.partition(".")[0], count=len(new))
        await inbox.tell_people(work, await people.reconcilers(work), news)
    elif kind == "provider.down":
        for provider in new:
            down = ProviderDown(provider=provider)
            await inbox.tell_people(work, await people.reconcilers(work), down)
    elif kind == "apikey.expiring":
        await _tell_holders(work, new)


async def _tell_holders(work: Work, prefixes: Iterable[str]) -> None:
    keys = schema.api_keys
    query = sa.select(keys).where(keys.c.tenant_id == work.tenant, keys.c.prefix.in_(list(prefixes)))
    owners = await people.owners(work)
    for key in (await work.connection.execute(query)).all():
        news = KeyExpiring(prefix=key.prefix, at=key.expires_at)
        await inbox.tell_people(work, {key.person_id, *owners}, news)
