"""Rules: what always holds in the books, each as the query for the rows where it does not.

A row says (tenant, what names it, what should be, what is). Within a scope a rule looks at what may have
changed since a moment; without one at everything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.store.schema import accounts, attempts, holds, payments, payouts, transfers, withdrawals

_ZERO = sa.literal(0, sa.BigInteger)
_ONE = sa.literal(1, sa.BigInteger)


@dataclass(frozen=True, slots=True)
class Scope:
    """Of all tenants or one; of all time or since a moment."""

    tenant: UUID | None = None
    since: datetime | None = None

    def of(self, table: Any) -> sa.ColumnElement[bool]:
        return sa.true() if self.tenant is None else table.c.tenant_id == self.tenant

    def recent(self, moment: Any) -> sa.ColumnElement[bool]:
        return sa.true() if self.since is None else moment >= self.since


Rule = Callable[[Scope], sa.Select[Any]]


def whole(sums: Any) -> Any:
    """PostgreSQL sums bigints as numerics."""
    return sa.cast(sa.func.coalesce(sums, 0), sa.BigInteger)


def legs(*where: Callable[[Any], sa.ColumnElement[bool]]) -> sa.Subquery:
    """Each transfer as the two entries that it is: (tenant_id, account, number, amount)."""
    sides = [
        sa.select(
            transfers.c.tenant_id,
            account.label("account"),
            number.label("number"),
            (transfers.c.amount if gives else -transfers.c.amount).label("amount"),
        ).where(*(condition(transfers) for condition in where))
        for account, number, gives in (
            (transfers.c.target_id, transfers.c.target_entry, True),
            (transfers.c.source_id, transfers.c.source_entry, False),
        )
    ]
    return sa.union_all(*sides).subquery("legs")


# --- accounts: looked at as a whole every time, since they are few ----------------------------------


def _sum_is_zero(scope: Scope) -> sa.Select[Any]:
    total = whole(sa.func.sum(accounts.c.posted))
    return (
        sa.select(accounts.c.tenant_id, accounts.c.currency, _ZERO, total)
        .where(scope.of(accounts))
        .group_by(accounts.c.tenant_id, accounts.c.currency)
        .having(total != 0)
    )


def _held_is_sum_of_open_holds(scope: Scope) -> sa.Select[Any]:
    opened = (
        sa.select(holds.c.tenant_id, holds.c.account_id, whole(sa.func.sum(holds.c.amount)).label("total"))
        .where(_is_open(holds), scope.of(holds))
        .group_by(holds.c.tenant_id, holds.c.account_id)
        .subquery()
    )
    total = sa.func.coalesce(opened.c.total, 0)
    return (
        sa.select(accounts.c.tenant_id, accounts.c.id, total, accounts.c.held)
        .outerjoin(
            opened, sa.and_(opened.c.tenant_id == accounts.c.tenant_id, opened.c.account_id == accounts.c.id)
        )
        .where(accounts.c.held != total, scope.of(accounts))
    )


def _available_is_not_negative(scope: Scope) -> sa.Select[Any]:
    available = accounts.c.posted - accounts.c.held
    return sa.select(accounts.c.tenant_id, accounts.c.id, _ZERO, available).where(
        accounts.c.limited, available < 0, scope.of(accounts)
    )


def _owed_is_paid_first(scope: Scope) -> sa.Select[Any]:
    """Nothing is available in a wallet while something is owed."""
    owes, wallet = accounts.alias("owes"), accounts.alias("wallet")
    available = wallet.c.posted - wallet.c.held
    return (
        sa.select(owes.c.tenant_id, owes.c.id, _ZERO, available)
        .join(
            wallet,
            sa.and_(
                wallet.c.tenant_id == owes.c.tenant_id,
                wallet.c.currency == owes.c.currency,
                wallet.c.name == "wallet",
            ),
        )
        .where(
            owes.c.name == "owed",
            sa.or_(owes.c.posted > 0, sa.and_(owes.c.posted < 0, available > 0)),
            scope.of(owes),
        )
    )


# --- entries: in full; since a moment they are added to what was proven, see entries.py ---------------


def _entries(scope: Scope) -> sa.Subquery:
    each = legs(scope.of)
    return (
        sa.select(
            each.c.tenant_id,
            each.c.account,
            whole(sa.func.sum(each.c.amount)).label("total"),
            sa.func.count(sa.distinct(each.c.number)).label("numbers"),
            sa.func.count().label("count"),
            sa.func.max(each.c.number).label("last"),
        )
        .group_by(each.c.tenant_id, each.c.account)
        .subquery("entries")
    )


def _with_entries(entries: sa.Subquery) -> sa.ColumnElement[bool]:
    return sa.and_(entries.c.tenant_id == accounts.c.tenant_id, entries.c.account == accounts.c.id)


def _balance_is_sum_of_entries(scope: Scope) -> sa.Select[Any]:
    entries = _entries(scope)
    total = sa.func.coalesce(entries.c.total, 0)
    return (
        sa.select(accounts.c.tenant_id, accounts.c.id, total, accounts.c.posted)
        .outerjoin(entries, _with_entries(entries))
        .where(accounts.c.posted != total, scope.of(accounts))
    )


def _entries_have_no_gap(scope: Scope) -> sa.Select[Any]:
    entries = _entries(scope)
    counted = sa.case(
        (entries.c.count != accounts.c.entries, entries.c.count),
        (entries.c.last != accounts.c.entries, entries.c.last),
        else_=entries.c.numbers,
    )
    found = sa.func.coalesce(counted, 0)
    return (
        sa.select(accounts.c.tenant_id, accounts.c.id, accounts.c.entries, found)
        .outerjoin(entries, _with_entries(entries))
        .where(accounts.c.entries != found, scope.of(accounts))
    )


# --- transfers ---------------------------------------------------------------------------------------


def _transfer_is_unique(scope: Scope) -> sa.Select[Any]:
    key = (transfers.c.tenant_id, transfers.c.cause_id, transfers.c.reason)
    count = sa.func.count()
    query = sa.select(key[0], key[1], _ONE, count).where(scope.of(transfers))
    if scope.since is not None:
        new = transfers.alias()
        latest = sa.select(new.c.tenant_id, new.c.cause_id).where(scope.recent(new.c.created_at))
        query = query.where(sa.tuple_(key[0], key[1]).in_(latest))
    return query.group_by(*key).having(count > 1)


def _transfer_has_its_accounts_currency(scope: Scope) -> sa.Select[Any]:
    return (
        sa.select(transfers.c.tenant_id, transfers.c.id, accounts.c.currency, transfers.c.currency)
        .join(
            accounts,
            sa.and_(
                accounts.c.tenant_id == transfers.c.tenant_id,
                accounts.c.id.in_([transfers.c.source_id, transfers.c.target_id]),
            ),
        )
        .where(
            accounts.c.currency != transfers.c.currency,
            scope.of(transfers),
            scope.recent(transfers.c.created_at),
        )
    )


def _sale_has_its_attempt(scope: Scope) -> sa.Select[Any]:
    found = sa.func.coalesce(attempts.c.state, "none")
    return (
        sa.select(transfers.c.tenant_id, transfers.c.id, sa.literal("succeeded"), found)
        .outerjoin(
            attempts,
            sa.and_(
                attempts.c.tenant_id == transfers.c.tenant_id,
                attempts.c.id == transfers.c.cause_id,
            ),
        )
        .where(
            transfers.c.reason.in_(["sale", "suspense"]),
            found != "succeeded",
            scope.of(transfers),
            scope.recent(transfers.c.created_at),
        )
    )


# --- attempts and payouts against what they moved ----------------------------------------------------


def _receipt_is_applied_once(table: sa.Table) -> Rule:
    def rule(scope: Scope) -> sa.Select[Any]:
        key = (table.c.tenant_id, table.c.receipt, table.c.provider)
        count = sa.func.count()
        query = sa.select(key[0], key[1], _ONE, count).where(
            table.c.receipt.is_not(None), table.c.state == "succeeded", scope.of(table)
        )
        if scope.since is not None:
            new = table.alias()
            latest = sa.select(new.c.tenant_id, new.c.receipt).where(
                scope.recent(new.c.resolved_at), new.c.receipt.is_not(None)
            )
            query = query.where(sa.tuple_(key[0], key[1]).in_(latest))
        return query.group_by(*key).having(count > 1)

    return rule


def _success_is_posted_once(scope: Scope) -> sa.Select[Any]:
    """Each succeeded attempt moved its payment's amount once, into the wallet or into suspense."""
    moved = whole(sa.func.sum(transfers.c.amount))
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
        .where(scope.of(attempts), scope.recent(attempts.c.resolved_at))
        .group_by(attempts.c.tenant_id, attempts.c.id, attempts.c.state, payments.c.amount)
        .having(moved != owed)
    )


