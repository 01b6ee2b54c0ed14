"""when the audit is anchored"""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "b51e8d0c7a36"
down_revision = "b81e3f5d7c26"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The job of the installation; due at once, it finds its times by itself."""
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    jobs = sa.table(
        "jobs",
        sa.column("tenant_id", sa.Uuid),
        sa.column("target_id", sa.Uuid),
        sa.column("kind", sa.Text),
        sa.column("due_at", Moment),
    )
    nobody, long_ago = UUID(int=0), datetime(2026, 11, 28, tzinfo=UTC)
    op.execute(
        sa.insert(jobs).values(tenant_id=nobody, target_id=nobody, kind="audit_anchor", due_at=long_ago)
    )
