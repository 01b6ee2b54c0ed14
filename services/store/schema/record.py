"""The record: the audit, and what the API has answered."""

import sqlalchemy as sa

from services.store.schema.base import Moment, key, metadata, one_of

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
    sa.Column(
        "posted_seq", sa.BigInteger, nullable=False, server_default=sa.text("0")
    ),  # as far as e-mails go
)

# Entries that somebody is to be told of by e-mail, until they are. `recipient_id`: a person of the staff, or
# what follows from an address of the operator's.
mails = sa.Table(
    "mails",
    metadata,
    sa.Column("tenant_id", sa.Uuid, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),  # of the entry
    sa.Column("recipient_id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    one_of("kind", "alert", "approval"),
    sa.Index(None, "recipient_id", "kind", "created_at"),
)

# What is not as it should be and lasts: each is an alert once, and again only after it was well for a while.
conditions = sa.Table(
    "conditions",
    metadata,
    sa.Column("tenant_id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),  # an id, or what names it
    sa.Column("began_at", Moment, nullable=False),
    sa.Column("well_at", Moment),  # since when it is no longer so
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
    *key("person_id"),
    sa.Column("route", sa.Text, primary_key=True),  # method and path
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("body_hash", sa.LargeBinary, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("answer_sealed", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index(None, "tenant_id", "created_at"),
)