def _hold_follows_its_withdrawal(scope: Scope) -> sa.Select[Any]:
    """Since a moment: where one of the two is open, or the hold has ended since."""
    expected = sa.case(
        (withdrawals.c.status.in_(["pending", "processing"]), "open"),
        (withdrawals.c.status == "completed", "posted"),
        (withdrawals.c.status == "expired", "expired"),
        else_="voided",
    )
    found = sa.func.coalesce(holds.c.state, "none")
    query = (
        sa.select(withdrawals.c.tenant_id, withdrawals.c.id, expected, found)
        .outerjoin(
            holds, sa.and_(holds.c.tenant_id == withdrawals.c.tenant_id, holds.c.id == withdrawals.c.id)
        )
        .where(expected != found, scope.of(withdrawals))
    )
    if scope.since is None:
        return query
    ended, opened, going = holds.alias(), holds.alias(), withdrawals.alias()
    looked_at = sa.union(
        sa.select(ended.c.tenant_id, ended.c.id).where(scope.recent(ended.c.resolved_at)),
        sa.select(opened.c.tenant_id, opened.c.id).where(_is_open(opened)),
        sa.select(going.c.tenant_id, going.c.id).where(_goes_on(going)),
    )
    return query.where(sa.tuple_(withdrawals.c.tenant_id, withdrawals.c.id).in_(looked_at))


