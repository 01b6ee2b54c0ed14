"""lent approvals"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "f60b2e9d417c"
down_revision = "c8f3b1d60e94"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "lendings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lender_id", sa.Uuid(), nullable=False),
        sa.Column("borrower_id", sa.Uuid(), nullable=False),
        sa.Column("begins_at", Moment(), nullable=True),
        sa.Column("until", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.CheckConstraint("lender_id <> borrower_id", name=op.f("ck_lendings_two_people")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "lender_id"],
            ["staff.tenant_id", "staff.person_id"],
            name=op.f("fk_lendings_tenant_id_lender_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "borrower_id"],
            ["staff.tenant_id", "staff.person_id"],
            name=op.f("fk_lendings_tenant_id_borrower_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_lendings")),
    )
    op.create_index(op.f("ix_lendings_tenant_id_borrower_id"), "lendings", ["tenant_id", "borrower_id"])
    op.execute("CREATE TABLE approvals_before AS SELECT * FROM approvals")
    op.drop_table("approvals")
    op.create_table(
        "approvals",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("approver_id", sa.Uuid(), nullable=False),
        sa.Column("right_of", sa.Uuid(), nullable=False),
        sa.Column("maker_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.CheckConstraint(
            "approver_id <> maker_id AND right_of <> maker_id", name=op.f("ck_approvals_four_eyes")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "approver_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_approvals_tenant_id_approver_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "operation_id", "maker_id"],
            ["operations.tenant_id", "operations.id", "operations.maker_id"],
            name="fk_approvals_operation_maker",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "operation_id", "round", "approver_id", name=op.f("pk_approvals")
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "operation_id",
            "round",
            "right_of",
            name=op.f("uq_approvals_tenant_id_operation_id_round_right_of"),
        ),
    )
    op.execute(
        "INSERT INTO approvals "
        "(tenant_id, operation_id, round, approver_id, right_of, maker_id, digest, created_at) "
        "SELECT tenant_id, operation_id, round, approver_id, approver_id, maker_id, digest, created_at "
        "FROM approvals_before"
    )
    op.drop_table("approvals_before")
