"""Rules of what providers have said: each success moved what it should, and once."""

from typing import Any

import sqlalchemy as sa

from services.books.scope import ONE, Rule, Scope, goes_on, is_open, whole
from services.store.schema import attempts, holds, payments, payouts, transfers, withdrawals

_RETURNED = ("payout_returned", "withdrawal_fee_returned")
_LATE = ("payout_late", "payout_late_owed")
# Of what was posted as paid; what was paid after all may come back too, and is posted by itself.
_BACK = sa.or_(
    payouts.c.denied_at.is_not(None),
    sa.and_(payouts.c.returned_at.is_not(None), payouts.c.left_at.is_(None)),
)
_TIMES = (payouts.c.returned_at, payouts.c.left_at, payouts.c.denied_at)

# --- attempts and payouts against what they moved ----------------------------------------------------


def receipt_is_applied_once(table: sa.Table) -> Rule:
    def rule(scope: Scope) -> sa.Select[Any]:
        key = (table.c.tenant_id, table.c.receipt, table.c.provider)
        count = sa.func.count()
        query = sa.select(key[0], key[1], ONE, count).where(
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


def success_is_posted_once(scope: Scope) -> sa.Select[Any]:
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


def hold_follows_its_withdrawal(scope: Scope) -> sa.Select[Any]:
    """Since a moment: where one of the two is open, or the hold has ended since."""
    expected = sa.case(
        (withdrawals.c.status.in_(["pending", "processing"]), "open"),
        (withdrawals.c.status == "completed", "posted"),
        (sa.and_(withdrawals.c.status == "failed", _has_returned()), "posted"),
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
        sa.select(opened.c.tenant_id, opened.c.id).where(is_open(opened)),
        sa.select(going.c.tenant_id, going.c.id).where(goes_on(going)),
    )
    return query.where(sa.tuple_(withdrawals.c.tenant_id, withdrawals.c.id).in_(looked_at))


def posted_hold_left_in_full(scope: Scope) -> sa.Select[Any]:
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


def _has_returned() -> sa.ColumnElement[bool]:
    """Its payout has succeeded, and the provider has given it back, or denied it."""
    return (
        sa.select(payouts.c.id)
        .where(
            payouts.c.tenant_id == withdrawals.c.tenant_id,
            payouts.c.withdrawal_id == withdrawals.c.id,
            payouts.c.state == "succeeded",
            _BACK,
        )
        .exists()
    )


def returned_payout_is_posted_once(scope: Scope) -> sa.Select[Any]:
    """What the provider gave back is in the wallet again, with its fee; of no other payout anything is."""
    moved = whole(sa.func.sum(transfers.c.amount))
    owed = sa.case((_BACK, withdrawals.c.amount), else_=0)
    back = transfers.alias("back")
    latest = sa.select(back.c.tenant_id, back.c.cause_id).where(
        back.c.reason.in_(_RETURNED), scope.recent(back.c.created_at)
    )
    return (
        sa.select(payouts.c.tenant_id, payouts.c.id, owed, moved)
        .join(
            withdrawals,
            sa.and_(
                withdrawals.c.tenant_id == payouts.c.tenant_id, withdrawals.c.id == payouts.c.withdrawal_id
            ),
        )
        .outerjoin(
            transfers,
            sa.and_(
                transfers.c.tenant_id == payouts.c.tenant_id,
                transfers.c.cause_id == payouts.c.withdrawal_id,
                transfers.c.reason.in_(_RETURNED),
            ),
        )
        .where(
            payouts.c.state == "succeeded",
            scope.of(payouts),
            sa.or_(
                scope.recent(payouts.c.resolved_at),
                sa.tuple_(payouts.c.tenant_id, payouts.c.withdrawal_id).in_(latest),
            ),
        )
        .group_by(payouts.c.tenant_id, payouts.c.id, *_TIMES, withdrawals.c.amount)
        .having(moved != owed)
    )


def late_payout_is_posted_once(scope: Scope) -> sa.Select[Any]:
    """What was told as paid after it had failed has left with the provider, and nothing else has so; where it
    came back since, it did neither."""
    signed = sa.case((transfers.c.reason.in_(_LATE), transfers.c.amount), else_=-transfers.c.amount)
    moved = whole(sa.func.sum(signed))
    still_out = sa.and_(payouts.c.left_at.is_not(None), payouts.c.returned_at.is_(None))
    owed = sa.case((still_out, withdrawals.c.net), else_=0)
    late = transfers.alias("late")
    latest = sa.select(late.c.tenant_id, late.c.cause_id).where(
        late.c.reason.in_((*_LATE, _RETURNED[0])), scope.recent(late.c.created_at)
    )
    return (
        sa.select(payouts.c.tenant_id, payouts.c.id, owed, moved)
        .join(
            withdrawals,
            sa.and_(
                withdrawals.c.tenant_id == payouts.c.tenant_id, withdrawals.c.id == payouts.c.withdrawal_id
            ),
        )
        .outerjoin(
            transfers,
            sa.and_(
                transfers.c.tenant_id == payouts.c.tenant_id,
                transfers.c.cause_id == payouts.c.id,
                transfers.c.reason.in_((*_LATE, _RETURNED[0])),
            ),
        )
        .where(
            scope.of(payouts),
            sa.or_(
                scope.recent(payouts.c.resolved_at),
                sa.tuple_(payouts.c.tenant_id, payouts.c.id).in_(latest),
            ),
        )
        .group_by(payouts.c.tenant_id, payouts.c.id, *_TIMES, withdrawals.c.net)
        .having(moved != owed)
    )


def completed_withdrawal_has_its_payout(scope: Scope) -> sa.Select[Any]:
    count = sa.func.count(payouts.c.id)
    query = (
        sa.select(withdrawals.c.tenant_id, withdrawals.c.id, ONE, count)
        .outerjoin(
            payouts,
            sa.and_(
                payouts.c.tenant_id == withdrawals.c.tenant_id,
                payouts.c.withdrawal_id == withdrawals.c.id,
                payouts.c.state == "succeeded",
                payouts.c.returned_at.is_(None),
                payouts.c.denied_at.is_(None),
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
