"""carts, the delivery of orders and pictures of products"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = 'b5d2f8a91c36'
down_revision = "5e0c7a91b3d8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column('products', sa.Column('image', sa.Text(), nullable=True))
    op.add_column('orders', sa.Column('delivery', sa.Boolean(), nullable=True))
    op.create_table('carts',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('lines', sa.JSON(), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('delivery', sa.Boolean(), nullable=False),
    sa.Column('order_id', sa.Uuid(), nullable=True),
    sa.Column('changed_at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'person_id'], ['people.tenant_id', 'people.id'], name=op.f('fk_carts_tenant_id_person_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'person_id', name=op.f('pk_carts'))
    )
