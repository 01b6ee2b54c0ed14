"""People: tenants, their settings and staff, and the chats in which all are met."""

import sqlalchemy as sa

from services.store.schema.base import Moment, key, metadata, of, one_of

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
    sa.Column("smart_order", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("fixed_fees", sa.Boolean, nullable=False, server_default=sa.false()),  # the operator's alone
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
    *key(),
    sa.Column("name", sa.Text),
    sa.Column("language", sa.Text),  # chosen; else the tenant's
    sa.Column("preferred_provider", sa.Text),  # chosen with a saved method, or by the shop for them
    sa.Column("stopped_at", Moment),  # since when they want nothing unasked
    sa.Column("stopped_by", sa.Text),  # chat, whatsapp
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("erased_at", Moment),  # nothing of them is known since then
)

staff = sa.Table(
    "staff",
    metadata,
    *key("person_id"),
    sa.Column("role", sa.Text),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("tell", sa.JSON(none_as_null=True)),  # the notices that they chose; None: the usual ones
    sa.Column("email_sealed", sa.LargeBinary),  # where they are written to beside the chat
    sa.Column("approves_from", Moment),  # approves nothing before then
    sa.Column("suspended_at", Moment),  # their WhatsApp has changed: until the operator verifies who it is
    of("people", "person_id"),
)

# One-time codes of those who approve.
totps = sa.Table(
    "totps",
    metadata,
    *key("person_id"),
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
    *key(),
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
    of("people", "person_id"),
    sa.Index(None, "tenant_id", "person_id"),
)

# A person of the staff answers instead of the bot: one is open for a chat at most.
OPEN_HANDOFF = sa.text("state <> 'done'")

handoffs = sa.Table(
    "handoffs",
    metadata,
    *key(),
    sa.Column("conversation_id", sa.Uuid, nullable=False),  # the customer's
    sa.Column("person_id", sa.Uuid, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("taken_by", sa.Uuid),
    sa.Column("taken_chat", sa.Uuid),  # where they answer from
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("spoke_at", Moment, nullable=False),  # the staff, last; else when it was asked for
    sa.Column("done_at", Moment),
    sa.Column("done_because", sa.Text),
    one_of("state", "waiting", "taken", "done"),
    of("conversations", "conversation_id"),
    of("people", "person_id"),
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
    *key(),
    sa.Column("handoff_id", sa.Uuid, nullable=False),
    sa.Column("person_id", sa.Uuid, nullable=False),
    sa.Column("words_sealed", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    of("handoffs", "handoff_id"),
    sa.Index(None, "tenant_id", "handoff_id"),
)
