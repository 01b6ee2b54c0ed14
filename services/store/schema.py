"""The tables, for both databases.

Times are aware UTC. Amounts are minor units. Columns named `*_sealed` hold ciphertext of the vault,
`*_index` keyed blind indexes. A tenant's rows lead their keys with `tenant_id`; only the two logs
that order things (inbox, outbox) count by `seq`.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)

NOBODY = UUID(int=0)  # the tenant of what came in for nobody that we know


class Moment(TypeDecorator[datetime]):
    """An aware UTC time; on SQLite as microseconds since 1970, which sort and compare."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        return dialect.type_descriptor(sa.BigInteger())

    @staticmethod
    def microseconds(value: datetime) -> int:
        """Since 1970, exactly: a float of seconds would be off by one now and then."""
        return (value - _EPOCH) // _MICROSECOND

    @staticmethod
    def moment(microseconds: int) -> datetime:
        """The other way round. Raises OverflowError for what is no time of ours."""
        return _EPOCH + timedelta(microseconds=microseconds)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return self.microseconds(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None or dialect.name == "postgresql":
            return value  # type: ignore[no-any-return]
        return self.moment(value)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts only in INTEGER PRIMARY KEY.
_Seq = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _key(name: str = "id") -> list[sa.Column[Any]]:
    return [
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column(name, sa.Uuid, primary_key=True),
    ]


def _of(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"])


def _one_of(name: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{name} IN ({listed})", name=name)


# --- people ----------------------------------------------------------------------------------------

tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("payment_fee_ppm", sa.Integer, nullable=False),
    sa.Column("phone_number_id", sa.Text, unique=True),
    sa.Column("display_phone_number", sa.Text),
    sa.Column("waba_id", sa.Text),
    sa.Column("templates", sa.JSON, nullable=False),
    sa.Column("bank_form", sa.Text),  # the id at WhatsApp of the form for a bank account
    sa.Column("per_withdrawal", sa.BigInteger),
    sa.Column("per_day", sa.BigInteger),
    sa.Column("per_destination", sa.BigInteger),  # in 24 hours, as the following three
    sa.Column("per_maker", sa.BigInteger),
    sa.Column("count_per_day", sa.Integer),
    sa.Column("count_per_destination", sa.Integer),
    sa.Column("blocked_hours", sa.Text),  # by the tenant's clocks: "22:00-05:00"
    sa.Column("totp_above", sa.BigInteger),
    sa.Column("low_balance", sa.BigInteger),  # below it the staff are told
    sa.Column("summary_at", sa.Text, nullable=False, server_default="20:00"),  # by the tenant's clocks
    sa.Column("approvals", sa.Integer, nullable=False),
    # [[amount, approvals], ...]: how many where more than that is withdrawn within 24 hours
    sa.Column("approvals_above", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("approval_hours", sa.Integer, nullable=False),
    sa.Column("new_destination_hours", sa.Integer, nullable=False),
    sa.Column("payout_method_type", sa.Text),
    sa.Column("payout_sealed", sa.LargeBinary),  # method_details as JSON
    sa.Column("payouts_frozen", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("frozen_because", sa.Text),  # our word for the cause
    sa.Column("stopped_at", Moment),  # since when a person has stopped all payouts
    sa.Column("stopped_by", sa.Uuid),  # who of the staff; None: the operator
    sa.Column("version", sa.Integer, nullable=False),  # counts changes, so that caches know
    sa.Column("created_at", Moment, nullable=False),
)

# Credentials: one sealed JSON object a part ("whatsapp", "mpesa", "paystack", "pesapal", "stripe").
credentials = sa.Table(
    "credentials",
    metadata,
    sa.Column("tenant_id", sa.Uuid, sa.ForeignKey("tenants.id"), primary_key=True),
    sa.Column("part", sa.Text, primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

people = sa.Table(
    "people",
    metadata,
    *_key(),
    sa.Column("name", sa.Text),
    sa.Column("language", sa.Text),  # chosen; else the tenant's
    sa.Column("preferred_provider", sa.Text),  # chosen with a saved method, or by the shop for them
    sa.Column("stopped_at", Moment),  # since when they want nothing unasked
    sa.Column("stopped_by", sa.Text),  # chat, whatsapp
    sa.Column("created_at", Moment, nullable=False),
)

staff = sa.Table(
    "staff",
    metadata,
    *_key("person_id"),
    sa.Column("role", sa.Text),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("tell", sa.JSON(none_as_null=True)),  # the notices that they chose; None: the usual ones
    sa.Column("approves_from", Moment),  # approves nothing before then
    sa.Column("suspended_at", Moment),  # their WhatsApp has changed: until the operator verifies who it is
    _of("people", "person_id"),
)

# One-time codes of those who approve.
totps = sa.Table(
    "totps",
    metadata,
    *_key("person_id"),
    sa.Column("secret_sealed", sa.LargeBinary, nullable=False),
    sa.Column("enrolled_at", Moment, nullable=False),
    sa.Column("usable_at", Moment, nullable=False),
    sa.Column("last_step", sa.BigInteger),  # that a code was used of: each is good once
    sa.Column("wrong", sa.Integer, nullable=False),  # in a row
    sa.Column("locked_until", Moment),
    sa.ForeignKeyConstraint(["tenant_id", "person_id"], ["staff.tenant_id", "staff.person_id"]),
)

# A person's WhatsApp account in the chat with one tenant. A person of the staff may have several.
conversations = sa.Table(
    "conversations",
    metadata,
    *_key(),
    sa.Column("person_id", sa.Uuid, nullable=False),
    sa.Column("phone_sealed", sa.LargeBinary),
    sa.Column("phone_index", sa.LargeBinary),
    sa.Column("user_id_sealed", sa.LargeBinary),
    sa.Column("user_id_index", sa.LargeBinary),
    sa.Column("key_index", sa.LargeBinary),  # a mark (see the vault) of the keys of their WhatsApp account
    sa.Column("key_told_at", Moment),
    sa.Column("heard_at", Moment),  # opens WhatsApp's window of 24 hours
    sa.Column("rests_until", Moment),  # its events wait: a worker has leased them, or its turn has failed
    sa.Column("place_sealed", sa.LargeBinary),
    sa.Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("tenant_id", "phone_index"),
    sa.UniqueConstraint("tenant_id", "user_id_index"),
    _of("people", "person_id"),
    sa.Index(None, "tenant_id", "person_id"),
)

# A person of the staff answers instead of the bot: one is open for a chat at most.
OPEN_HANDOFF = sa.text("state <> 'done'")
handoffs = sa.Table(
    "handoffs",
    metadata,
    *_key(),
    sa.Column("conversation_id", sa.Uuid, nullable=False),  # the customer's
    sa.Column("person_id", sa.Uuid, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("taken_by", sa.Uuid),
    sa.Column("taken_chat", sa.Uuid),  # where they answer from
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("spoke_at", Moment, nullable=False),  # the staff, last; else when it was asked for
    sa.Column("done_at", Moment),
    sa.Column("done_because", sa.Text),
    _one_of("state", "waiting", "taken", "done"),
    _of("conversations", "conversation_id"),
    _of("people", "person_id"),
    sa.Index(
        "uq_handoffs_open",
        "tenant_id",
        "conversation_id",
        unique=True,
        postgresql_where=OPEN_HANDOFF,
        sqlite_where=OPEN_HANDOFF,
    ),
)

# What the customer and the staff wrote.
handoff_lines = sa.Table(
    "handoff_lines",
    metadata,
    *_key(),
    sa.Column("handoff_id", sa.Uuid, nullable=False),
    sa.Column("person_id", sa.Uuid, nullable=False),
    sa.Column("words_sealed", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    _of("handoffs", "handoff_id"),
    sa.Index(None, "tenant_id", "handoff_id"),
)

products = sa.Table(
    "products",
    metadata,
    sa.Column("tenant_id", sa.Uuid, sa.ForeignKey("tenants.id"), primary_key=True),
    sa.Column("sku", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("price", sa.BigInteger, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("stock", sa.Integer),  # as the tenant file says; None: not counted
    sa.Column("reserved", sa.Integer, nullable=False, server_default=sa.text("0")),  # by unpaid orders
    sa.Column("sold", sa.Integer, nullable=False, server_default=sa.text("0")),  # since stock was said
    sa.Column("image", sa.Text),  # its address
)

fees = sa.Table(
    "fees",
    metadata,
    *_key(),
    sa.Column("method_type", sa.Text, nullable=False),
    sa.Column("from_amount", sa.BigInteger, nullable=False),
    sa.Column("to_amount", sa.BigInteger),
    sa.Column("flat", sa.BigInteger, nullable=False),
    sa.Column("ppm", sa.Integer, nullable=False),
    sa.Column("valid_from", Moment),
    sa.Column("valid_until", Moment),  # no longer in force from then on
)

# --- what came in, what goes out -------------------------------------------------------------------

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
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
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
    _one_of("state", "waiting", "done", "kept", "parked"),
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
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
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
    sa.Column("error", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    _one_of(
        "state", "waiting", "sending", "unknown", "sent", "delivered", "read", "played", "failed", "held"
    ),
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
    *_key("target_id"),
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
    sa.Column("target_id", sa.Uuid, nullable=False),
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

# --- money -----------------------------------------------------------------------------------------

accounts = sa.Table(
    "accounts",
    metadata,
    *_key(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("posted", sa.BigInteger, nullable=False),
    sa.Column("held", sa.BigInteger, nullable=False),
    sa.Column("entries", sa.BigInteger, nullable=False, server_default=sa.text("0")),  # how many, ever
    sa.Column("limited", sa.Boolean, nullable=False),
    sa.UniqueConstraint("tenant_id", "name", "currency"),
    sa.CheckConstraint("held >= 0", name="held"),
    sa.CheckConstraint("NOT limited OR posted - held >= 0", name="available"),
)

transfers = sa.Table(
    "transfers",
    metadata,
    *_key(),
    sa.Column("source_id", sa.Uuid, nullable=False),
    sa.Column("source_entry", sa.BigInteger, nullable=False, server_default=sa.text("0")),  # its number there
    sa.Column("target_id", sa.Uuid, nullable=False),
    sa.Column("target_entry", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    # sale, sale_fee, suspense, payout, withdrawal_fee, refund; accepted (suspense to wallet); netted (paid
    # of what is owed); reversal, reversal_owed (a provider took it back: what the wallet covered, the rest)
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column(
        "cause_id", sa.Uuid, nullable=False
    ),  # the attempt, withdrawal, refund or reversal that moved it
    sa.Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("tenant_id", "cause_id", "reason"),
    sa.CheckConstraint("amount > 0", name="amount"),
    sa.CheckConstraint("source_id <> target_id", name="legs"),
    _of("accounts", "source_id"),
    _of("accounts", "target_id"),
    sa.Index(None, "tenant_id", "created_at"),
    sa.Index("ix_transfers_latest", "created_at", postgresql_using="brin"),  # they come in that order, nearly
)

holds = sa.Table(
    "holds",
    metadata,
    *_key(),  # the id of the withdrawal
    sa.Column("account_id", sa.Uuid, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("resolved_at", Moment),
    sa.CheckConstraint("amount > 0", name="amount"),
    _one_of("state", "open", "posted", "voided", "expired"),
    _of("accounts", "account_id"),
    sa.Index(
        "ix_holds_open",
        "tenant_id",
        "account_id",
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    ),
    sa.Index("ix_holds_resolved_at", "resolved_at"),
)

orders = sa.Table(
    "orders",
    metadata,
    *_key(),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("person_id", sa.Uuid, nullable=False),
    sa.Column("conversation_id", sa.Uuid),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("lines", sa.JSON, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("delivery", sa.Boolean),  # false: is picked up; None: nobody was asked
    sa.Column("asked_by", sa.Uuid),  # who of the staff asked the customer to pay it
    sa.Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("tenant_id", "number"),
    sa.CheckConstraint("total > 0", name="total"),
    _one_of("status", "open", "awaiting_payment", "paid", "fulfilled", "canceled", "refunded"),
    _of("people", "person_id"),
    sa.Index(None, "tenant_id", "person_id"),
)

# What a person has chosen and not paid yet. Its lines tell what and how many; prices are read anew.
carts = sa.Table(
    "carts",
    metadata,
    *_key("person_id"),
    sa.Column("lines", sa.JSON, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("delivery", sa.Boolean, nullable=False),
    sa.Column("order_id", sa.Uuid),  # what it was last checked out as
    sa.Column("changed_at", Moment, nullable=False),
    _of("people", "person_id"),
)

# What a customer owes for an order. Its attempts are apart.
payments = sa.Table(
    "payments",
    metadata,
    *_key(),
    sa.Column("order_id", sa.Uuid, nullable=False),
    sa.Column("person_id", sa.Uuid, nullable=False),
    sa.Column("conversation_id", sa.Uuid),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("receipt", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("paid_at", Moment),
    sa.UniqueConstraint("tenant_id", "order_id"),
    sa.CheckConstraint("amount > 0", name="amount"),
    _one_of(
        "status",
        "awaiting_customer",
        "pending",
        "succeeded",
        "failed",
        "expired",
        "canceled",
        "partially_refunded",
        "refunded",
    ),
    _of("orders", "order_id"),
)

LIVE_ATTEMPT = sa.text("state IN ('created', 'submitting', 'pending', 'unknown')")

attempts = sa.Table(
    "attempts",
    metadata,
    *_key(),
    sa.Column("payment_id", sa.Uuid, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("method_id", sa.Uuid),  # the saved method, where it was one
    sa.Column("details_sealed", sa.LargeBinary, nullable=False),  # e.g. {"phone_number": ...}
    sa.Column("label", sa.Text, nullable=False),  # masked
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("because", sa.Text),  # our word for the failure
    sa.Column("detail", sa.Text),  # theirs
    # A Daraja CheckoutRequestID ends in the phone's digits, so it is sealed like one.
    sa.Column("reference_sealed", sa.LargeBinary),
    sa.Column("receipt", sa.Text),
    sa.Column("asked", sa.Boolean, nullable=False, server_default=sa.false()),  # the person asked: tell
    sa.Column("doubt", sa.Text),  # a success was told that may not be credited, or not yet
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("resolved_at", Moment),
    _one_of("state", "created", "submitting", "pending", "unknown", "succeeded", "failed", "expired"),
    _one_of("doubt", "unconfirmed", "contradicted", "other_amount"),
    _of("payments", "payment_id"),
    sa.Index(None, "tenant_id", "payment_id"),
    # Never two live attempts for one payment, whoever races.
    sa.Index(
        "uq_attempts_live",
        "tenant_id",
        "payment_id",
        unique=True,
        postgresql_where=LIVE_ATTEMPT,
        sqlite_where=LIVE_ATTEMPT,
    ),
    # Each provider receipt is applied once.
    sa.UniqueConstraint("tenant_id", "provider", "receipt"),
    sa.Index("ix_attempts_resolved_at", "resolved_at"),
)

saved_methods = sa.Table(
    "saved_methods",
    metadata,
    *_key(),
    sa.Column("person_id", sa.Uuid, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("details_sealed", sa.LargeBinary, nullable=False),
    sa.Column("details_index", sa.LargeBinary, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("saved_at", Moment, nullable=False),
    sa.UniqueConstraint("tenant_id", "person_id", "provider", "details_index"),
    _of("people", "person_id"),
    sa.Index(
        "uq_saved_methods_default",
        "tenant_id",
        "person_id",
        unique=True,
        postgresql_where=sa.text("is_default"),
        sqlite_where=sa.text("is_default"),
    ),
)

# Operations: what one person asks for and others approve. What is to be done is kept by its kind, under
# the same id.
operations = sa.Table(
    "operations",
    metadata,
    *_key(),
    sa.Column("kind", sa.Text, nullable=False),  # withdrawal...
    sa.Column("maker_id", sa.Uuid, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),  # how often it was asked: approvals count for one
    sa.Column("approvals_needed", sa.Integer, nullable=False),  # of others than the maker
    sa.Column("step_up", sa.Boolean, nullable=False),  # whoever approves types a one-time code
    sa.Column("digest", sa.Text, nullable=False),  # of all that decides what is done
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("wrong_codes", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("decided_by", sa.Uuid),
    sa.Column("decided_at", Moment),
    sa.CheckConstraint("approvals_needed > 0", name="approvals_needed"),
    _one_of("state", "pending", "approved", "rejected", "canceled", "expired"),
    sa.UniqueConstraint("tenant_id", "id", "maker_id"),
    _of("people", "maker_id"),
    sa.Index(None, "tenant_id", "state"),
)

# An approver's right, lent to another of the staff for some days. It is an operation of the same id.
lendings = sa.Table(
    "lendings",
    metadata,
    *_key(),
    sa.Column("lender_id", sa.Uuid, nullable=False),
    sa.Column("borrower_id", sa.Uuid, nullable=False),
    sa.Column("begins_at", Moment),  # when it was approved
    sa.Column("until", Moment, nullable=False),
    sa.Column("ended_at", Moment),  # taken back sooner
    sa.CheckConstraint("lender_id <> borrower_id", name="two_people"),
    sa.ForeignKeyConstraint(["tenant_id", "lender_id"], ["staff.tenant_id", "staff.person_id"]),
    sa.ForeignKeyConstraint(["tenant_id", "borrower_id"], ["staff.tenant_id", "staff.person_id"]),
    sa.Index(None, "tenant_id", "borrower_id"),
)

# Approvals: the maker stands in each row, so that the database itself refuses a maker's own.
approvals = sa.Table(
    "approvals",
    metadata,
    *_key("operation_id"),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("approver_id", sa.Uuid, primary_key=True),
    sa.Column("right_of", sa.Uuid, nullable=False),  # the approver's own, or who lent it: used once
    sa.Column("maker_id", sa.Uuid, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.CheckConstraint("approver_id <> maker_id AND right_of <> maker_id", name="four_eyes"),
    sa.UniqueConstraint("tenant_id", "operation_id", "round", "right_of"),
    sa.ForeignKeyConstraint(
        ["tenant_id", "operation_id", "maker_id"],
        ["operations.tenant_id", "operations.id", "operations.maker_id"],
        name="fk_approvals_operation_maker",
    ),
    _of("people", "approver_id"),
)

# What the staff change of the tenant's settings; its approvals are those of the operation of its id.
changes = sa.Table(
    "changes",
    metadata,
    *_key(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("facts_sealed", sa.LargeBinary, nullable=False),  # what is to be, and what it was asked upon
    sa.Column("before", sa.JSON, nullable=False),  # masked
    sa.Column("after", sa.JSON, nullable=False),  # masked
    sa.Column("keys", sa.JSON, nullable=False),  # of the tenant file
    sa.Column(
        "cools", sa.Boolean, nullable=False
    ),  # after its approval it waits, so that it can be taken back
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("because", sa.Text),  # why it did not take effect
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("due_at", Moment),  # when it takes effect
    sa.Column("ended_at", Moment),
    _one_of(
        "state",
        "pending",
        "cooling",
        "done",
        "undone",
        "rejected",
        "canceled",
        "expired",
        "taken_back",
        "void",
    ),
    _one_of("kind", "destination", "limits", "staff", "resume"),
    _of("operations", "id"),
    sa.Index(None, "tenant_id", "state"),
)

withdrawals = sa.Table(
    "withdrawals",
    metadata,
    *_key(),
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
    sa.CheckConstraint("amount = fee + net AND net > 0 AND fee >= 0", name="net"),
    _one_of("status", "pending", "processing", "completed", "failed", "canceled", "rejected", "expired"),
    sa.UniqueConstraint("tenant_id", "id", "maker_id"),
    _of("people", "maker_id"),
    sa.Index(None, "tenant_id", "status"),
)

withdrawal_history = sa.Table(
    "withdrawal_history",
    metadata,
    sa.Column("seq", _Seq, primary_key=True, autoincrement=True),
    sa.Column("tenant_id", sa.Uuid, nullable=False),
    sa.Column("withdrawal_id", sa.Uuid, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("by_id", sa.Uuid),
    sa.Column("reason", sa.Text),
    sa.Column("at", Moment, nullable=False),
    _of("withdrawals", "withdrawal_id"),
    sa.Index(None, "tenant_id", "withdrawal_id"),
)

LIVE_PAYOUT = sa.text("state IN ('created', 'submitting', 'pending', 'unknown', 'succeeded')")

payouts = sa.Table(
    "payouts",
    metadata,
    *_key(),  # the id is the one that the provider is sent
    sa.Column("withdrawal_id", sa.Uuid, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reference", sa.Text),  # as the provider acknowledged it
    sa.Column("recipient", sa.Text),  # what the provider calls the destination
    sa.Column("receipt", sa.Text),
    sa.Column("because", sa.Text),
    sa.Column("detail", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("not_before", Moment),  # hours in which the tenant sends nothing
    sa.Column("resolved_at", Moment),
    _one_of("state", "created", "submitting", "pending", "unknown", "succeeded", "failed"),
    _of("withdrawals", "withdrawal_id"),
    sa.Index(
        "uq_payouts_live",
        "tenant_id",
        "withdrawal_id",
        unique=True,
        postgresql_where=LIVE_PAYOUT,
        sqlite_where=LIVE_PAYOUT,
    ),
    sa.UniqueConstraint("tenant_id", "provider", "receipt"),
    sa.Index("ix_payouts_resolved_at", "resolved_at"),
)

# --- the proof of the books ------------------------------------------------------------------------

# Up to which of its entries an account's balance is proven, and what it was then.
account_proofs = sa.Table(
    "account_proofs",
    metadata,
    *_key("account_id"),
    sa.Column("entries", sa.BigInteger, nullable=False),
    sa.Column("posted", sa.BigInteger, nullable=False),
    sa.Column("proven_at", Moment, nullable=False),
    _of("accounts", "account_id"),
)

OPEN_BREACH = sa.text("repaired_at IS NULL")
breaches = sa.Table(
    "breaches",
    metadata,
    *_key(),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("row", sa.Text, nullable=False),
    sa.Column("expected", sa.Text, nullable=False),
    sa.Column("found", sa.Text, nullable=False),
    sa.Column("found_at", Moment, nullable=False),
    sa.Column("repaired_at", Moment),  # when an operator let payouts go on, the books being right again
    sa.Index(
        "uq_breaches_open",
        "tenant_id",
        "rule",
        "row",
        unique=True,
        postgresql_where=OPEN_BREACH,
        sqlite_where=OPEN_BREACH,
    ),
)

# The last check of each kind over all tenants ("minute", "night"); `snapshot_at` is what it has seen up to.
book_checks = sa.Table(
    "book_checks",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("snapshot_at", Moment, nullable=False),
    sa.Column("ended_at", Moment, nullable=False),
    sa.Column("accounts", sa.BigInteger, nullable=False),  # how many were proven anew
    sa.Column("found", sa.BigInteger, nullable=False),  # breaches
)

# --- money that goes back --------------------------------------------------------------------------

# A customer who has asked the shop for their money. One of the staff takes it up, or declines.
OPEN_WISH = sa.text("state = 'open'")
refund_wishes = sa.Table(
    "refund_wishes",
    metadata,
    *_key(),
    sa.Column("payment_id", sa.Uuid, nullable=False),
    sa.Column("person_id", sa.Uuid, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("done_by", sa.Uuid),
    sa.Column("done_at", Moment),
    _one_of("state", "open", "taken", "declined"),
    _of("payments", "payment_id"),
    _of("people", "person_id"),
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
    *_key(),
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
    _one_of("source", "wallet", "suspense"),
    _one_of("way", "reversal", "payout", "sale"),
    _one_of("status", "pending", "processing", "completed", "failed", "canceled", "rejected", "expired"),
    _of("payments", "payment_id"),
    _of("attempts", "attempt_id"),
    _of("people", "maker_id"),
    sa.Index(None, "tenant_id", "payment_id"),
)

# Asking the provider once. The id is committed before the first byte is sent.
refund_attempts = sa.Table(
    "refund_attempts",
    metadata,
    *_key(),
    sa.Column("refund_id", sa.Uuid, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reference", sa.Text),  # as the provider acknowledged it
    sa.Column("receipt", sa.Text),
    sa.Column("because", sa.Text),
    sa.Column("detail", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("resolved_at", Moment),
    _one_of("state", "created", "submitting", "pending", "unknown", "succeeded", "failed"),
    _of("refunds", "refund_id"),
    sa.UniqueConstraint("tenant_id", "refund_id"),  # never asked for twice
    sa.UniqueConstraint("tenant_id", "provider", "receipt"),
)

# What a provider took back by itself: a reversal, a lost dispute. `reference` is theirs, applied once.
reversals = sa.Table(
    "reversals",
    metadata,
    *_key(),
    sa.Column("attempt_id", sa.Uuid, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("owed", sa.BigInteger, nullable=False),  # of the amount, what the wallet did not cover
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    _one_of("source", "wallet", "suspense"),
    _of("attempts", "attempt_id"),
    sa.UniqueConstraint("tenant_id", "provider", "reference"),
    sa.Index(None, "tenant_id", "attempt_id"),
)

# --- the record ------------------------------------------------------------------------------------

# A chain for each tenant: see services/audit/chain.py.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("tenant_id", sa.Uuid, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),  # from 1, without a gap
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),  # a person's id, or "operator", "provider", "clock"
    sa.Column("channel", sa.Text, nullable=False),  # chat, api, cli, provider, clock
    sa.Column("via", sa.Text),  # a conversation's id, a key's prefix, a provider's or a job's name
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),  # masked, as all that follows
    sa.Column("before", sa.JSON(none_as_null=True)),
    sa.Column("after", sa.JSON(none_as_null=True)),
    sa.Column("private", sa.LargeBinary),  # the digest of what may be erased
    sa.Column("alert", sa.Boolean, nullable=False),  # somebody should look
    sa.Column("previous", sa.LargeBinary, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Index(
        "ix_audit_alerts",
        "tenant_id",
        "seq",
        postgresql_where=sa.text("alert"),
        sqlite_where=sa.text("alert"),
    ),
)

# Where each chain ends: the row that its writers wait for.
audit_heads = sa.Table(
    "audit_heads",
    metadata,
    sa.Column("tenant_id", sa.Uuid, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("previous", sa.LargeBinary, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("anchored_seq", sa.BigInteger, nullable=False, server_default=sa.text("0")),
)

# What may have to be erased: the chain holds its salted digest only, and stands without it.
audit_private = sa.Table(
    "audit_private",
    metadata,
    sa.Column("tenant_id", sa.Uuid, primary_key=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("subject_id", sa.Uuid, nullable=False),  # whom it is about
    sa.Column("facts_sealed", sa.LargeBinary, nullable=False),  # with their salt
    sa.Index(None, "tenant_id", "subject_id"),
)

# Keys of the API: the key itself is never stored, only a keyed hash of it. `prefix` names it.
api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("prefix", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Uuid, nullable=False),
    sa.Column("person_id", sa.Uuid, nullable=False),
    sa.Column("key_index", sa.LargeBinary, nullable=False),  # a mark, see the vault
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("last_used_at", Moment),  # to the hour
    sa.Column("revoked_at", Moment),
    sa.ForeignKeyConstraint(["tenant_id", "person_id"], ["staff.tenant_id", "staff.person_id"]),
    sa.Index(None, "tenant_id", "person_id"),
)

# What the API answered to an Idempotency-Key, written with the effect.
api_answers = sa.Table(
    "api_answers",
    metadata,
    *_key("person_id"),
    sa.Column("route", sa.Text, primary_key=True),  # method and path
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("body_hash", sa.LargeBinary, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("answer_sealed", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index(None, "tenant_id", "created_at"),
)
