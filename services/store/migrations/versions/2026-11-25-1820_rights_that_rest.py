"""rights that rest"""

import sqlalchemy as sa
from alembic import op

from services.store import schema

revision = '7c1e4f20b6aa'
down_revision = '5b0c3a7d9e11'
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column('staff', sa.Column('suspended_at', schema.Moment(), nullable=True))
