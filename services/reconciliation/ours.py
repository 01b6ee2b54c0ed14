"""Ours: what a line of a provider may be, out of the rows that asked for it and the ledger that moved it.

The ledger says how much: an item is booked by what its transfers moved with the provider, whatever its row
says. What moved there and belongs to no row at all is an item too, so that it is missed at the provider.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ledger import costs_account, provider_account
from services.money import Money
from services.providers.listing import Kind
from services.reconciliation.asked import SOURCES, same
from services.reconciliation.facts import Item
from services.reconciliation.reach import Span, rows_where
from services.store.schema import accounts, transfers

_MAY_TAKE = timedelta(days=1)  # of what came to nothing, as far as we know
_COSTS = ("cost", "cost_more", "cost_less")
# By which reasons each kind is booked: one cause may have moved there and back.
_REASONS = {
    Kind.PAID: ("sale", "suspense"),
    Kind.SENT: ("payout", "refund", "payout_late", "payout_late_owed", "reversal", "reversal_owed"),
    Kind.RETURNED: ("payout_returned", "refund_returned"),
    Kind.BACK: ("refund", "reversal", "reversal_owed"),
}


class Items:
    """Looks ours of one tenant and provider up."""

    def __init__(self, connection: AsyncConnection, tenant: UUID, provider: str) -> None:
        self._connection, self._tenant, self._provider = connection, tenant, provider

    async def of(self, span: Span) -> list[Item]:
        """What was under way in that time; what came to nothing counts for a day."""
        rows: list[sa.Row[Any]] = []
        for query, by in SOURCES:
            ended = sa.func.coalesce(by["until"], by["since"])
            rows += (
                await self._connection.execute(
                    self._mine(query).where(by["since"] < span.until, ended >= span.since - _MAY_TAKE)
                )
            ).all()
        when = (transfers.c.created_at >= span.since, transfers.c.created_at < span.until)
        moved = (await self._connection.execute(self._movements().where(*when))).all()
        known = {row.cause for row in rows} | {getattr(row, "before", row.cause) for row in rows}
        return [*await self._items(rows), *(_unasked(row) for row in moved if row.cause_id not in known)]

    async def called(self, ids: Iterable[UUID]) -> list[Item]:
        """The items of these ids. A movement that no row had asked for when it was found stays one: what was
        asked for later would be another posting."""
        ids, rows = set(ids), list[sa.Row[Any]]()
        for query, _ in SOURCES:
            rows += await rows_where(self._connection, self._mine(query), query.selected_columns.id, ids)
        moved = await rows_where(self._connection, self._movements(), transfers.c.id, ids)
        return [*await self._items(rows), *map(_unasked, moved)]

    async def about(self, receipts: Iterable[str], names: Iterable[str]) -> list[Item]:
        """Those with these receipts, ids, or names."""
        names = set(names)
        ids = [found for name in names if (found := _id(name)) is not None]
        items = [
            *await self._found("receipt", receipts),
            *await self._found("name", names),
            *await self._found("id", ids),
            *await self._found("given_back", ids),
        ]
        return list({item.id: item for item in items}.values())

    def _mine(self, query: sa.Select[Any]) -> sa.Select[Any]:
        columns = query.selected_columns
        return query.where(columns.tenant_id == self._tenant, columns.provider == self._provider)

    async def _found(self, what: str, values: Iterable[Any]) -> list[Item]:
        values, rows = set(values), list[sa.Row[Any]]()
        for query, by in SOURCES:
            if what in by and values:
                rows += await rows_where(self._connection, self._mine(query), by[what], values)
        return await self._items(rows)

    async def _items(self, rows: Iterable[sa.Row[Any]]) -> list[Item]:
        rows = list(rows)
        moved = await self._moved(row.cause for row in rows)
        return [_item(row, moved.get(row.cause, {})) for row in rows]

    async def _moved(self, causes: Iterable[UUID]) -> dict[UUID, dict[str, Money]]:
        """By cause and reason, what moved with the provider."""
        sums: dict[UUID, dict[str, Money]] = {}
        query = self._legs(transfers.c.cause_id, transfers.c.reason, transfers.c.amount, transfers.c.currency)
        for row in await rows_where(self._connection, query, transfers.c.cause_id, causes):
            amount = Money(-row.amount if row.reason == "cost_less" else row.amount, row.currency)
            of_cause = sums.setdefault(row.cause_id, {})
            of_cause[row.reason] = of_cause.get(row.reason, Money(0, row.currency)) + amount
        return sums

    def _legs(self, *columns: Any) -> sa.Select[Any]:
        """Transfers to and from what the provider holds."""
        held = accounts.alias("held")
        name = provider_account(self._provider)
        return (
            sa.select(*columns)
            .join(
                held,
                sa.and_(
                    held.c.tenant_id == transfers.c.tenant_id,
                    held.c.name == name,
                    held.c.id.in_([transfers.c.source_id, transfers.c.target_id]),
                ),
            )
            .where(transfers.c.tenant_id == self._tenant)
        )

    def _movements(self) -> sa.Select[Any]:
        """What the ledger moved with the provider, but for its charges."""
        held = provider_account(self._provider)
        source = accounts.alias("source")
        return (
            self._legs(transfers, (source.c.name == held).label("came_in"))
            .join(source, same(transfers, source, "source_id"))
            .where(transfers.c.reason.not_in(_COSTS), source.c.name != costs_account(self._provider))
        )


def _unasked(row: Any) -> Item:
    """What the ledger moved with the provider and no row has asked for."""
    amount = Money(row.amount, row.currency)
    kind = Kind.PAID if row.came_in else Kind.SENT
    return Item(row.id, kind, amount, amount, row.created_at, row.created_at, label=row.reason)


def _sum(moved: dict[str, Money], reasons: Iterable[str]) -> Money | None:
    found = [moved[reason] for reason in reasons if reason in moved]
    return sum(found[1:], found[0]) if found else None


def _item(row: Any, moved: dict[str, Money]) -> Item:
    kind, asked = Kind(row.kind), Money(row.amount, row.currency)
    until = row.until or row.since + _MAY_TAKE
    called = (row.name, row.other_name, row.id, getattr(row, "given_back", None))
    names = {str(name) for name in called if name is not None}
    one = Item(
        row.id,
        kind,
        asked,
        _sum(moved, _REASONS[kind]) if row.done else None,
        min(row.since or until, until),
        until if row.done else max(until, row.since + _MAY_TAKE),
        receipt=row.receipt,
        names=frozenset(names),
        label=row.label or row.id.hex[-6:].upper(),
        party=row.party,
        fee=_sum(moved, _COSTS) if row.done and kind != Kind.RETURNED else None,
    )
    return replace(one, names=one.names - {one.receipt})


def _id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
