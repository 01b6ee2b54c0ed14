"""turns of payouts"""

import sqlalchemy as sa
from alembic import op

revision = "382e32035280"
down_revision = "42dc1f24fe3a"
branch_labels = None
depends_on = None

_UNDER_WAY = sa.text("state IN ('submitting', 'pending', 'unknown')")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("payouts", sa.Column("turn", sa.Text(), nullable=True))
    op.add_column("payouts", sa.Column("held", sa.Text(), nullable=True))
    op.create_index(
        "uq_payouts_turn",
        "payouts",
        ["tenant_id", "turn"],
        unique=True,
        postgresql_where=_UNDER_WAY,
        sqlite_where=_UNDER_WAY,
    )
