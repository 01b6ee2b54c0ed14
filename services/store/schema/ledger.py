"""The ledger: accounts, transfers and holds, the prices of moving money, and the proof of the books."""

import sqlalchemy as sa

from services.store.schema.base import Moment, key, metadata, of, one_of

accounts = sa.Table(
    "accounts",
    metadata,
    *key(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("posted", sa.BigInteger, nullable=False),
    sa.Column("held", sa.BigInteger, nullable=False),
    sa.Column("entries", sa.BigInteger, nullable=False, server_default=sa.text("0")),  # how many, ever
    sa.Column("limited", sa.Boolean, nullable=False),
    sa.Column("hash", sa.LargeBinary),  # of its last transfer that is chained
    sa.UniqueConstraint("tenant_id", "name", "currency"),
    sa.CheckConstraint("held >= 0", name="held"),
    sa.CheckConstraint("NOT limited OR posted - held >= 0", name="available"),
)

transfers = sa.Table(
    "transfers",
    metadata,
    *key(),
    sa.Column("source_id", sa.Uuid, nullable=False),
    sa.Column("source_entry", sa.BigInteger, nullable=False, server_default=sa.text("0")),  # its number there
    sa.Column("target_id", sa.Uuid, nullable=False),
    sa.Column("target_entry", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    # sale, sale_fee, suspense, payout, withdrawal_fee, refund; accepted (suspense to wallet); netted (paid
    # of what is owed); payout_returned, withdrawal_fee_returned (the provider gave a payout back);
    # refund_returned (the same of a refund, or it was denied); reversal, reversal_owed (a provider took a
    # payment back: what the wallet covered, the rest);
    # payout_late, payout_late_owed (a payout that had failed was paid after all: the same two);
    # cost (of the provider's, as expected), cost_more, cost_less (as its statement has it)
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column(
        "cause_id", sa.Uuid, nullable=False
    ),  # the attempt, withdrawal, refund or reversal that moved it
    sa.Column("created_at", Moment, nullable=False),
    # By which way the cause has come, and the place in the chain (services/ledger/chain.py); null where a
    # release has posted it that kept none.
    sa.Column("channel", sa.Text),
    sa.Column("via", sa.Text),
    sa.Column("hash", sa.LargeBinary),
    sa.UniqueConstraint("tenant_id", "cause_id", "reason"),
    sa.CheckConstraint("amount > 0", name="amount"),
    sa.CheckConstraint("source_id <> target_id", name="legs"),
    of("accounts", "source_id"),
    of("accounts", "target_id"),
    sa.Index(None, "tenant_id", "created_at"),
    sa.Index("ix_transfers_latest", "created_at", postgresql_using="brin"),  # they come in that order, nearly
)

holds = sa.Table(
    "holds",
    metadata,
    *key(),  # the id of the withdrawal
    sa.Column("account_id", sa.Uuid, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("resolved_at", Moment),
    sa.CheckConstraint("amount > 0", name="amount"),
    one_of("state", "open", "posted", "voided", "expired"),
    of("accounts", "account_id"),
    sa.Index(
        "ix_holds_open",
        "tenant_id",
        "account_id",
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    ),
    sa.Index("ix_holds_resolved_at", "resolved_at"),
)

fees = sa.Table(
    "fees",
    metadata,
    *key(),
    sa.Column("method_type", sa.Text, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False, server_default="KES"),
    sa.Column("from_amount", sa.BigInteger, nullable=False),
    sa.Column("to_amount", sa.BigInteger),
    sa.Column("flat", sa.BigInteger, nullable=False),
    sa.Column("ppm", sa.Integer, nullable=False),
    sa.Column("valid_from", Moment),
    sa.Column("valid_until", Moment),  # no longer in force from then on
)

# What providers charge the platform, which is no business of the tenants. The table is the platform's: it
# belongs to no tenant, and `only_for` names the one whose own tariff a band is of.
costs = sa.Table(
    "costs",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("only_for", sa.Uuid),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("rail", sa.Text, nullable=False),  # collection, reversal, or a way out
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("from_amount", sa.BigInteger, nullable=False),
    sa.Column("to_amount", sa.BigInteger),
    sa.Column("flat", sa.BigInteger, nullable=False),
    sa.Column("ppm", sa.Integer, nullable=False),
    sa.Column("valid_from", Moment),
    sa.Column("valid_until", Moment),
    sa.Index(None, "provider", "rail", "currency"),
)

# What a message costs, as the operator tells it (services/costs/messages.py). No tenant reads it.
message_rates = sa.Table(
    "message_rates",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("only_for", sa.Uuid),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("countries", sa.Text, nullable=False),  # "NG ZA"; empty: of all that have none of their own
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column(
        "millionths", sa.BigInteger, nullable=False
    ),  # of a unit, since a message costs parts of a cent
    sa.Column("valid_from", Moment),
    sa.Column("valid_until", Moment),
)

# Up to which of its entries an account's balance is proven, and what it was then.
account_proofs = sa.Table(
    "account_proofs",
    metadata,
    *key("account_id"),
    sa.Column("entries", sa.BigInteger, nullable=False),
    sa.Column("posted", sa.BigInteger, nullable=False),
    sa.Column("proven_at", Moment, nullable=False),
    of("accounts", "account_id"),
)

OPEN_BREACH = sa.text("repaired_at IS NULL")

breaches = sa.Table(
    "breaches",
    metadata,
    *key(),
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

# The last check of each kind over all tenants (see services/books/watch.py); `snapshot_at` is what it has
# seen up to.
book_checks = sa.Table(
    "book_checks",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("snapshot_at", Moment, nullable=False),
    sa.Column("ended_at", Moment, nullable=False),
    sa.Column("accounts", sa.BigInteger, nullable=False),  # how many were proven anew
    sa.Column("found", sa.BigInteger, nullable=False),  # breaches
)
