"""ways out, each of which stops by itself"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "9b4de0c6f217"
down_revision = "cd97d741ccd3"
branch_labels = None
depends_on = None

_WAYS = ("mpesa", "till", "bank_transfer")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "rails",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("stopped_because", sa.Text(), nullable=True),
        sa.Column("stopped_at", Moment(), nullable=True),
        sa.CheckConstraint(
            "(stopped_because IS NULL) = (stopped_at IS NULL)", name=op.f("ck_rails_stopped")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_rails_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "rail", name=op.f("pk_rails")),
    )
    # What was stopped because of a provider, and by which way is not known, stays stopped: by all of them.
    for way in _WAYS:
        op.execute(
            "INSERT INTO rails (tenant_id, rail, stopped_because, stopped_at) "
            f"SELECT id, '{way}', frozen_because, created_at FROM tenants "
            "WHERE payouts_frozen AND frozen_because IN ('settings', 'funds')"
        )
    op.execute(
        "UPDATE tenants SET payouts_frozen = false, frozen_because = NULL, version = version + 1 "
        "WHERE payouts_frozen AND frozen_because IN ('settings', 'funds')"
    )
