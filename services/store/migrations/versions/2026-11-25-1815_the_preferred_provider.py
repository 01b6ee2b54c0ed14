"""the preferred provider"""

import sqlalchemy as sa
from alembic import op

revision = '5b0c3a7d9e11'
down_revision = '140a9b27164e'
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column('people', sa.Column('preferred_provider', sa.Text(), nullable=True))
