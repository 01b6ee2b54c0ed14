"""keys of WhatsApp accounts"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "d27f6a10c8b5"
down_revision = "c94e2b6d1f07"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("conversations", sa.Column("key_index", sa.LargeBinary(), nullable=True))
    op.add_column("conversations", sa.Column("key_told_at", Moment(), nullable=True))
