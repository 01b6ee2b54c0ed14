"""payouts not before"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "c8f3b1d60e94"
down_revision = "1d6af4ab3fdc"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("payouts", sa.Column("not_before", Moment(), nullable=True))
