"""What providers' statements say, and where our books and they do not fit together."""

import sqlalchemy as sa

from services.store.schema.base import Moment, key, metadata, of, one_of

_KINDS = ("paid", "sent", "back", "returned", "fee", "own")

# Their lines as they were first read. `key` is the provider's own name of a movement, so that reading the
# same statement again adds nothing. Nobody is named: a party is masked.
statement_lines = sa.Table(
    "statement_lines",
    metadata,
    sa.Column("tenant_id", sa.Uuid, primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("receipt", sa.Text),
    sa.Column("reference", sa.Text),  # what they call ours by
    sa.Column("of", sa.Text),  # the receipt that it is a fee of, or gives back
    sa.Column("fee", sa.BigInteger),  # where the line itself tells it
    sa.Column("party", sa.Text),  # masked
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("read_at", Moment, nullable=False),
    sa.CheckConstraint("amount > 0", name="amount"),
    one_of("kind", *_KINDS),
    one_of("source", "file", "api"),
    sa.Index(None, "tenant_id", "provider", "at"),
    sa.Index(None, "tenant_id", "provider", "receipt"),
    sa.Index(None, "tenant_id", "provider", "reference"),
    sa.Index(None, "tenant_id", "provider", "of"),
)

# Of which times they tell, by kind.
statement_coverages = sa.Table(
    "statement_coverages",
    metadata,
    *key(),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("since", Moment, nullable=False),
    sa.Column("until", Moment, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("read_at", Moment, nullable=False),
    sa.CheckConstraint("since <= until", name="period"),
    one_of("kind", *_KINDS),
    one_of("source", "file", "api"),
    sa.UniqueConstraint("tenant_id", "provider", "kind", "since", "until"),
)

# `subject` is what a break is about; its type may change with time. One that a person has closed stays so.
breaks = sa.Table(
    "breaks",
    metadata,
    *key(),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),  # when it happened: its age counts from there
    sa.Column("ours", sa.BigInteger),
    sa.Column("ours_currency", sa.String(3)),
    sa.Column("theirs", sa.BigInteger),
    sa.Column("theirs_currency", sa.String(3)),
    sa.Column(
        "item_id", sa.Uuid
    ),  # of what was asked for (see Item), or of the transfer that nothing asked for
    sa.Column("line_key", sa.Text),
    sa.Column("receipt", sa.Text),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("party", sa.Text),  # masked
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("found_at", Moment, nullable=False),
    sa.Column("explained_at", Moment),
    sa.Column("told_at", Moment),  # when its age was alerted
    sa.Column("closed_at", Moment),
    sa.Column("closed_by", sa.Uuid),  # null: the operator
    sa.Column("reason", sa.Text),
    sa.UniqueConstraint("tenant_id", "provider", "subject"),
    one_of("state", "open", "explained", "closed"),
    one_of(
        "type",
        "late",
        "missing_at_provider",
        "missing_in_books",
        "duplicate",
        "unknown_reference",
        "amount_differs",
        "currency_differs",
        "fee_differs",
    ),
    sa.CheckConstraint(
        "(state = 'closed') = (closed_at IS NOT NULL AND reason IS NOT NULL)",
        name="closed",
    ),
    of("people", "closed_by"),
    sa.Index(
        "ix_breaks_open",
        "tenant_id",
        "at",
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    ),
)
