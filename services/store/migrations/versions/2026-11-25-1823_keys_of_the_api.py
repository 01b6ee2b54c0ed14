"""keys of the API"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = '3f9c1b70a2d4'
down_revision = '6a6249463ed7'
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table('api_keys',
    sa.Column('prefix', sa.Text(), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('key_index', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', Moment(), nullable=False),
    sa.Column('expires_at', Moment(), nullable=False),
    sa.Column('last_used_at', Moment(), nullable=True),
    sa.Column('revoked_at', Moment(), nullable=True),
    sa.ForeignKeyConstraint(['tenant_id', 'person_id'], ['staff.tenant_id', 'staff.person_id'], name=op.f('fk_api_keys_tenant_id_person_id')),
    sa.PrimaryKeyConstraint('prefix', name=op.f('pk_api_keys'))
    )
    op.create_index(op.f('ix_api_keys_tenant_id_person_id'), 'api_keys', ['tenant_id', 'person_id'], unique=False)
    op.create_table('api_answers',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('route', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('body_hash', sa.LargeBinary(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('answer_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', Moment(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'person_id', 'route', 'key', name=op.f('pk_api_answers'))
    )
    op.create_index(op.f('ix_api_answers_tenant_id_created_at'), 'api_answers', ['tenant_id', 'created_at'], unique=False)
