"""Refund rules: those about what goes back, and about suspense."""

from typing import Any

import sqlalchemy as sa

from services.store.schema import accounts, holds, payments, refunds, reversals, transfers


def _whole(sums: Any) -> Any:
    """PostgreSQL sums bigints as numerics."""
    return sa.cast(sa.func.coalesce(sums, 0), sa.BigInteger)


def _hold_follows_its_refund() -> sa.Select[Any]:
    expected = sa.case(
        (refunds.c.source == "suspense", "none"),
        (refunds.c.status.in_(["pending", "processing"]), "open"),
        (refunds.c.status == "completed", "posted"),
        (refunds.c.status == "expired", "expired"),
        else_="voided",
    )
    found = sa.func.coalesce(holds.c.state, "none")
    return (
        sa.select(refunds.c.tenant_id, refunds.c.id, expected, found)
        .outerjoin(holds, sa.and_(holds.c.tenant_id == refunds.c.tenant_id, holds.c.id == refunds.c.id))
        .where(expected != found)
    )


def _no_more_goes_back_than_was_paid() -> sa.Select[Any]:
    """By refunds of ours, done or on their way."""
    back = _whole(sa.func.sum(refunds.c.amount))
    return (
        sa.select(refunds.c.tenant_id, refunds.c.attempt_id, payments.c.amount, back)
        .join(
            payments,
            sa.and_(payments.c.tenant_id == refunds.c.tenant_id, payments.c.id == refunds.c.payment_id),
        )
        .where(refunds.c.status.in_(["pending", "processing", "completed"]))
        .group_by(refunds.c.tenant_id, refunds.c.attempt_id, payments.c.amount)
        .having(back > payments.c.amount)
    )


def _refund_is_posted_once() -> sa.Select[Any]:
    """A completed refund moved its amount once, and one that is kept as a sale came out of suspense."""
    moved = _whole(sa.func.sum(transfers.c.amount))
    owed = sa.case((refunds.c.status == "completed", refunds.c.amount), else_=0)
    posted = sa.or_(
        sa.and_(transfers.c.cause_id == refunds.c.id, transfers.c.reason == "refund"),
        sa.and_(
            refunds.c.way == "sale",
            refunds.c.status == "completed",
            transfers.c.cause_id == refunds.c.attempt_id,
            transfers.c.reason == "accepted",
        ),
    )
    return (
        sa.select(refunds.c.tenant_id, refunds.c.id, owed, moved)
        .outerjoin(transfers, sa.and_(transfers.c.tenant_id == refunds.c.tenant_id, posted))
        .group_by(refunds.c.tenant_id, refunds.c.id, refunds.c.status, refunds.c.amount)
        .having(moved != owed)
    )


def _reversal_is_posted_once() -> sa.Select[Any]:
    moved = _whole(sa.func.sum(transfers.c.amount))
    return (
        sa.select(reversals.c.tenant_id, reversals.c.id, reversals.c.amount, moved)
        .outerjoin(
            transfers,
            sa.and_(
                transfers.c.tenant_id == reversals.c.tenant_id,
                transfers.c.cause_id == reversals.c.id,
                transfers.c.reason.in_(["reversal", "reversal_owed"]),
            ),
        )
        .group_by(reversals.c.tenant_id, reversals.c.id, reversals.c.amount)
        .having(moved != reversals.c.amount)
    )


def _suspense_holds_what_is_not_resolved() -> sa.Select[Any]:
    """What was paid twice is there until it went back or was kept, and nothing else is."""
    came = sa.select(transfers.c.tenant_id, transfers.c.currency, transfers.c.amount).where(
        transfers.c.reason == "suspense"
    )
    back = sa.select(refunds.c.tenant_id, refunds.c.currency, -refunds.c.amount).where(
        refunds.c.source == "suspense", refunds.c.status == "completed"
    )
    taken = sa.select(reversals.c.tenant_id, reversals.c.currency, -reversals.c.amount).where(
        reversals.c.source == "suspense"
    )
    legs = sa.union_all(came, back, taken).subquery()
    rest = (
        sa.select(legs.c.tenant_id, legs.c.currency, _whole(sa.func.sum(legs.c.amount)).label("rest"))
        .group_by(legs.c.tenant_id, legs.c.currency)
        .subquery()
    )
    return (
        sa.select(accounts.c.tenant_id, accounts.c.id, rest.c.rest, accounts.c.posted)
        .join(rest, sa.and_(rest.c.tenant_id == accounts.c.tenant_id, rest.c.currency == accounts.c.currency))
        .where(accounts.c.name == "suspense", accounts.c.posted != rest.c.rest)
    )


OF_REFUNDS: dict[str, sa.Select[Any]] = {
    "a hold is open while its refund is": _hold_follows_its_refund(),
    "no more goes back than was paid": _no_more_goes_back_than_was_paid(),
    "a completed refund is posted once, in full": _refund_is_posted_once(),
    "what was taken back is posted once, in full": _reversal_is_posted_once(),
    "suspense holds what was paid twice and not resolved": _suspense_holds_what_is_not_resolved(),
}
