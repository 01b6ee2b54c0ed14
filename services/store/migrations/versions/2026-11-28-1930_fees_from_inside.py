"""fees from inside, and requests that wait for a day at most"""

import sqlalchemy as sa
from alembic import op

revision = "3c9f1a7be260"
down_revision = "7e2d94c0b8f1"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('destination', 'limits', 'staff', 'fees', 'resume')"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    with op.batch_alter_table("changes") as table:
        table.drop_constraint(op.f("ck_changes_kind"), type_="check")
        table.create_check_constraint(op.f("ck_changes_kind"), _KINDS)
    fixed = sa.Column("fixed_fees", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("tenants", fixed)
    op.execute("UPDATE tenants SET approval_hours = 24 WHERE approval_hours > 24")
