"""approvals by sums"""

import sqlalchemy as sa
from alembic import op

revision = "e2b84c6f0a17"
down_revision = "7d1f5a90c3e8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column(
        "tenants", sa.Column("approvals_above", sa.JSON(), nullable=False, server_default="[]")
    )
