"""transfers as a chain"""

import sqlalchemy as sa
from alembic import op

revision = "7c41f0a9d2e8"
down_revision = "5d0b7e83c1fa"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("accounts", sa.Column("hash", sa.LargeBinary(), nullable=True))
    for name in ("channel", "via"):
        op.add_column("transfers", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("transfers", sa.Column("hash", sa.LargeBinary(), nullable=True))
