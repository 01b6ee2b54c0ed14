"""changes from inside, and payouts that a person has stopped"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "b81e3f5d7c26"
down_revision = "e1a7c05b9d24"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("tenants", sa.Column("stopped_at", Moment(), nullable=True))
    op.add_column("tenants", sa.Column("stopped_by", sa.Uuid(), nullable=True))
    op.create_table(
        "changes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("facts_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("keys", sa.JSON(), nullable=False),
        sa.Column("cools", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_changes")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "id"],
            ["operations.tenant_id", "operations.id"],
            name=op.f("fk_changes_tenant_id"),
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'cooling', 'done', 'undone', 'rejected', 'canceled', 'expired', "
            "'taken_back', 'void')",
            name=op.f("ck_changes_state"),
        ),
        sa.CheckConstraint(
            "kind IN ('destination', 'limits', 'staff', 'resume')", name=op.f("ck_changes_kind")
        ),
    )
    op.create_index(op.f("ix_changes_tenant_id_state"), "changes", ["tenant_id", "state"])
