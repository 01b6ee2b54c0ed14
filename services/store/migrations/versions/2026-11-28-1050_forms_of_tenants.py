"""forms of tenants"""

import sqlalchemy as sa
from alembic import op

revision = 'b7c41f0e92d6'
down_revision = 'b5d2f8a91c36'
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column('tenants', sa.Column('bank_form', sa.Text(), nullable=True))
