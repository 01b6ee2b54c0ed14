"""limits of withdrawals, and what is unusual of one"""

import sqlalchemy as sa
from alembic import op

revision = "5c0d7be2a914"
down_revision = "a4c7e19d5b20"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("tenants", sa.Column("per_destination", sa.BigInteger(), nullable=True))
    op.add_column("tenants", sa.Column("per_maker", sa.BigInteger(), nullable=True))
    op.add_column("tenants", sa.Column("count_per_day", sa.Integer(), nullable=True))
    op.add_column("tenants", sa.Column("count_per_destination", sa.Integer(), nullable=True))
    op.add_column("tenants", sa.Column("blocked_hours", sa.Text(), nullable=True))
    op.add_column("withdrawals", sa.Column("flags", sa.JSON(), nullable=False, server_default="[]"))
