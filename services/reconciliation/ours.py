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
from services.reconciliation.facts import Item
from services.reconciliation.reach import Span, rows_where
from services.store.schema import (
    accounts,
    attempts,
    orders,
    payments,
    payouts,
    refund_attempts,
    refunds,
    reversals,
    transfers,
    withdrawals,
)

_MAY_TAKE = timedelta(days=1)  # of what came to nothing, as far as we know
_COSTS = ("cost", "cost_more", "cost_less")


def _same(one: Any, other: Any, column: str, other_column: str = "id") -> sa.ColumnElement[bool]:
    return sa.and_(one.c.tenant_id == other.c.tenant_id, one.c[column] == other.c[other_column])


_PAID = (
    sa.select(
        attempts.c.id,
        attempts.c.id.label("cause"),
        sa.literal(Kind.PAID.value).label("kind"),
        payments.c.amount,
        payments.c.currency,
        attempts.c.created_at.label("since"),
        attempts.c.resolved_at.label("until"),
        attempts.c.receipt,
        orders.c.number.label("name"),
        sa.null().label("other_name"),
        orders.c.number.label("label"),
        attempts.c.label.label("party"),
        (attempts.c.state == "succeeded").label("done"),
        attempts.c.tenant_id,
        attempts.c.provider,
    )
    .join(payments, _same(attempts, payments, "payment_id"))
    .join(orders, _same(payments, orders, "order_id"))
)
_PAID_OUT = sa.select(
    payouts.c.id,
    withdrawals.c.id.label("cause"),
    sa.literal(Kind.SENT.value).label("kind"),
    withdrawals.c.net.label("amount"),
    withdrawals.c.currency,
    payouts.c.created_at.label("since"),
    payouts.c.resolved_at.label("until"),
    payouts.c.receipt,
    payouts.c.reference.label("name"),
    sa.null().label("other_name"),
    sa.null().label("label"),
    withdrawals.c.destination.label("party"),
    (payouts.c.state == "succeeded").label("done"),
    payouts.c.tenant_id,
    payouts.c.provider,
).join(withdrawals, _same(payouts, withdrawals, "withdrawal_id"))
_GIVEN_BACK = (
    sa.select(
        refund_attempts.c.id,
        refunds.c.id.label("cause"),
        sa.case((refunds.c.way == "payout", Kind.SENT.value), else_=Kind.BACK.value).label("kind"),
        refunds.c.amount,
        refunds.c.currency,
        refund_attempts.c.created_at.label("since"),
        refund_attempts.c.resolved_at.label("until"),
        refund_attempts.c.receipt,
        refund_attempts.c.reference.label("name"),
        sa.case((refunds.c.way == "reversal", attempts.c.receipt)).label("other_name"),
        orders.c.number.label("label"),
        attempts.c.label.label("party"),
        (refund_attempts.c.state == "succeeded").label("done"),
        refund_attempts.c.tenant_id,
        refund_attempts.c.provider,
    )
    .join(refunds, _same(refund_attempts, refunds, "refund_id"))
    .join(attempts, _same(refunds, attempts, "attempt_id"))
    .join(payments, _same(refunds, payments, "payment_id"))
    .join(orders, _same(payments, orders, "order_id"))
)
_TAKEN_BACK = (
    sa.select(
        reversals.c.id,
        reversals.c.id.label("cause"),
        sa.literal(Kind.BACK.value).label("kind"),
        reversals.c.amount,
        reversals.c.currency,
        attempts.c.resolved_at.label("since"),
        reversals.c.created_at.label("until"),
        sa.null().label("receipt"),
        reversals.c.reference.label("name"),
        attempts.c.receipt.label("other_name"),
        orders.c.number.label("label"),
        attempts.c.label.label("party"),
        sa.true().label("done"),
        reversals.c.tenant_id,
        reversals.c.provider,
    )
    .join(attempts, _same(reversals, attempts, "attempt_id"))
    .join(payments, _same(attempts, payments, "payment_id"))
    .join(orders, _same(payments, orders, "order_id"))
)
# By what each is found: its id, when it began and ended, its receipt, and its names.
_SOURCES: tuple[tuple[sa.Select[Any], dict[str, Any]], ...] = (
    (
        _PAID,
        {
            "id": attempts.c.id,
            "since": attempts.c.created_at,
            "until": attempts.c.resolved_at,
            "receipt": attempts.c.receipt,
            "name": orders.c.number,
        },
    ),
    (
        _PAID_OUT,
        {
            "id": payouts.c.id,
            "since": payouts.c.created_at,
            "until": payouts.c.resolved_at,
            "receipt": payouts.c.receipt,
        },
    ),
    (
        _GIVEN_BACK,
        {
            "id": refund_attempts.c.id,
            "since": refund_attempts.c.created_at,
            "until": refund_attempts.c.resolved_at,
            "receipt": refund_attempts.c.receipt,
            "name": attempts.c.receipt,
        },
    ),
    (
        _TAKEN_BACK,
        {
            "id": reversals.c.id,
            "since": reversals.c.created_at,
            "until": reversals.c.created_at,
            "receipt": reversals.c.reference,
            "name": attempts.c.receipt,
        },
    ),
)


