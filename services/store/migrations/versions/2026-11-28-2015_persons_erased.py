"""persons erased"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "a41c7e90d2b5"
down_revision = "467041c83640"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("people", sa.Column("erased_at", Moment(), nullable=True))
