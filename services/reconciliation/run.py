"""Run: both sides of a provider read as they are at one moment, compared, and what was found kept.

`found` only reads, and reads much; `keep` writes, and is short. Between them others go on: what has changed
meanwhile the next run sees.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.money import Money
from services.providers.listing import Kind, Line
from services.reconciliation import theirs
from services.reconciliation.compare import compare
from services.reconciliation.facts import Break, Item
from services.reconciliation.ours import Items
from services.reconciliation.reach import Span
from services.store.schema import breaks


@dataclass(frozen=True)
class Sum:
    """Of one kind in one currency: how many, and how much."""

    kind: Kind
    currency: str
    count: int
    total: Money


@dataclass(frozen=True)
class Found:
    """What a run has found; `asked` are the breaks that were open when it looked. `lines` and `booked` sum up
    the period itself."""

    breaks: tuple[Break, ...]
    asked: frozenset[str]
    lines: tuple[Sum, ...]
    booked: tuple[Sum, ...]


async def found(connection: AsyncConnection, tenant: UUID, provider: str, span: Span, now: datetime) -> Found:
    """In one snapshot. What is open is looked at again, however old it is."""
    items, lines = Items(connection, tenant, provider), theirs.Lines(connection, tenant, provider)
    query = sa.select(breaks.c.subject, breaks.c.item_id, breaks.c.line_key).where(
        breaks.c.tenant_id == tenant, breaks.c.provider == provider, breaks.c.state == "open"
    )
    opened = (await connection.execute(query)).all()
    in_span, mine_in_span = await lines.of(span), await items.of(span)
    told = _by_key(in_span, await lines.called(row.line_key for row in opened if row.line_key))
    mine = _by_id(mine_in_span, await items.called(row.item_id for row in opened if row.item_id))
    # Whatever those may belong to, and what else may belong to that.
    wanted_items = await items.about(_receipts(told.values()), _names(told.values()))
    all_items = _by_id(list(mine.values()), wanted_items)
    receipts = {item.receipt for item in all_items.values() if item.receipt} | set(_receipts(told.values()))
    names = {name for item in all_items.values() for name in item.names}
    all_lines = _by_key(list(told.values()), await lines.about(receipts, names))
    covered = await theirs.coverage(connection, tenant, provider)
    all_breaks = compare(all_items.values(), all_lines.values(), covered, now)
    return Found(
        tuple(each for each in all_breaks if _in(each, mine, told)),
        frozenset(row.subject for row in opened),
        _summed([(line.kind, line.amount) for line in in_span]),
        _summed([(item.kind, item.booked) for item in mine_in_span if item.booked and span.has(item.until)]),
    )


def _in(each: Break, items: dict[UUID, Item], lines: dict[str, Line]) -> bool:
    """Whether it is about something that was looked at for itself."""
    return each.line in lines if each.line else each.item in items


def _receipts(lines: Iterable[Line]) -> set[str]:
    return {name for line in lines for name in (line.receipt, line.of) if name}


def _names(lines: Iterable[Line]) -> set[str]:
    return {name for line in lines for name in line.names}


def _by_key(*lists: list[Line]) -> dict[str, Line]:
    return {line.key: line for listed in lists for line in listed}


def _by_id(*lists: list[Item]) -> dict[UUID, Item]:
    return {item.id: item for listed in lists for item in listed}


def _summed(moved: list[tuple[Kind, Money]]) -> tuple[Sum, ...]:
    sums: dict[tuple[Kind, str], list[int]] = {}
    for kind, amount in moved:
        count = sums.setdefault((kind, amount.currency), [0, 0])
        count[0] += 1
        count[1] += amount.minor
    return tuple(
        Sum(kind, currency, count, Money(total, currency))
        for (kind, currency), (count, total) in sorted(sums.items())
    )
