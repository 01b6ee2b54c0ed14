"""the stock of orders"""

import sqlalchemy as sa
from alembic import op

revision = 'c41f0d7be205'
down_revision = '5b0c3a7d9e11'
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column('products', sa.Column('reserved', sa.Integer(), server_default=sa.text('0'), nullable=False))
    op.add_column('products', sa.Column('sold', sa.Integer(), server_default=sa.text('0'), nullable=False))
