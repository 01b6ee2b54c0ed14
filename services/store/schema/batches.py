"""Withdrawals in numbers: of one file, and by a schedule. A withdrawal itself names the batch it is of."""

import sqlalchemy as sa

from services.store.schema.base import Moment, key, metadata, of, one_of

# Batches: a file of withdrawals. From `pending` on there is an operation of the same id.
batches = sa.Table(
    "batches",
    metadata,
    *key(),
    sa.Column("maker_id", sa.Uuid, nullable=False),
    sa.Column("conversation_id", sa.Uuid),  # where the file was sent
    sa.Column("media_id", sa.Text),  # what the channel calls the file, until it is fetched
    sa.Column("name", sa.Text, nullable=False),  # of the file
    sa.Column("file_digest", sa.Text),  # sha256: the same file again is warned of
    sa.Column("lines_sealed", sa.LargeBinary),  # what is to be paid, and salt
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("fee", sa.BigInteger, nullable=False),
    sa.Column("sums", sa.JSON, nullable=False),  # by rail
    sa.Column("warnings", sa.JSON, nullable=False),
    sa.Column("new_destinations", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("started_at", Moment),
    sa.Column("ended_at", Moment),
    one_of(
        "state",
        "taken",
        "draft",
        "faulty",
        "pending",
        "running",
        "done",
        "rejected",
        "canceled",
        "expired",
    ),
    of("people", "maker_id"),
    sa.Index(None, "tenant_id", "state"),
    sa.Index(None, "tenant_id", "file_digest"),
)

# Schedules: withdrawals that come again by themselves; approved once, as the operation of the same id.
schedules = sa.Table(
    "schedules",
    metadata,
    *key(),
    sa.Column("maker_id", sa.Uuid, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("every", sa.Text, nullable=False),
    sa.Column("days", sa.JSON, nullable=False),  # of the week from 1, Monday, or of the month
    sa.Column("hour", sa.Integer, nullable=False),  # by the tenant's clocks
    sa.Column("keep", sa.BigInteger, nullable=False),  # stays in the wallet
    sa.Column("most", sa.BigInteger, nullable=False),  # each time
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("method_type", sa.Text, nullable=False),
    sa.Column("details_sealed", sa.LargeBinary, nullable=False),  # the destination, and salt
    sa.Column("destination", sa.Text, nullable=False),  # masked
    sa.Column("configured", sa.Boolean, nullable=False),  # it was where payouts usually go
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("because", sa.Text),  # why it rests
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("next_at", Moment),
    sa.Column("ended_at", Moment),
    one_of("every", "day", "week", "month"),
    one_of("state", "pending", "active", "stopped", "resting", "ended", "rejected", "canceled", "expired"),
    sa.CheckConstraint("keep >= 0 AND most > 0 AND hour BETWEEN 0 AND 23", name="amounts"),
    of("people", "maker_id"),
    of("operations", "id"),
    sa.Index(None, "tenant_id", "state"),
)

# One for each day on which a schedule came up, so that none comes up twice.
schedule_runs = sa.Table(
    "schedule_runs",
    metadata,
    *key("schedule_id"),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("because", sa.Text),  # why nothing was asked for
    sa.Column("withdrawal_id", sa.Uuid),
    one_of("outcome", "made", "skipped"),
    of("schedules", "schedule_id"),
    of("withdrawals", "withdrawal_id"),
)
