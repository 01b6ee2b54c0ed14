"""the stock of orders"""

import sqlalchemy as sa
from alembic import op

revision = 'c41f0d7be205'
down_revision = '7c1e4f20b6aa'
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column('products', sa.Column('reserved', sa.Integer(), server_default=sa.text('0'), nullable=False))
    op.add_column('products', sa.Column('sold', sa.Integer(), server_default=sa.text('0'), nullable=False))
