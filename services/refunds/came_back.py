"""Came back: which of what had gone to payers is there again, as a query has it."""

import sqlalchemy as sa

from services.store.schema import refund_attempts, refunds, reversals

# Of a refund that was booked as made: its provider has given it back, or denied it.
UNDONE = sa.exists().where(
    refund_attempts.c.tenant_id == refunds.c.tenant_id,
    refund_attempts.c.refund_id == refunds.c.id,
    refund_attempts.c.state == "succeeded",
    sa.or_(refund_attempts.c.denied_at.is_not(None), refund_attempts.c.returned_at.is_not(None)),
)
# Of a reversal: it is not what was paid out after all, and has come back since.
STILL_GONE = sa.not_(
    sa.exists().where(
        refund_attempts.c.tenant_id == reversals.c.tenant_id,
        refund_attempts.c.id == reversals.c.id,
        refund_attempts.c.returned_at.is_not(None),
    )
)
