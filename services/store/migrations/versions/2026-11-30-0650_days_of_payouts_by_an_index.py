"""days of payouts by an index"""

from alembic import op

revision = "b3d96f1e40c7"
down_revision = "7c41f0a9d2e8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_index("ix_payouts_tenant_id_resolved_at", "payouts", ["tenant_id", "resolved_at"])
