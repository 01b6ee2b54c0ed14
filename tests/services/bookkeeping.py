"""Bookkeeping: a merchant's books and all that was noted beside them, without ids and times, so that they can
be compared with those of another way or of another database."""

import json
import re
from collections import Counter
from typing import Any

import sqlalchemy as sa

from services.store.schema import (
    accounts,
    attempts,
    audit,
    holds,
    jobs,
    orders,
    payments,
    payouts,
    refund_attempts,
    refunds,
    transfers,
    withdrawals,
)
from services.work import Work

_STATES = (
    orders.c.status,
    payments.c.status,
    attempts.c.state,
    withdrawals.c.status,
    payouts.c.state,
    refunds.c.status,
    refund_attempts.c.state,
    holds.c.state,
    jobs.c.kind,
)
_NAMES = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64}|(?<=")[0-9A-Z]{6,10}(?=")')


async def books_of(work: Work) -> dict[str, Any]:
    """Balances by account; and how often there is each move, each line of the audit, and each state."""

    async def rows(query: sa.Select[Any]) -> list[Any]:
        return list((await work.connection.execute(query)).all())

    source, target = accounts.alias(), accounts.alias()
    moves = (
        sa.select(source.c.name, target.c.name, transfers.c.amount, transfers.c.reason)
        .join(source, source.c.id == transfers.c.source_id)
        .join(target, target.c.id == transfers.c.target_id)
        .where(transfers.c.tenant_id == work.tenant)
    )
    kept = sa.select(accounts.c.name, accounts.c.posted, accounts.c.held)
    said = sa.select(audit.c.action, audit.c.alert, audit.c.facts).where(audit.c.tenant_id == work.tenant)
    found: dict[str, Any] = {
        # An account that was only locked is none.
        "balances": {
            row.name: (row.posted, row.held)
            for row in await rows(kept.where(accounts.c.tenant_id == work.tenant))
            if row.posted or row.held
        },
        "moves": Counter(map(tuple, await rows(moves))),
        "audit": Counter((row.action, row.alert, _nameless(row.facts)) for row in await rows(said)),
    }
    for column in _STATES:
        states = await rows(sa.select(column).where(column.table.c.tenant_id == work.tenant))
        found[f"{column.table.name}.{column.name}"] = Counter(row[0] for row in states)
    return found


def _nameless(facts: Any) -> str:
    """Ids, digests and the numbers of orders are new each time."""
    return _NAMES.sub("*", json.dumps(facts, sort_keys=True, default=str))
