"""payments in doubt by an index"""

import sqlalchemy as sa
from alembic import op

revision = "e17a5c93d2f8"
down_revision = "8c41f7d09b35"
branch_labels = None
depends_on = None

_DOUBTED = sa.text("doubt IS NOT NULL")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_index(
        "ix_attempts_doubt",
        "attempts",
        ["tenant_id"],
        postgresql_where=_DOUBTED,
        sqlite_where=_DOUBTED,
    )
