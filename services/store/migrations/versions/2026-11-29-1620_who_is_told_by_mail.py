"""who is told by e-mail, what lasts that should not, and indexes of what is open"""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from services.store.schema.base import Moment

revision = "b83d51f06a9c"
down_revision = "c2e94f1a76d8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("staff", sa.Column("email_sealed", sa.LargeBinary(), nullable=True))
    posted = sa.Column("posted_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("audit_heads", posted)
    op.execute("UPDATE audit_heads SET posted_seq = seq")  # nobody is told of what was before
    op.create_table(
        "mails",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.CheckConstraint("kind IN ('alert', 'approval')", name=op.f("ck_mails_kind")),
        sa.PrimaryKeyConstraint("tenant_id", "seq", "recipient_id", name=op.f("pk_mails")),
    )
    op.create_index(
        op.f("ix_mails_recipient_id_kind_created_at"), "mails", ["recipient_id", "kind", "created_at"]
    )
    op.create_table(
        "conditions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("began_at", Moment(), nullable=False),
        sa.Column("well_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "subject", name=op.f("pk_conditions")),
    )
    jobs = sa.table(
        "jobs",
        sa.column("tenant_id", sa.Uuid),
        sa.column("target_id", sa.Uuid),
        sa.column("kind", sa.Text),
        sa.column("due_at", Moment),
    )
    nobody, long_ago = UUID(int=0), datetime(2026, 11, 29, tzinfo=UTC)
    op.execute(sa.insert(jobs).values(tenant_id=nobody, target_id=nobody, kind="watching", due_at=long_ago))
    pending = sa.text("state = 'pending'")
    op.create_index(
        "ix_operations_pending",
        "operations",
        ["kind", "created_at"],
        postgresql_where=pending,
        sqlite_where=pending,
    )
    live = sa.text("state IN ('created', 'submitting', 'pending', 'unknown')")
    op.create_index(
        "ix_refund_attempts_live",
        "refund_attempts",
        ["created_at"],
        postgresql_where=live,
        sqlite_where=live,
    )
