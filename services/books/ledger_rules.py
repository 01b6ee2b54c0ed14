"""Rules of the ledger: its accounts, their entries and the transfers that they are of."""

from typing import Any

import sqlalchemy as sa

from services.books.scope import ONE, ZERO, Scope, is_open, legs, whole
from services.store.schema import accounts, attempts, holds, refund_attempts, transfers

# --- accounts: looked at as a whole every time, since they are few ----------------------------------


def sum_is_zero(scope: Scope) -> sa.Select[Any]:
    total = whole(sa.func.sum(accounts.c.posted))
    return (
        sa.select(accounts.c.tenant_id, accounts.c.currency, ZERO, total)
        .where(scope.of(accounts))
        .group_by(accounts.c.tenant_id, accounts.c.currency)
        .having(total != 0)
    )


def held_is_sum_of_open_holds(scope: Scope) -> sa.Select[Any]:
    opened = (
        sa.select(holds.c.tenant_id, holds.c.account_id, whole(sa.func.sum(holds.c.amount)).label("total"))
        .where(is_open(holds), scope.of(holds))
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


def available_is_not_negative(scope: Scope) -> sa.Select[Any]:
    available = accounts.c.posted - accounts.c.held
    return sa.select(accounts.c.tenant_id, accounts.c.id, ZERO, available).where(
        accounts.c.limited, available < 0, scope.of(accounts)
    )


def owed_is_paid_first(scope: Scope) -> sa.Select[Any]:
    """Nothing is available in a wallet while something is owed."""
    owes, wallet = accounts.alias("owes"), accounts.alias("wallet")
    available = wallet.c.posted - wallet.c.held
    return (
        sa.select(owes.c.tenant_id, owes.c.id, ZERO, available)
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


def balance_is_sum_of_entries(scope: Scope) -> sa.Select[Any]:
    entries = _entries(scope)
    total = sa.func.coalesce(entries.c.total, 0)
    return (
        sa.select(accounts.c.tenant_id, accounts.c.id, total, accounts.c.posted)
        .outerjoin(entries, _with_entries(entries))
        .where(accounts.c.posted != total, scope.of(accounts))
    )


def entries_have_no_gap(scope: Scope) -> sa.Select[Any]:
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


def transfer_is_unique(scope: Scope) -> sa.Select[Any]:
    key = (transfers.c.tenant_id, transfers.c.cause_id, transfers.c.reason)
    count = sa.func.count()
    query = sa.select(key[0], key[1], ONE, count).where(scope.of(transfers))
    if scope.since is not None:
        new = transfers.alias()
        latest = sa.select(new.c.tenant_id, new.c.cause_id).where(scope.recent(new.c.created_at))
        query = query.where(sa.tuple_(key[0], key[1]).in_(latest))
    return query.group_by(*key).having(count > 1)


def transfer_has_its_accounts_currency(scope: Scope) -> sa.Select[Any]:
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


def sale_has_its_attempt(scope: Scope) -> sa.Select[Any]:
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


def cost_has_its_item(scope: Scope) -> sa.Select[Any]:
    """What a provider is expected to charge is posted with what it moved."""
    items = (
        (attempts, "id", "succeeded"),
        (holds, "id", "posted"),  # of withdrawals, whatever came back of them
        (refund_attempts, "refund_id", "succeeded"),
    )
    query = sa.select(transfers.c.tenant_id, transfers.c.id, ONE, ZERO)
    for table, cause, done in items:
        mine = sa.and_(table.c.tenant_id == transfers.c.tenant_id, table.c[cause] == transfers.c.cause_id)
        query = query.outerjoin(table, sa.and_(mine, table.c.state == done)).where(table.c.id.is_(None))
    return query.where(
        transfers.c.reason == "cost", scope.of(transfers), scope.recent(transfers.c.created_at)
    )
