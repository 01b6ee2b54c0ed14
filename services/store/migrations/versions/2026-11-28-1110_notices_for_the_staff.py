"""notices for the staff"""

import sqlalchemy as sa
from alembic import op

revision = "c94e2b6d1f07"
down_revision = "b7d2049ce1f6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("staff", sa.Column("tell", sa.JSON(), nullable=True))
    op.add_column("tenants", sa.Column("low_balance", sa.BigInteger(), nullable=True))
    op.add_column("tenants", sa.Column("summary_at", sa.Text(), nullable=False, server_default="20:00"))
    # Due at once: the job finds its hour by itself.
    op.execute(
        "INSERT INTO jobs (tenant_id, target_id, kind, due_at, tries) "
        "SELECT id, id, 'summary', created_at, 0 FROM tenants"
    )
