"""Money that leaves for the tenant."""

import sqlalchemy as sa

from services.store.schema.base import Moment, Seq, key, metadata, of, one_of

withdrawals = sa.Table(
    "withdrawals",
    metadata,
    *key(),
    sa.Column("maker_id", sa.Uuid, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("fee", sa.BigInteger, nullable=False),
    sa.Column("net", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("method_type", sa.Text, nullable=False),
    sa.Column("details_sealed", sa.LargeBinary, nullable=False),
    sa.Column("details_index", sa.LargeBinary, nullable=False),
    sa.Column("destination", sa.Text, nullable=False),  # masked
    sa.Column("new_destination", sa.Boolean, nullable=False),
    sa.Column("flags", sa.JSON, nullable=False, server_default="[]"),  # what was unusual of it when asked
    sa.Column("notes", sa.Text),
    sa.Column("receipt", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("batch_id", sa.Uuid),  # it is a line of a file
    sa.Column("batch_line", sa.Integer),
    sa.CheckConstraint("amount = fee + net AND net > 0 AND fee >= 0", name="net"),
    one_of("status", "pending", "processing", "completed", "failed", "canceled", "rejected", "expired"),
    sa.UniqueConstraint("tenant_id", "id", "maker_id"),
    of("people", "maker_id"),
    sa.Index(None, "tenant_id", "status"),
    sa.Index(None, "tenant_id", "batch_id", "batch_line", unique=True),
)

withdrawal_history = sa.Table(
    "withdrawal_history",
    metadata,
    sa.Column("seq", Seq, primary_key=True, autoincrement=True),
    sa.Column("tenant_id", sa.Uuid, nullable=False),
    sa.Column("withdrawal_id", sa.Uuid, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("by_id", sa.Uuid),
    sa.Column("reason", sa.Text),
    sa.Column("at", Moment, nullable=False),
    of("withdrawals", "withdrawal_id"),
    sa.Index(None, "tenant_id", "withdrawal_id"),
)

# Money may be on its way, or have left.
UNDER_WAY = sa.text("state IN ('submitting', 'pending', 'unknown')")
LIVE_PAYOUT = sa.text("state IN ('created', 'submitting', 'pending', 'unknown', 'succeeded')")

payouts = sa.Table(
    "payouts",
    metadata,
    *key(),  # the id is the one that the provider is sent
    sa.Column("withdrawal_id", sa.Uuid, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("turn", sa.Text),  # the way out, where only one of a tenant's is under way at a time
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("held", sa.Text),  # why it waits, where it does
    sa.Column("reference", sa.Text),  # as the provider acknowledged it
    sa.Column("recipient", sa.Text),  # what the provider calls the destination
    sa.Column("receipt", sa.Text),
    sa.Column("because", sa.Text),
    sa.Column("detail", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("not_before", Moment),  # hours in which the tenant sends nothing
    sa.Column("undecided_at", Moment),  # when the provider had been asked often enough for people to look
    sa.Column("resolved_at", Moment),
    sa.Column("returned_at", Moment),  # when the provider gave it back
    sa.Column("left_at", Moment),  # when the provider told that it was paid, after it had failed
    sa.Column("denied_at", Moment),  # when the provider told that it failed, though people had found it paid
    one_of("state", "created", "submitting", "pending", "unknown", "succeeded", "failed"),
    of("withdrawals", "withdrawal_id"),
    sa.Index(
        "uq_payouts_live",
        "tenant_id",
        "withdrawal_id",
        unique=True,
        postgresql_where=LIVE_PAYOUT,
        sqlite_where=LIVE_PAYOUT,
    ),
    sa.Index(
        "uq_payouts_turn",
        "tenant_id",
        "turn",
        unique=True,
        postgresql_where=UNDER_WAY,
        sqlite_where=UNDER_WAY,
    ),
    sa.UniqueConstraint("tenant_id", "provider", "receipt"),
    sa.Index("ix_payouts_resolved_at", "resolved_at"),
    sa.Index(None, "tenant_id", "resolved_at"),
)

# What people say became of a payout, or of an attempt of a refund or payment, of which its provider says
# nothing, or nothing that may be booked. It is an operation of the same id, that another person approves.
OF_ONE = (
    " + ".join(
        f"CASE WHEN {column} IS NULL THEN 0 ELSE 1 END"
        for column in ("payout_id", "refund_attempt_id", "payment_attempt_id")
    )
    + " = 1"
)
OPEN_SETTLEMENT = sa.text("state = 'pending'")

settlements = sa.Table(
    "settlements",
    metadata,
    *key(),
    sa.Column("payout_id", sa.Uuid),
    sa.Column("refund_attempt_id", sa.Uuid),
    sa.Column("payment_attempt_id", sa.Uuid),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),  # the receipt of what was paid, else what says that not
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("because", sa.Text),  # why it is void
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.CheckConstraint(OF_ONE, name="of_one"),
    one_of("outcome", "paid", "not_paid"),
    one_of("state", "pending", "done", "rejected", "canceled", "expired", "void", "contradicted"),
    of("operations", "id"),
    of("payouts", "payout_id"),
    of("refund_attempts", "refund_attempt_id"),
    of("attempts", "payment_attempt_id"),
    *(
        sa.Index(
            f"uq_settlements_open_{column}",
            "tenant_id",
            column,
            unique=True,
            postgresql_where=OPEN_SETTLEMENT,
            sqlite_where=OPEN_SETTLEMENT,
        )
        for column in ("payout_id", "refund_attempt_id", "payment_attempt_id")
    ),
    sa.Index(None, "tenant_id", "payout_id"),
    sa.Index(None, "tenant_id", "refund_attempt_id"),
    sa.Index(None, "tenant_id", "payment_attempt_id"),
)

# A tenant's way out (mpesa, till, bank_transfer): whether it rests, and what there is to pay from.
rails = sa.Table(
    "rails",
    metadata,
    sa.Column("tenant_id", sa.Uuid, sa.ForeignKey("tenants.id"), primary_key=True),
    sa.Column("rail", sa.Text, primary_key=True),
    sa.Column("stopped_because", sa.Text),  # our word for the cause
    sa.Column("stopped_at", Moment),
    sa.Column("refused_at", Moment),  # since when our settings are known as wrong, whatever it rests for
    # What the account at the provider holds that it is paid from: minor units, less what was sent since.
    sa.Column("float_funds", sa.BigInteger),
    sa.Column("float_told_at", Moment),
    sa.Column("float_asked_at", Moment),
    sa.Column("float_answered_at", Moment),  # with what it holds, or with that nothing can be told
    sa.Column("float_short_at", Moment),  # when people were told that it is short
    sa.CheckConstraint("(float_funds IS NULL) = (float_told_at IS NULL)", name="float"),
    sa.CheckConstraint("(stopped_because IS NULL) = (stopped_at IS NULL)", name="stopped"),
)
