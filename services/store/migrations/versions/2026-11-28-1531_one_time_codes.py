"""one-time codes"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "a4c7e19d5b20"
down_revision = "a0d17c5e9b42"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("staff", sa.Column("approves_from", Moment(), nullable=True))
    op.add_column(
        "operations",
        sa.Column("wrong_codes", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
    op.create_table(
        "totps",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_at", Moment(), nullable=False),
        sa.Column("usable_at", Moment(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("locked_until", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["staff.tenant_id", "staff.person_id"],
            name=op.f("fk_totps_tenant_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", name=op.f("pk_totps")),
    )
