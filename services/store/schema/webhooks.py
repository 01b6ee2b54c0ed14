"""What tenants' own systems are told: where they listen, what is to be told, and how often it was tried."""

from typing import Any

import sqlalchemy as sa

from services.store.schema.base import Moment, Seq, key, metadata, one_of

# Where a tenant's system listens. The old secret signs too, beside the new one, until its time is over.
webhook_endpoints = sa.Table(
    "webhook_endpoints",
    metadata,
    *key(),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("types", sa.JSON(none_as_null=True)),  # of the events that it wants; None: all
    sa.Column("secret_sealed", sa.LargeBinary, nullable=False),
    sa.Column("old_secret_sealed", sa.LargeBinary),
    sa.Column("old_until", Moment),
    sa.Column("created_by", sa.Uuid, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("failing_since", Moment),  # nothing was taken since then, and something was tried
    sa.Column("disabled_at", Moment),
    sa.Column("disabled_because", sa.Text),
    one_of("disabled_because", "staff", "gone", "failing"),
    sa.CheckConstraint("(disabled_at IS NULL) = (disabled_because IS NULL)", name="disabled"),
)

OPEN_WEBHOOK = sa.text("state IN ('waiting', 'sending')")


def is_undelivered(deliveries: Any) -> sa.ColumnElement[bool]:
    """The same of an alias, spelt out, since SQLite takes a partial index for no parameter."""
    states: list[sa.ColumnElement[str]] = [sa.literal_column(f"'{each}'") for each in ("waiting", "sending")]
    return deliveries.c.state.in_(states)  # type: ignore[no-any-return]


# One event for one endpoint. `seq` orders those of an object, which are written under its lock. No foreign
# key: whoever removes an endpoint is not waited for by whoever moves money.
webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("seq", Seq, primary_key=True, autoincrement=True),
    sa.Column("tenant_id", sa.Uuid, nullable=False),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("endpoint_id", sa.Uuid, nullable=False),
    sa.Column("event_id", sa.Uuid, nullable=False),  # the same for all endpoints
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("object_id", sa.Uuid, nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # as it is signed: ids, amounts and words of ours
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),  # of the ladder
    sa.Column("sends", sa.Integer, nullable=False, server_default=sa.text("0")),  # in all
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("because", sa.Text),  # what went wrong last
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    one_of("state", "waiting", "sending", "delivered", "dead"),
    sa.UniqueConstraint("tenant_id", "id"),
    sa.Index(
        "ix_webhook_deliveries_open",
        "tenant_id",
        "endpoint_id",
        "object_id",
        "seq",
        postgresql_where=OPEN_WEBHOOK,
        sqlite_where=OPEN_WEBHOOK,
    ),
    sa.Index(
        "ix_webhook_deliveries_due",
        "due_at",
        postgresql_where=OPEN_WEBHOOK,
        sqlite_where=OPEN_WEBHOOK,
    ),
    sa.Index(None, "tenant_id", "seq"),
    sqlite_autoincrement=True,  # a later one never gets an earlier number
)

# One try. Of one whose process was killed nobody knows the outcome: it has none.
webhook_attempts = sa.Table(
    "webhook_attempts",
    metadata,
    sa.Column("tenant_id", sa.Uuid, primary_key=True),
    sa.Column("delivery_id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("status", sa.Integer),  # of the answer
    sa.Column("because", sa.Text),
    sa.Column("took_ms", sa.Integer),
)
