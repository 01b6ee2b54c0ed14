"""Watch: what a check has found, kept, told and acted on. The same breach is told once.

A breach freezes its tenant's payouts. It ends when an operator lets them go on (`accept`), which the command
line does only while a full check of the tenant finds nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from services import audit
from services.books.breach import Breach
from services.books.entries import Proof
from services.ids import new_id
from services.reasons import Frozen
from services.store.schema import NOBODY, account_proofs, book_checks, breaches, jobs
from services.withdrawals.freeze import freeze_all
from services.work import Work

MINUTE, NIGHT = "books_minute", "books_night"
AUDIT = "audit"  # the check of its chains, made with that of the night
EVERY = timedelta(seconds=60)
# Looked at again each time: what was dated before the last snapshot and committed after it. Balances need no
# such margin (see entries.py), it only spares them a search.
MARGIN = timedelta(minutes=2)
_SHOWN = 20  # breaches that are put into the record one by one; a wrong rule may break in every row


async def begin(connection: AsyncConnection, now: datetime) -> None:
    """Both checks are due: once for the whole installation, whoever starts first."""
    rows = [
        {"tenant_id": NOBODY, "target_id": NOBODY, "kind": kind, "due_at": now} for kind in (MINUTE, NIGHT)
    ]
    await connection.execute(_insert(connection, jobs).values(rows).on_conflict_do_nothing())


async def due_again(connection: AsyncConnection, kind: str, at: datetime) -> None:
    await connection.execute(
        sa.update(jobs)
        .where(jobs.c.tenant_id == NOBODY, jobs.c.target_id == NOBODY, jobs.c.kind == kind)
        .values(due_at=at, leased_until=None, error=None)
    )


async def last_snapshot(connection: AsyncConnection, kind: str) -> datetime | None:
    found: datetime | None = await connection.scalar(
        sa.select(book_checks.c.snapshot_at).where(book_checks.c.kind == kind)
    )
    return found


async def keep(
    connection: AsyncConnection,
    kind: str,
    *,
    snapshot_at: datetime,
    ended_at: datetime,
    proofs: Sequence[Proof] = (),
    found: int,
) -> None:
    """What is proven, and how far the check has seen."""
    if proofs:
        rows = [asdict(proof) | {"proven_at": snapshot_at} for proof in proofs]
        await connection.execute(_upsert(connection, account_proofs, "tenant_id", "account_id"), rows)
    row = {
        "kind": kind,
        "snapshot_at": snapshot_at,
        "ended_at": ended_at,
        "accounts": len(proofs),
        "found": found,
    }
    await connection.execute(_upsert(connection, book_checks, "kind"), [row])


async def tell(work: Work, found: Iterable[Breach]) -> list[Breach]:
    """Of one tenant. Each that is new is an alert; payouts stop, which is told to those who reconcile."""
    new = [breach for breach in found if await _is_new(work, breach)]
    if not new:
        return []
    for breach in new[:_SHOWN]:
        facts = {"rule": breach.rule, "row": breach.row, "expected": breach.expected, "found": breach.found}
        await audit.record(work, audit.CLOCK, "books.breach", work.tenant, facts, alert=True)
    if len(new) > _SHOWN:
        facts = {"more": str(len(new) - _SHOWN), "to_do": "python main.py ledger check"}
        await audit.record(work, audit.CLOCK, "books.breach", work.tenant, facts, alert=True)
    await freeze_all(work, Frozen.BOOKS)
    return new


async def open_breaches(work: Work) -> list[Breach]:
    query = sa.select(breaches).where(*_open(work))
    rows = await work.connection.execute(query.order_by(breaches.c.found_at, breaches.c.id))
    return [Breach(row.rule, row.tenant_id, row.row, row.expected, row.found) for row in rows]


async def accept(work: Work, broken: Sequence[Breach] = ()) -> None:
    """The books were found right as they are now, but for what is `broken` and cannot be mended, which stays
    known: what was wrong is repaired, and proven from anew."""
    left = {(breach.rule, breach.row, breach.expected, breach.found) for breach in broken}
    for row in await work.connection.execute(sa.select(breaches).where(*_open(work))):
        if (row.rule, row.row, row.expected, row.found) not in left:
            mine = (breaches.c.tenant_id == work.tenant, breaches.c.id == row.id)
            await work.connection.execute(sa.update(breaches).where(*mine).values(repaired_at=work.now))
    await work.connection.execute(sa.delete(account_proofs).where(account_proofs.c.tenant_id == work.tenant))
    for breach in broken:
        await _is_new(work, breach)
        facts = {"rule": breach.rule, "row": breach.row, "expected": breach.expected, "found": breach.found}
        await audit.record(work, audit.OPERATOR, "books.accepted", work.tenant, facts, alert=True)


def _open(work: Work) -> tuple[sa.ColumnElement[bool], ...]:
    return breaches.c.tenant_id == work.tenant, breaches.c.repaired_at.is_(None)


async def _is_new(work: Work, breach: Breach) -> bool:
    row = asdict(breach) | {"id": new_id(), "found_at": work.now}
    statement = work.insert(breaches).values(row).on_conflict_do_nothing().returning(breaches.c.id)
    return (await work.connection.execute(statement)).first() is not None


def by_tenant(found: Iterable[Breach]) -> dict[UUID, list[Breach]]:
    grouped: dict[UUID, list[Breach]] = {}
    for breach in found:
        grouped.setdefault(breach.tenant_id, []).append(breach)
    return grouped


def _insert(connection: AsyncConnection, table: sa.Table) -> Any:
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)


def _upsert(connection: AsyncConnection, table: sa.Table, *key: str) -> Any:
    statement = _insert(connection, table)
    new = {column.name: statement.excluded[column.name] for column in table.c if column.name not in key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=new)
