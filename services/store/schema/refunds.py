"""Money that goes back to customers."""

import sqlalchemy as sa

from services.store.schema.base import Moment, key, metadata, of, one_of

# A customer who has asked the shop for their money. One of the staff takes it up, or declines.
OPEN_WISH = sa.text("state = 'open'")

refund_wishes = sa.Table(
    "refund_wishes",
    metadata,
    *key(),
    sa.Column("payment_id", sa.Uuid, nullable=False),
    sa.Column("person_id", sa.Uuid, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("done_by", sa.Uuid),
    sa.Column("done_at", Moment),
    one_of("state", "open", "taken", "declined"),
    of("payments", "payment_id"),
    of("people", "person_id"),
    sa.Index(
        "uq_refund_wishes_open",
        "tenant_id",
        "payment_id",
        unique=True,
        postgresql_where=OPEN_WISH,
        sqlite_where=OPEN_WISH,
    ),
)

# What is to go back of an attempt that has succeeded; an operation of the same id is approved. `source`: the
# wallet, or suspense for what was paid twice. `way`: the provider reverses the payment, the payer is paid
# out, or (of suspense) the shop keeps it as a sale.
refunds = sa.Table(
    "refunds",
    metadata,
    *key(),
    sa.Column("payment_id", sa.Uuid, nullable=False),
    sa.Column("attempt_id", sa.Uuid, nullable=False),
    sa.Column("maker_id", sa.Uuid, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("way", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("because", sa.Text),  # our word for the failure
    sa.Column("receipt", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("done_at", Moment),
    sa.CheckConstraint("amount > 0", name="amount"),
    sa.CheckConstraint("way <> 'sale' OR source = 'suspense'", name="kept"),
    one_of("source", "wallet", "suspense"),
    one_of("way", "reversal", "payout", "sale"),
    one_of("status", "pending", "processing", "completed", "failed", "canceled", "rejected", "expired"),
    of("payments", "payment_id"),
    of("attempts", "attempt_id"),
    of("people", "maker_id"),
    sa.Index(None, "tenant_id", "payment_id"),
)

# The money may be on its way, or is about to be.
LIVE_REFUND = sa.text("state IN ('created', 'submitting', 'pending', 'unknown')")

# Asking the provider once. The id is committed before the first byte is sent.
refund_attempts = sa.Table(
    "refund_attempts",
    metadata,
    *key(),
    sa.Column("refund_id", sa.Uuid, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reference", sa.Text),  # as the provider acknowledged it
    sa.Column("receipt", sa.Text),
    sa.Column("because", sa.Text),
    sa.Column("detail", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("undecided_at", Moment),  # as of payouts
    sa.Column("resolved_at", Moment),
    sa.Column("returned_at", Moment),  # as of payouts, and the next one too
    sa.Column("denied_at", Moment),
    one_of("state", "created", "submitting", "pending", "unknown", "succeeded", "failed"),
    of("refunds", "refund_id"),
    sa.UniqueConstraint("tenant_id", "refund_id"),  # never asked for twice
    sa.UniqueConstraint("tenant_id", "provider", "receipt"),
    sa.Index("ix_refund_attempts_live", "created_at", postgresql_where=LIVE_REFUND, sqlite_where=LIVE_REFUND),
)

# What a provider took back by itself: a reversal, a lost dispute. `reference` is theirs, applied once. What
# was paid out of a refund that had failed has the id of the refund's attempt.
reversals = sa.Table(
    "reversals",
    metadata,
    *key(),
    sa.Column("attempt_id", sa.Uuid, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("owed", sa.BigInteger, nullable=False),  # of the amount, what the wallet did not cover
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    one_of("source", "wallet", "suspense"),
    of("attempts", "attempt_id"),
    sa.UniqueConstraint("tenant_id", "provider", "reference"),
    sa.Index(None, "tenant_id", "attempt_id"),
)
