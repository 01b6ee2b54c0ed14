"""what messages cost"""

import sqlalchemy as sa
from alembic import op

from services.store.schema.base import Moment

revision = "b3d90e6c5a17"
down_revision = "e1b7c4a90d35"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "message_rates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("only_for", sa.Uuid(), nullable=True),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("countries", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("millionths", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", Moment(), nullable=True),
        sa.Column("valid_until", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_rates")),
    )
    op.add_column("outbox", sa.Column("price_country", sa.Text(), nullable=True))
