"""what was told of payments in doubt"""

import sqlalchemy as sa
from alembic import op

revision = "5d0b7e83c1fa"
down_revision = "b3d90e6c5a17"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("attempts", sa.Column("told", sa.JSON(), nullable=True))
