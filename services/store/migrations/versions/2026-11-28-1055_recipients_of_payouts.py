"""recipients of payouts"""

import sqlalchemy as sa
from alembic import op

revision = "c4b7e91d3a58"
down_revision = "b7c41f0e92d6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("payouts", sa.Column("recipient", sa.Text(), nullable=True))
