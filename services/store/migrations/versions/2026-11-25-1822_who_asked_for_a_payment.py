"""who asked for a payment"""

import sqlalchemy as sa
from alembic import op

revision = "6a6249463ed7"
down_revision = 'c41f0d7be205'
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("orders", sa.Column("asked_by", sa.Uuid(), nullable=True))
