"""Refund rules: those about what goes back, and about suspense."""

from typing import Any

import sqlalchemy as sa

from services.refunds.came_back import STILL_GONE, UNDONE
from services.store.schema import (
    accounts,
    holds,
    payments,
    refund_attempts,
    refunds,
    reversals,
    transfers,
)


def _whole(sums: Any) -> Any:
    """PostgreSQL sums bigints as numerics."""
    return sa.cast(sa.func.coalesce(sums, 0), sa.BigInteger)


def _hold_follows_its_refund() -> sa.Select[Any]:
    expected = sa.case(
        (refunds.c.source == "suspense", "none"),
        (refunds.c.status.in_(["pending", "processing"]), "open"),
        (refunds.c.status == "completed", "posted"),
        (sa.and_(refunds.c.status == "failed", UNDONE), "posted"),
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
    """A completed refund moved its amount once, whatever came back of it, and one that is kept as a sale came
    out of suspense."""
    moved = _whole(sa.func.sum(transfers.c.amount))
    done = sa.or_(refunds.c.status == "completed", sa.and_(refunds.c.status == "failed", UNDONE))
    owed = sa.case((done, refunds.c.amount), else_=0)
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


def _what_came_back_is_posted_once() -> sa.Select[Any]:
    """Of a refund under itself; of one that was paid after all under its attempt, which may be the same one
    again. Of no other refund anything is."""
    attempt, moved = refund_attempts.c, _whole(sa.func.sum(transfers.c.amount))
    late, returned = reversals.c.id.is_not(None), attempt.returned_at.is_not(None)
    at_once = sa.and_(
        attempt.state == "succeeded",
        sa.or_(attempt.denied_at.is_not(None), sa.and_(returned, sa.not_(late))),
    )
    owed = sa.case((at_once, refunds.c.amount), else_=0) + sa.case(
        (sa.and_(late, returned), refunds.c.amount), else_=0
    )
    times = (attempt.state, attempt.denied_at, attempt.returned_at, reversals.c.id)
    return (
        sa.select(attempt.tenant_id, attempt.id, owed, moved)
        .join(refunds, sa.and_(refunds.c.tenant_id == attempt.tenant_id, refunds.c.id == attempt.refund_id))
        .outerjoin(
            reversals, sa.and_(reversals.c.tenant_id == attempt.tenant_id, reversals.c.id == attempt.id)
        )
        .outerjoin(
            transfers,
            sa.and_(
                transfers.c.tenant_id == attempt.tenant_id,
                transfers.c.cause_id.in_([attempt.refund_id, attempt.id]),
                transfers.c.reason == "refund_returned",
            ),
        )
        .group_by(attempt.tenant_id, attempt.id, *times, refunds.c.amount)
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
        reversals.c.source == "suspense", STILL_GONE
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
    "a refund that came back is where it was taken from once, in full": _what_came_back_is_posted_once(),
    "what was taken back is posted once, in full": _reversal_is_posted_once(),
    "suspense holds what was paid twice and not resolved": _suspense_holds_what_is_not_resolved(),
}
