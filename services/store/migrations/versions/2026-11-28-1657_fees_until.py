"""fees until"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "7e2d94c0b8f1"
down_revision = "b51e8d0c7a36"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("fees", sa.Column("valid_until", Moment(), nullable=True))
