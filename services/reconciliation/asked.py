"""Asked: every row that asked a provider to move something, as one of ours that its line may be.

A query each, with the same columns: who it is and what its transfers are posted under (`cause`), how much,
when it began and ended, what the provider may call it by, and whether it is done.
"""

from typing import Any

import sqlalchemy as sa

from services.providers.listing import Kind
from services.store.schema import (
    attempts,
    orders,
    payments,
    payouts,
    refund_attempts,
    refunds,
    reversals,
    withdrawals,
)


def same(one: Any, other: Any, column: str, other_column: str = "id") -> sa.ColumnElement[bool]:
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
    .join(payments, same(attempts, payments, "payment_id"))
    .join(orders, same(payments, orders, "order_id"))
)
# What was paid after all is posted under the payout itself: of one withdrawal two may have left.
_CAUSE = sa.case((payouts.c.left_at.is_not(None), payouts.c.id), else_=withdrawals.c.id)
_LEFT = sa.or_(
    payouts.c.left_at.is_not(None), sa.and_(payouts.c.state == "succeeded", payouts.c.denied_at.is_(None))
)
_PAID_OUT = sa.select(
    payouts.c.id,
    _CAUSE.label("cause"),
    withdrawals.c.id.label("before"),  # what was posted before it was found to be otherwise
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
    _LEFT.label("done"),
    payouts.c.tenant_id,
    payouts.c.provider,
).join(withdrawals, same(payouts, withdrawals, "withdrawal_id"))
_RETURNED = (
    sa.select(
        withdrawals.c.id,
        _CAUSE.label("cause"),
        sa.literal(Kind.RETURNED.value).label("kind"),
        withdrawals.c.net.label("amount"),
        withdrawals.c.currency,
        payouts.c.created_at.label("since"),
        payouts.c.returned_at.label("until"),
        sa.null().label("receipt"),
        payouts.c.id.label("name"),
        payouts.c.receipt.label("other_name"),
        sa.null().label("label"),
        withdrawals.c.destination.label("party"),
        _LEFT.label("done"),
        payouts.c.tenant_id,
        payouts.c.provider,
    )
    .join(withdrawals, same(payouts, withdrawals, "withdrawal_id"))
    .where(payouts.c.returned_at.is_not(None))
)
# What was paid out after it had failed is posted under the attempt.
_LATE = sa.exists().where(same(reversals, refund_attempts, "id"))
_BACK_CAUSE = sa.case((_LATE, refund_attempts.c.id), else_=refunds.c.id)
# What was given back and failed later is in no list of what was.
_FAILED_LATER = sa.and_(refunds.c.way == "reversal", refund_attempts.c.returned_at.is_not(None))
_HAS_GONE = sa.and_(
    sa.not_(_FAILED_LATER),
    sa.or_(_LATE, sa.and_(refund_attempts.c.state == "succeeded", refund_attempts.c.denied_at.is_(None))),
)
_REFUNDED = (
    refund_attempts.join(refunds, same(refund_attempts, refunds, "refund_id"))
    .join(attempts, same(refunds, attempts, "attempt_id"))
    .join(payments, same(refunds, payments, "payment_id"))
    .join(orders, same(payments, orders, "order_id"))
)
# By which people said that it was made; of a reversal that is told after all it is the provider's own.
_NOT_THIS = sa.and_(refunds.c.way == "reversal", refund_attempts.c.denied_at.is_not(None), sa.not_(_LATE))
_GIVEN_BACK = sa.select(
    refund_attempts.c.id,
    _BACK_CAUSE.label("cause"),
    refunds.c.id.label("before"),
    sa.case((refunds.c.way == "payout", Kind.SENT.value), else_=Kind.BACK.value).label("kind"),
    refunds.c.amount,
    refunds.c.currency,
    refund_attempts.c.created_at.label("since"),
    refund_attempts.c.resolved_at.label("until"),
    sa.case((sa.not_(_NOT_THIS), refund_attempts.c.receipt)).label("receipt"),
    refund_attempts.c.reference.label("name"),
    sa.case((refunds.c.way == "reversal", attempts.c.receipt)).label("other_name"),
    orders.c.number.label("label"),
    attempts.c.label.label("party"),
    sa.case((refunds.c.way == "reversal", attempts.c.id)).label("given_back"),
    _HAS_GONE.label("done"),
    refund_attempts.c.tenant_id,
    refund_attempts.c.provider,
).select_from(_REFUNDED)
_REFUND_RETURNED = (
    sa.select(
        refunds.c.id,
        _BACK_CAUSE.label("cause"),
        refunds.c.id.label("before"),
        sa.literal(Kind.RETURNED.value).label("kind"),
        refunds.c.amount,
        refunds.c.currency,
        refund_attempts.c.created_at.label("since"),
        refund_attempts.c.returned_at.label("until"),
        sa.null().label("receipt"),
        refund_attempts.c.id.label("name"),
        refund_attempts.c.receipt.label("other_name"),
        orders.c.number.label("label"),
        attempts.c.label.label("party"),
        _HAS_GONE.label("done"),
        refund_attempts.c.tenant_id,
        refund_attempts.c.provider,
    )
    .select_from(_REFUNDED)
    .where(refund_attempts.c.returned_at.is_not(None), refunds.c.way == "payout")
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
        attempts.c.id.label("given_back"),  # by which a provider may name it that has no receipts
        sa.true().label("done"),
        reversals.c.tenant_id,
        reversals.c.provider,
    )
    .join(attempts, same(reversals, attempts, "attempt_id"))
    .join(payments, same(attempts, payments, "payment_id"))
    .join(orders, same(payments, orders, "order_id"))
    .where(sa.not_(sa.exists().where(same(refund_attempts, reversals, "id"))))
)
# By what each is found: the id that the provider knows, when it began and ended, its receipt, and its names.
# The item's own id may be another one: what came back of a payout has its withdrawal's, and that of a
# refund its refund's.
SOURCES: tuple[tuple[sa.Select[Any], dict[str, Any]], ...] = (
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
        _RETURNED,
        {
            "id": payouts.c.id,
            "since": payouts.c.created_at,
            "until": payouts.c.returned_at,
            "name": payouts.c.receipt,
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
            "given_back": attempts.c.id,
        },
    ),
    (
        _REFUND_RETURNED,
        {
            "id": refund_attempts.c.id,
            "since": refund_attempts.c.created_at,
            "until": refund_attempts.c.returned_at,
            "name": refund_attempts.c.receipt,
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
            "given_back": attempts.c.id,
        },
    ),
)
