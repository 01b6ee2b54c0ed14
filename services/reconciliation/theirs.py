"""Theirs: the provider's lines and what they cover, as they were read; the same again adds nothing."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services import audit
from services.ids import new_id
from services.money import Money
from services.providers.listing import Covered, Kind, Line, Listed
from services.reconciliation.coverage import Coverage
from services.reconciliation.reach import Span, rows_where
from services.store.schema import statement_coverages as coverages
from services.store.schema import statement_lines as lines
from services.work import Work

_AT_ONCE = 500


async def read_in(work: Work, actor: UUID | str, provider: str, listed: Listed) -> tuple[Span, int]:
    """Keep a file that somebody has exported: its period, and how many of its lines are new. The audit has
    who did it: what a file says explains what was missing."""
    new = await take(work, provider, listed.lines, "file")
    await cover(work, provider, listed.covered, "file")
    since, until = min(each.since for each in listed.covered), max(each.until for each in listed.covered)
    facts = {
        "provider": provider,
        "from": since.isoformat(),
        "to": until.isoformat(),
        "lines": str(len(listed.lines)),
        "new_lines": str(new),
    }
    await audit.record(work, actor, "statement.read", work.tenant, facts)
    return Span(since, until), new


async def take(work: Work, provider: str, told: Iterable[Line], source: str) -> int:
    """Keep lines; how many of them are new. What was read first stays."""
    rows = list({line.key: _row(work, provider, line, source) for line in told}.values())
    new = 0
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        statement = work.insert(lines).values(part).on_conflict_do_nothing().returning(lines.c.key)
        new += len((await work.connection.execute(statement)).all())
    return new


async def cover(work: Work, provider: str, covered: Iterable[Covered], source: str) -> None:
    """All lines of these periods have been taken."""
    rows = [
        {
            "tenant_id": work.tenant,
            "id": new_id(),
            "provider": provider,
            "kind": each.kind,
            "since": each.since,
            "until": each.until,
            "source": source,
            "read_at": work.now,
        }
        for each in covered
    ]
    if rows:
        await work.connection.execute(work.insert(coverages).values(rows).on_conflict_do_nothing())


async def coverage(connection: AsyncConnection, tenant: Any, provider: str) -> Coverage:
    query = sa.select(coverages).where(coverages.c.tenant_id == tenant, coverages.c.provider == provider)
    rows = await connection.execute(query)
    return Coverage(Covered(Kind(row.kind), row.since, row.until) for row in rows)


class Lines:
    """Looks lines of one tenant and provider up."""

    def __init__(self, connection: AsyncConnection, tenant: Any, provider: str) -> None:
        self._connection = connection
        self._query = sa.select(lines).where(lines.c.tenant_id == tenant, lines.c.provider == provider)

    async def of(self, span: Span) -> list[Line]:
        query = self._query.where(lines.c.at >= span.since, lines.c.at < span.until)
        return [_line(row) for row in await self._connection.execute(query)]

    async def called(self, keys: Iterable[str]) -> list[Line]:
        return await self._where(lines.c.key, keys)

    async def about(self, receipts: Iterable[str], names: Iterable[str]) -> list[Line]:
        """Those with these receipts, of them, or that call ours by these names."""
        receipts, names = set(receipts), set(names)
        found = [
            *await self._where(lines.c.receipt, receipts),
            *await self._where(lines.c.reference, names),
            *await self._where(lines.c.of, receipts | names),
        ]
        return list({line.key: line for line in found}.values())

    async def _where(self, column: sa.ColumnElement[Any], values: Iterable[str]) -> list[Line]:
        return [_line(row) for row in await rows_where(self._connection, self._query, column, values)]


def _row(work: Work, provider: str, line: Line, source: str) -> dict[str, Any]:
    return {
        "tenant_id": work.tenant,
        "provider": provider,
        "key": line.key,
        "kind": line.kind,
        "amount": line.amount.minor,
        "currency": line.amount.currency,
        "at": line.at,
        "receipt": line.receipt,
        "reference": line.reference,
        "of": line.of,
        "fee": None if line.fee is None else line.fee.minor,
        "party": line.party,
        "source": source,
        "read_at": work.now,
    }


def _line(row: Any) -> Line:
    return Line(
        row.key,
        Kind(row.kind),
        Money(row.amount, row.currency),
        row.at,
        receipt=row.receipt,
        reference=row.reference,
        of=row.of,
        fee=None if row.fee is None else Money(row.fee, row.currency),
        party=row.party,
    )
