"""who wants nothing unasked"""

import sqlalchemy as sa
from alembic import op

revision = "5e0c7a91b3d8"
down_revision = "a81d5c20f7e3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
        moment: sa.types.TypeEngine = sa.DateTime(timezone=True)
    else:
        moment = sa.BigInteger()
    op.add_column("people", sa.Column("stopped_at", moment, nullable=True))
    op.add_column("people", sa.Column("stopped_by", sa.Text(), nullable=True))
