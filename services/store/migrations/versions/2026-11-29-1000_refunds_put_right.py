"""refunds put right"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "e1c70b9d3f52"
down_revision = "4d81b6f2e07c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("refund_attempts", sa.Column("returned_at", Moment(), nullable=True))
    op.add_column("refund_attempts", sa.Column("denied_at", Moment(), nullable=True))
    op.add_column("orders", sa.Column("fulfilled_at", Moment(), nullable=True))
    # When they were is in the audit alone; that they were is what matters here.
    op.execute("UPDATE orders SET fulfilled_at = created_at WHERE status = 'fulfilled'")
