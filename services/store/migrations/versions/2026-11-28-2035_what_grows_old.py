"""what grows old: forgotten every night, from a week after the upgrade on"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "d93b20f7c1e6"
down_revision = "382e32035280"
branch_labels = None
depends_on = None


def upgrade() -> None:
    jobs = sa.table(
        "jobs",
        sa.column("tenant_id", sa.Uuid),
        sa.column("target_id", sa.Uuid),
        sa.column("kind", sa.Text),
        sa.column("due_at", Moment),
    )
    nobody, due_at = UUID(int=0), datetime.now(UTC) + timedelta(days=7)
    op.execute(sa.insert(jobs).values(tenant_id=nobody, target_id=nobody, kind="retention", due_at=due_at))