def _posted_hold_left_in_full(scope: Scope) -> sa.Select[Any]:
    """What a hold kept has left its account when it was posted, and only then."""
    moved = whole(sa.func.sum(transfers.c.amount))
    owed = sa.case((holds.c.state == "posted", holds.c.amount), else_=0)
    return (
        sa.select(holds.c.tenant_id, holds.c.id, owed, moved)
        .outerjoin(
            transfers,
            sa.and_(
                transfers.c.tenant_id == holds.c.tenant_id,
                transfers.c.cause_id == holds.c.id,
                transfers.c.source_id == holds.c.account_id,
                transfers.c.reason != "netted",
            ),
        )
        .where(scope.of(holds), scope.recent(holds.c.resolved_at))
        .group_by(holds.c.tenant_id, holds.c.id, holds.c.state, holds.c.amount)
        .having(moved != owed)
    )


def _completed_withdrawal_has_its_payout(scope: Scope) -> sa.Select[Any]:
    count = sa.func.count(payouts.c.id)
    query = (
        sa.select(withdrawals.c.tenant_id, withdrawals.c.id, _ONE, count)
        .outerjoin(
            payouts,
            sa.and_(
                payouts.c.tenant_id == withdrawals.c.tenant_id,
                payouts.c.withdrawal_id == withdrawals.c.id,
                payouts.c.state == "succeeded",
            ),
        )
        .where(withdrawals.c.status == "completed", scope.of(withdrawals))
        .group_by(withdrawals.c.tenant_id, withdrawals.c.id)
        .having(count != 1)
    )
    if scope.since is None:
        return query
    ended = holds.alias()
    latest = sa.select(ended.c.tenant_id, ended.c.id).where(scope.recent(ended.c.resolved_at))
    return query.where(sa.tuple_(withdrawals.c.tenant_id, withdrawals.c.id).in_(latest))


# Spelt out, since SQLite takes a partial index for no parameter.


def _is_open(table: Any) -> sa.ColumnElement[bool]:
    return table.c.state == sa.literal_column("'open'")  # type: ignore[no-any-return]


def _goes_on(table: Any) -> sa.ColumnElement[bool]:
    return table.c.status.in_([sa.literal_column("'pending'"), sa.literal_column("'processing'")])  # type: ignore[no-any-return]


IN_FULL: dict[str, Rule] = {
    "a balance is the sum of its entries": _balance_is_sum_of_entries,
    "the entries of an account are numbered without a gap": _entries_have_no_gap,
}

RULES: dict[str, Rule] = {
    "the posted balances of a tenant and currency sum to zero": _sum_is_zero,
    **IN_FULL,
    "held is the sum of the open holds": _held_is_sum_of_open_holds,
    "the available balance is not negative": _available_is_not_negative,
    "a transfer is unique by cause and reason": _transfer_is_unique,
    "a transfer is in the currency of its accounts": _transfer_has_its_accounts_currency,
    "a sale belongs to an attempt that succeeded": _sale_has_its_attempt,
    "a receipt of a payment is applied once": _receipt_is_applied_once(attempts),
    "a receipt of a payout is applied once": _receipt_is_applied_once(payouts),
    "a succeeded attempt is posted once, in full": _success_is_posted_once,
    "a hold is open while its withdrawal is": _hold_follows_its_withdrawal,
    "a posted hold has left its account in full": _posted_hold_left_in_full,
    "a completed withdrawal has one payout that succeeded": _completed_withdrawal_has_its_payout,
    "what is owed is paid before anything is available": _owed_is_paid_first,
}
