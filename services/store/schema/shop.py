"""What is sold, and what customers order and owe."""

import sqlalchemy as sa

from services.store.schema.base import Moment, key, metadata, of, one_of

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

orders = sa.Table(
    "orders",
    metadata,
    *key(),
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
    sa.Column("fulfilled_at", Moment),
    sa.UniqueConstraint("tenant_id", "number"),
    sa.CheckConstraint("total > 0", name="total"),
    one_of("status", "open", "awaiting_payment", "paid", "fulfilled", "canceled", "refunded"),
    of("people", "person_id"),
    sa.Index(None, "tenant_id", "person_id"),
)

# What a person has chosen and not paid yet. Its lines tell what and how many; prices are read anew.
carts = sa.Table(
    "carts",
    metadata,
    *key("person_id"),
    sa.Column("lines", sa.JSON, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("delivery", sa.Boolean, nullable=False),
    sa.Column("order_id", sa.Uuid),  # what it was last checked out as
    sa.Column("changed_at", Moment, nullable=False),
    of("people", "person_id"),
)

# What a customer owes for an order. Its attempts are apart.
payments = sa.Table(
    "payments",
    metadata,
    *key(),
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
    one_of(
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
    of("orders", "order_id"),
)

LIVE_ATTEMPT = sa.text("state IN ('created', 'submitting', 'pending', 'unknown')")

attempts = sa.Table(
    "attempts",
    metadata,
    *key(),
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
    sa.Column("page_sealed", sa.LargeBinary),  # the hosted page's address, while it can be paid there
    sa.Column("page_until", Moment),  # of one that is paid on a page
    sa.Column("receipt", sa.Text),
    sa.Column("asked", sa.Boolean, nullable=False, server_default=sa.false()),  # the person asked: tell
    sa.Column("doubt", sa.Text),  # a success was told that may not be credited, or not yet
    # What the provider has told that could not be booked, as services.news.review.Told; few have any.
    sa.Column("told", sa.JSON),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("resolved_at", Moment),
    one_of("state", "created", "submitting", "pending", "unknown", "succeeded", "failed", "expired"),
    one_of("doubt", "unconfirmed", "contradicted", "other_amount"),
    of("payments", "payment_id"),
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
    # Few of very many, which people look at.
    sa.Index(
        "ix_attempts_doubt",
        "tenant_id",
        postgresql_where=sa.text("doubt IS NOT NULL"),
        sqlite_where=sa.text("doubt IS NOT NULL"),
    ),
)

saved_methods = sa.Table(
    "saved_methods",
    metadata,
    *key(),
    sa.Column("person_id", sa.Uuid, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("details_sealed", sa.LargeBinary, nullable=False),
    sa.Column("details_index", sa.LargeBinary, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("saved_at", Moment, nullable=False),
    sa.Column("removed_at", Moment),  # until its provider has forgotten it too
    sa.UniqueConstraint("tenant_id", "person_id", "provider", "details_index"),
    of("people", "person_id"),
    sa.Index(
        "uq_saved_methods_default",
        "tenant_id",
        "person_id",
        unique=True,
        postgresql_where=sa.text("is_default"),
        sqlite_where=sa.text("is_default"),
    ),
)
