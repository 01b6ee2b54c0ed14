"""settlements of what is undecided"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "4143f0462ff2"
down_revision = "d93b20f7c1e6"
branch_labels = None
depends_on = None

_OPEN = sa.text("state = 'pending'")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("payouts", sa.Column("undecided_at", Moment(), nullable=True))
    op.add_column("payouts", sa.Column("returned_at", Moment(), nullable=True))
    op.add_column("refund_attempts", sa.Column("undecided_at", Moment(), nullable=True))
    op.create_table(
        "settlements",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=True),
        sa.Column("refund_attempt_id", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.CheckConstraint(
            "(payout_id IS NULL) <> (refund_attempt_id IS NULL)", name=op.f("ck_settlements_of_one")
        ),
        sa.CheckConstraint("outcome IN ('paid', 'not_paid')", name=op.f("ck_settlements_outcome")),
        sa.CheckConstraint(
            "state IN ('pending', 'done', 'rejected', 'canceled', 'expired', 'void', 'contradicted')",
            name=op.f("ck_settlements_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "id"],
            ["operations.tenant_id", "operations.id"],
            name=op.f("fk_settlements_tenant_id_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payout_id"],
            ["payouts.tenant_id", "payouts.id"],
            name=op.f("fk_settlements_tenant_id_payout_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "refund_attempt_id"],
            ["refund_attempts.tenant_id", "refund_attempts.id"],
            name=op.f("fk_settlements_tenant_id_refund_attempt_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_settlements")),
    )
    for column in ("payout_id", "refund_attempt_id"):
        index = op.f(f"ix_settlements_tenant_id_{column}")
        op.create_index(index, "settlements", ["tenant_id", column])
        op.create_index(
            f"uq_settlements_open_{column}",
            "settlements",
            ["tenant_id", column],
            unique=True,
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        )
