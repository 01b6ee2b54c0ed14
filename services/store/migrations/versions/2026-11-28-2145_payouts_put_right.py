"""payouts put right"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "c7d15e2ab904"
down_revision = "5e2c7d90b1a4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("payouts", sa.Column("left_at", Moment(), nullable=True))
    op.add_column("payouts", sa.Column("denied_at", Moment(), nullable=True))
