"""settlements of payments too"""

import sqlalchemy as sa
from alembic import op

revision = "8c41f7d09b35"
down_revision = "b83d51f06a9c"
branch_labels = None
depends_on = None

_OPEN = sa.text("state = 'pending'")
_OF_ONE = (
    "CASE WHEN payout_id IS NULL THEN 0 ELSE 1 END + "
    "CASE WHEN refund_attempt_id IS NULL THEN 0 ELSE 1 END + "
    "CASE WHEN payment_attempt_id IS NULL THEN 0 ELSE 1 END = 1"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    with op.batch_alter_table("settlements") as table:
        table.add_column(sa.Column("payment_attempt_id", sa.Uuid(), nullable=True))
        table.drop_constraint(op.f("ck_settlements_of_one"), type_="check")
        table.create_check_constraint(op.f("ck_settlements_of_one"), _OF_ONE)
        table.create_foreign_key(
            op.f("fk_settlements_tenant_id_payment_attempt_id"),
            "attempts",
            ["tenant_id", "payment_attempt_id"],
            ["tenant_id", "id"],
        )
    op.create_index(
        op.f("ix_settlements_tenant_id_payment_attempt_id"), "settlements", ["tenant_id", "payment_attempt_id"]
    )
    op.create_index(
        "uq_settlements_open_payment_attempt_id",
        "settlements",
        ["tenant_id", "payment_attempt_id"],
        unique=True,
        postgresql_where=_OPEN,
        sqlite_where=_OPEN,
    )