class Items:
    """Looks ours of one tenant and provider up."""

    def __init__(self, connection: AsyncConnection, tenant: UUID, provider: str) -> None:
        self._connection, self._tenant, self._provider = connection, tenant, provider

    async def of(self, span: Span) -> list[Item]:
        """What was under way in that time; what came to nothing counts for a day."""
        rows: list[sa.Row[Any]] = []
        for query, by in _SOURCES:
            ended = sa.func.coalesce(by["until"], by["since"])
            rows += (
                await self._connection.execute(
                    self._mine(query).where(by["since"] < span.until, ended >= span.since - _MAY_TAKE)
                )
            ).all()
        return [*await self._items(rows), *await self._of_ledger(span, {row.cause for row in rows})]

    async def called(self, ids: Iterable[UUID]) -> list[Item]:
        return await self._found("id", ids)

    async def about(self, receipts: Iterable[str], names: Iterable[str]) -> list[Item]:
        """Those with these receipts, ids, or names."""
        names = set(names)
        ids = [found for name in names if (found := _id(name)) is not None]
        items = [
            *await self._found("receipt", receipts),
            *await self._found("name", names),
            *await self._found("id", ids),
        ]
        return list({item.id: item for item in items}.values())

    def _mine(self, query: sa.Select[Any]) -> sa.Select[Any]:
        columns = query.selected_columns
        return query.where(columns.tenant_id == self._tenant, columns.provider == self._provider)

    async def _found(self, what: str, values: Iterable[Any]) -> list[Item]:
        values, rows = set(values), list[sa.Row[Any]]()
        for query, by in _SOURCES:
            if what in by and values:
                rows += await rows_where(self._connection, self._mine(query), by[what], values)
        return await self._items(rows)

    async def _items(self, rows: Iterable[sa.Row[Any]]) -> list[Item]:
        rows = list(rows)
        moved = await self._moved(row.cause for row in rows)
        return [_item(row, *moved.get(row.cause, (None, None))) for row in rows]

    async def _moved(self, causes: Iterable[UUID]) -> dict[UUID, tuple[Money | None, Money | None]]:
        """By cause, what moved with the provider, and what of it is its own charge."""
        sums: dict[UUID, list[Money | None]] = {}
        query = self._legs(transfers.c.cause_id, transfers.c.reason, transfers.c.amount, transfers.c.currency)
        for row in await rows_where(self._connection, query, transfers.c.cause_id, causes):
            booked = sums.setdefault(row.cause_id, [None, None])
            which = 1 if row.reason in _COSTS else 0
            amount = Money(-row.amount if row.reason == "cost_less" else row.amount, row.currency)
            before = booked[which]
            booked[which] = amount if before is None else before + amount
        return {cause: (moved, cost) for cause, (moved, cost) in sums.items()}

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

    async def _of_ledger(self, span: Span, known: set[UUID]) -> list[Item]:
        """What the ledger moved with the provider and no row has asked for."""
        held = provider_account(self._provider)
        source = accounts.alias("source")
        query = (
            self._legs(transfers, source.c.name.label("source"))
            .join(source, _same(transfers, source, "source_id"))
            .where(
                transfers.c.created_at >= span.since,
                transfers.c.created_at < span.until,
                transfers.c.reason.not_in(_COSTS),
                source.c.name != costs_account(self._provider),
            )
        )
        rows = await self._connection.execute(query)
        return [
            Item(
                row.id,
                Kind.PAID if row.source == held else Kind.SENT,
                Money(row.amount, row.currency),
                Money(row.amount, row.currency),
                row.created_at,
                row.created_at,
                label=row.reason,
            )
            for row in rows
            if row.cause_id not in known
        ]


def _item(row: Any, moved: Money | None, cost: Money | None) -> Item:
    asked = Money(row.amount, row.currency)
    until = row.until or row.since + _MAY_TAKE
    names = {row.name, row.other_name, str(row.id)} - {None}
    one = Item(
        row.id,
        Kind(row.kind),
        asked,
        moved if row.done else None,
        min(row.since or until, until),
        until if row.done else max(until, row.since + _MAY_TAKE),
        receipt=row.receipt,
        names=frozenset(names),
        label=row.label or row.id.hex[-6:].upper(),
        party=row.party,
        fee=cost if row.done else None,
    )
    return replace(one, names=one.names - {one.receipt})


def _id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
