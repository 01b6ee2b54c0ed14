"""ways out whose settings are wrong, whatever they rest for"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "5e2c7d90b1a4"
down_revision = "9b4de0c6f217"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("rails", sa.Column("refused_at", Moment(), nullable=True))
    op.execute("UPDATE rails SET refused_at = stopped_at WHERE stopped_because = 'settings'")
