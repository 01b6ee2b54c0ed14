"""breaks closed by the operator, where nobody else may"""

from alembic import op

revision = "4d81b6f2e07c"
down_revision = "b05e7c41d9a2"
branch_labels = None
depends_on = None

_CLOSED = "(state = 'closed') = (closed_at IS NOT NULL AND reason IS NOT NULL)"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    with op.batch_alter_table("breaks") as table:
        table.drop_constraint(op.f("ck_breaks_closed"), type_="check")
        table.create_check_constraint(op.f("ck_breaks_closed"), _CLOSED)
