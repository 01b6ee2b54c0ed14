"""what providers charge"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "467041c83640"
down_revision = "3c9f1a7be260"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "costs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("only_for", sa.Uuid(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("from_amount", sa.BigInteger(), nullable=False),
        sa.Column("to_amount", sa.BigInteger(), nullable=True),
        sa.Column("flat", sa.BigInteger(), nullable=False),
        sa.Column("ppm", sa.Integer(), nullable=False),
        sa.Column("valid_from", Moment(), nullable=True),
        sa.Column("valid_until", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_costs")),
    )
    op.create_index(op.f("ix_costs_provider_rail_currency"), "costs", ["provider", "rail", "currency"])
    op.add_column("fees", sa.Column("currency", sa.String(length=3), server_default="KES", nullable=False))
    op.execute("UPDATE fees SET currency = (SELECT currency FROM tenants WHERE tenants.id = fees.tenant_id)")
