"""prices of messages"""

import sqlalchemy as sa
from alembic import op

revision = "a81d5c20f7e3"
down_revision = "3f9c1b70a2d4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("outbox", sa.Column("price_category", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("price_type", sa.Text(), nullable=True))
