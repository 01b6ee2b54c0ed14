"""accounts at providers that lately left calls unanswered"""

import sqlalchemy as sa
from alembic import op

from services.store.schema.base import Moment

revision = "5b0a7f3d92ce"
down_revision = "7c3e90d5ab14"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "breakers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("outcomes", sa.Text(), nullable=False),
        sa.Column("open_until", Moment(), nullable=True),
        sa.Column("heard_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_breakers_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "provider", "operation", name=op.f("pk_breakers")),
    )
