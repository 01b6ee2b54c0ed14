"""whether ways to pay are offered by what has worked before"""

import sqlalchemy as sa
from alembic import op

revision = "c2e94f1a76d8"
down_revision = "5b0a7f3d92ce"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    smart = sa.Column("smart_order", sa.Boolean(), server_default=sa.true(), nullable=False)
    op.add_column("tenants", smart)
