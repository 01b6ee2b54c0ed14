"""Books: the proof that they are right. Read-only, over all tenants; what is wrong is named by its row."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.refunds.books import OF_REFUNDS
from services.store.schema import (
    accounts,
    attempts,
    holds,
    payments,
    payouts,
    refund_attempts,
    transfers,
    withdrawals,
)


@dataclass(frozen=True)
class Breach:
    """A rule that does not hold: in which row (its id, or what names it), what should be and what is."""

    rule: str
    tenant_id: UUID
    row: str
    expected: str
    found: str


async def check(connection: AsyncConnection) -> list[Breach]:
    """Empty when all is right; else every breach, in the order of the rules below."""
    return [
        Breach(rule, row[0], str(row[1]), str(row[2]), str(row[3]))
        for rule, query in _RULES.items()
        for row in await connection.execute(query)
    ]


_ZERO = sa.literal(0, sa.BigInteger)


def _whole(sums: Any) -> Any:
    """PostgreSQL sums bigints as numerics."""
    return sa.cast(sa.func.coalesce(sums, 0), sa.BigInteger)


def _sum_is_zero() -> sa.Select[Any]:
    total = _whole(sa.func.sum(accounts.c.posted))
    return (
        sa.select(accounts.c.tenant_id, accounts.c.currency, _ZERO, total)
        .group_by(accounts.c.tenant_id, accounts.c.currency)
        .having(total != 0)
    )


def _balance_is_sum_of_entries() -> sa.Select[Any]:
    legs = sa.union_all(
        sa.select(transfers.c.tenant_id, transfers.c.target_id.label("account"), transfers.c.amount),
        sa.select(transfers.c.tenant_id, transfers.c.source_id, -transfers.c.amount),
    ).subquery()
    entries = (
        sa.select(legs.c.tenant_id, legs.c.account, _whole(sa.func.sum(legs.c.amount)).label("total"))
        .group_by(legs.c.tenant_id, legs.c.account)
        .subquery()
    )
    total = sa.func.coalesce(entries.c.total, 0)
    return (
        sa.select(accounts.c.tenant_id, accounts.c.id, total, accounts.c.posted)
        .outerjoin(
            entries, sa.and_(entries.c.tenant_id == accounts.c.tenant_id, entries.c.account == accounts.c.id)
        )
        .where(accounts.c.posted != total)
    )


def _held_is_sum_of_open_holds() -> sa.Select[Any]:
    opened = (
        sa.select(holds.c.tenant_id, holds.c.account_id, _whole(sa.func.sum(holds.c.amount)).label("total"))
        .where(holds.c.state == "open")
        .group_by(holds.c.tenant_id, holds.c.account_id)
        .subquery()
    )
    total = sa.func.coalesce(opened.c.total, 0)
    return (
        sa.select(accounts.c.tenant_id, accounts.c.id, total, accounts.c.held)
        .outerjoin(
            opened, sa.and_(opened.c.tenant_id == accounts.c.tenant_id, opened.c.account_id == accounts.c.id)
        )
        .where(accounts.c.held != total)
    )


def _available_is_not_negative() -> sa.Select[Any]:
    available = accounts.c.posted - accounts.c.held
    return sa.select(accounts.c.tenant_id, accounts.c.id, _ZERO, available).where(
        accounts.c.limited, available < 0
    )


def _transfer_is_unique() -> sa.Select[Any]:
    key = (transfers.c.tenant_id, transfers.c.cause_id, transfers.c.reason)
    count = sa.func.count()
    return sa.select(key[0], key[1], sa.literal(1), count).group_by(*key).having(count > 1)


def _transfer_has_its_accounts_currency() -> sa.Select[Any]:
    return (
        sa.select(transfers.c.tenant_id, transfers.c.id, accounts.c.currency, transfers.c.currency)
        .join(
            accounts,
            sa.and_(
                accounts.c.tenant_id == transfers.c.tenant_id,
                accounts.c.id.in_([transfers.c.source_id, transfers.c.target_id]),
            ),
        )
        .where(accounts.c.currency != transfers.c.currency)
    )


def _receipt_is_applied_once(table: sa.Table) -> sa.Select[Any]:
    key = (table.c.tenant_id, table.c.receipt, table.c.provider)
    count = sa.func.count()
    return (
        sa.select(key[0], key[1], sa.literal(1), count)
        .where(table.c.receipt.is_not(None), table.c.state == "succeeded")
        .group_by(*key)
        .having(count > 1)
    )


def _success_is_posted_once() -> sa.Select[Any]:
    """Each succeeded attempt moved its payment's amount once, into the wallet or into suspense."""
    moved = _whole(sa.func.sum(transfers.c.amount))
    owed = sa.case((attempts.c.state == "succeeded", payments.c.amount), else_=0)
    return (
        sa.select(attempts.c.tenant_id, attempts.c.id, owed, moved)
        .join(
            payments,
            sa.and_(payments.c.tenant_id == attempts.c.tenant_id, payments.c.id == attempts.c.payment_id),
        )
        .outerjoin(
            transfers,
            sa.and_(
                transfers.c.tenant_id == attempts.c.tenant_id,
                transfers.c.cause_id == attempts.c.id,
                transfers.c.reason.in_(["sale", "suspense"]),
            ),
        )
        .group_by(attempts.c.tenant_id, attempts.c.id, attempts.c.state, payments.c.amount)
        .having(moved != owed)
    )


def _hold_follows_its_withdrawal() -> sa.Select[Any]:
    expected = sa.case(
        (withdrawals.c.status.in_(["pending", "processing"]), "open"),
        (withdrawals.c.status == "completed", "posted"),
        (withdrawals.c.status == "expired", "expired"),
        else_="voided",
    )
    found = sa.func.coalesce(holds.c.state, "none")
    return (
        sa.select(withdrawals.c.tenant_id, withdrawals.c.id, expected, found)
        .outerjoin(
            holds, sa.and_(holds.c.tenant_id == withdrawals.c.tenant_id, holds.c.id == withdrawals.c.id)
        )
        .where(expected != found)
    )


_RULES: dict[str, sa.Select[Any]] = {
    "the posted balances of a tenant and currency sum to zero": _sum_is_zero(),
    "a balance is the sum of its entries": _balance_is_sum_of_entries(),
    "held is the sum of the open holds": _held_is_sum_of_open_holds(),
    "the available balance is not negative": _available_is_not_negative(),
    "a transfer is unique by cause and reason": _transfer_is_unique(),
    "a transfer is in the currency of its accounts": _transfer_has_its_accounts_currency(),
    "a receipt of a payment is applied once": _receipt_is_applied_once(attempts),
    "a receipt of a payout is applied once": _receipt_is_applied_once(payouts),
    "a succeeded attempt is posted once, in full": _success_is_posted_once(),
    "a hold is open while its withdrawal is": _hold_follows_its_withdrawal(),
    "a receipt of a refund is applied once": _receipt_is_applied_once(refund_attempts),
    **OF_REFUNDS,
}
