"""what the accounts at providers hold that payouts leave from"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "3f61c0a9be74"
down_revision = "c7d15e2ab904"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    with op.batch_alter_table("rails") as table:
        table.add_column(sa.Column("float_funds", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("float_told_at", Moment(), nullable=True))
        table.add_column(sa.Column("float_asked_at", Moment(), nullable=True))
        table.add_column(sa.Column("float_answered_at", Moment(), nullable=True))
        table.add_column(sa.Column("float_short_at", Moment(), nullable=True))
        table.create_check_constraint(
            op.f("ck_rails_float"), "(float_funds IS NULL) = (float_told_at IS NULL)"
        )
