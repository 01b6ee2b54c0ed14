"""What came in, what goes out, and what is due."""

from typing import Any

import sqlalchemy as sa

from services.store.schema.base import Moment, Seq, key, metadata, one_of

WAITS_FOR_TURN = sa.text("state = 'waiting' AND conversation_id IS NOT NULL")

WAITS_ASIDE = sa.text("state = 'waiting' AND conversation_id IS NULL")  # statuses, callbacks


def waits_for_turn(events: Any) -> sa.ColumnElement[bool]:
    """The same of an alias. Spelt out, since SQLite takes a partial index for no parameter."""
    return sa.and_(events.c.state == sa.literal_column("'waiting'"), events.c.conversation_id.is_not(None))


def waits_aside(events: Any) -> sa.ColumnElement[bool]:
    """The same of events that no conversation has: statuses and callbacks."""
    return sa.and_(events.c.state == sa.literal_column("'waiting'"), events.c.conversation_id.is_(None))


inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("seq", Seq, primary_key=True, autoincrement=True),
    sa.Column("tenant_id", sa.Uuid, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("conversation_id", sa.Uuid),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("body_sealed", sa.LargeBinary, nullable=False),
    sa.Column("error", sa.Text),
    sa.UniqueConstraint("tenant_id", "kind", "external_id", "status"),
    one_of("state", "waiting", "done", "kept", "parked"),
    sa.Index(
        "ix_inbox_turns", "received_at", "seq", postgresql_where=WAITS_FOR_TURN, sqlite_where=WAITS_FOR_TURN
    ),
    sa.Index(
        "ix_inbox_waiting_rest",
        "kind",
        "seq",
        postgresql_where=WAITS_ASIDE,
        sqlite_where=WAITS_ASIDE,
    ),
    sa.Index(
        "ix_inbox_parked",
        "seq",
        postgresql_where=sa.text("state = 'parked'"),
        sqlite_where=sa.text("state = 'parked'"),
    ),
)

OPEN_OUTBOX = sa.text("state IN ('waiting', 'sending', 'unknown')")


def is_open(messages: Any) -> sa.ColumnElement[bool]:
    """The same of an alias, spelt out as above."""
    states: list[sa.ColumnElement[str]] = [
        sa.literal_column(f"'{state}'") for state in ("waiting", "sending", "unknown")
    ]
    return messages.c.state.in_(states)  # type: ignore[no-any-return]


outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("seq", Seq, primary_key=True, autoincrement=True),
    sa.Column("tenant_id", sa.Uuid, nullable=False),
    sa.Column("conversation_id", sa.Uuid, nullable=False),
    sa.Column("body_sealed", sa.LargeBinary, nullable=False),  # Cloud API JSON without the recipient
    sa.Column("purpose", sa.Text, nullable=False, server_default="answer"),
    sa.Column("about", sa.Text),  # the thread that it tells news of
    sa.Column("template_sealed", sa.LargeBinary),  # what fills the template that it may go by
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("unknown_sends", sa.Integer, nullable=False, server_default=sa.text("0")),  # of its tries
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("wamid", sa.Text),
    sa.Column("price_category", sa.Text),  # as WhatsApp charges it: "service", "utility"...
    sa.Column("price_type", sa.Text),  # "regular", "free_customer_service"...
    sa.Column("price_country", sa.Text),  # of who got it: "KE"
    sa.Column("error", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    one_of("state", "waiting", "sending", "unknown", "sent", "delivered", "read", "played", "failed", "held"),
    sa.Index(
        "ix_outbox_open",
        "conversation_id",
        "seq",
        postgresql_where=OPEN_OUTBOX,
        sqlite_where=OPEN_OUTBOX,
    ),
    sa.Index("ix_outbox_due", "due_at", postgresql_where=OPEN_OUTBOX, sqlite_where=OPEN_OUTBOX),
    sa.Index("ix_outbox_wamid", "wamid"),
    sa.Index(
        "ix_outbox_held",
        "conversation_id",
        postgresql_where=sa.text("state = 'held'"),
        sqlite_where=sa.text("state = 'held'"),
    ),
    sa.Index(
        "ix_outbox_about",
        "conversation_id",
        "about",
        "seq",
        postgresql_where=sa.text("about IS NOT NULL"),
        sqlite_where=sa.text("about IS NOT NULL"),
    ),
    sqlite_autoincrement=True,  # a number names one message for ever: it comes back with its statuses
)

# Due rows: provider calls, questions, expiries. Claimed by a lease, since a network call follows.
jobs = sa.Table(
    "jobs",
    metadata,
    *key("target_id"),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("leased_until", Moment),
    sa.Column("error", sa.Text),
    sa.Index("ix_jobs_due", "due_at"),
)

# Callback addresses: the token itself is never stored, only its hash.
hooks = sa.Table(
    "hooks",
    metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True),
    sa.Column("tenant_id", sa.Uuid, nullable=False),
    sa.Column("about", sa.Text, nullable=False),  # collect, payout, payout_timeout, query
    sa.Column("target_id", sa.Uuid, nullable=False),  # the tenant, where the address lasts
    sa.Column("created_at", Moment, nullable=False),
)

# One access token per provider app, shared by all processes: a new one kills the last.
provider_tokens = sa.Table(
    "provider_tokens",
    metadata,
    sa.Column("app_hash", sa.LargeBinary, primary_key=True),
    sa.Column("sealed", sa.LargeBinary),
    sa.Column("expires_at", Moment),
    sa.Column("leased_until", Moment),
)

# Accounts at providers that lately left calls unanswered; of one that is well there is no row.
breakers = sa.Table(
    "breakers",
    metadata,
    sa.Column("tenant_id", sa.Uuid, sa.ForeignKey("tenants.id"), primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("operation", sa.Text, primary_key=True),
    sa.Column("outcomes", sa.Text, nullable=False),  # of the last calls: "1" not answered, "0" answered
    sa.Column("open_until", Moment),  # nothing is sent before; NULL: closed
    sa.Column("heard_at", Moment, nullable=False),
)
