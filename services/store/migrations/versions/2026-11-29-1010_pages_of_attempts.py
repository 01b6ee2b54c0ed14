"""the hosted pages of attempts, and methods that are to be forgotten at their provider"""

import sqlalchemy as sa
from alembic import op

from services.store.schema.base import Moment

revision = "7c3e90d5ab14"
down_revision = "e1c70b9d3f52"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("attempts", sa.Column("page_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("attempts", sa.Column("page_until", Moment(), nullable=True))
    op.add_column("saved_methods", sa.Column("removed_at", Moment(), nullable=True))
