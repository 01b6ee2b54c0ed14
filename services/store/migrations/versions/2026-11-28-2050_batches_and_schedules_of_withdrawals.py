"""batches and schedules of withdrawals"""

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "cd97d741ccd3"
down_revision = "4143f0462ff2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table('batches',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('maker_id', sa.Uuid(), nullable=False),
    sa.Column('conversation_id', sa.Uuid(), nullable=True),
    sa.Column('media_id', sa.Text(), nullable=True),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('file_digest', sa.Text(), nullable=True),
    sa.Column('lines_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('fee', sa.BigInteger(), nullable=False),
    sa.Column('sums', sa.JSON(), nullable=False),
    sa.Column('warnings', sa.JSON(), nullable=False),
    sa.Column('new_destinations', sa.Boolean(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('created_at', Moment(), nullable=False),
    sa.Column('started_at', Moment(), nullable=True),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.CheckConstraint("state IN ('taken', 'draft', 'faulty', 'pending', 'running', 'done', 'rejected', 'canceled', 'expired')", name=op.f('ck_batches_state')),
    sa.ForeignKeyConstraint(['tenant_id', 'maker_id'], ['people.tenant_id', 'people.id'], name=op.f('fk_batches_tenant_id_maker_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_batches'))
    )
    with op.batch_alter_table('batches', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_batches_tenant_id_file_digest'), ['tenant_id', 'file_digest'], unique=False)
        batch_op.create_index(batch_op.f('ix_batches_tenant_id_state'), ['tenant_id', 'state'], unique=False)

    op.create_table('schedules',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('maker_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('every', sa.Text(), nullable=False),
    sa.Column('days', sa.JSON(), nullable=False),
    sa.Column('hour', sa.Integer(), nullable=False),
    sa.Column('keep', sa.BigInteger(), nullable=False),
    sa.Column('most', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('method_type', sa.Text(), nullable=False),
    sa.Column('details_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('destination', sa.Text(), nullable=False),
    sa.Column('configured', sa.Boolean(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('because', sa.Text(), nullable=True),
    sa.Column('created_at', Moment(), nullable=False),
    sa.Column('next_at', Moment(), nullable=True),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.CheckConstraint("every IN ('day', 'week', 'month')", name=op.f('ck_schedules_every')),
    sa.CheckConstraint("state IN ('pending', 'active', 'stopped', 'resting', 'ended', 'rejected', 'canceled', 'expired')", name=op.f('ck_schedules_state')),
    sa.CheckConstraint('keep >= 0 AND most > 0 AND hour BETWEEN 0 AND 23', name=op.f('ck_schedules_amounts')),
    sa.ForeignKeyConstraint(['tenant_id', 'id'], ['operations.tenant_id', 'operations.id'], name=op.f('fk_schedules_tenant_id_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'maker_id'], ['people.tenant_id', 'people.id'], name=op.f('fk_schedules_tenant_id_maker_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_schedules'))
    )
    with op.batch_alter_table('schedules', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_schedules_tenant_id_state'), ['tenant_id', 'state'], unique=False)

    op.create_table('schedule_runs',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('schedule_id', sa.Uuid(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('at', Moment(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('because', sa.Text(), nullable=True),
    sa.Column('withdrawal_id', sa.Uuid(), nullable=True),
    sa.CheckConstraint("outcome IN ('made', 'skipped')", name=op.f('ck_schedule_runs_outcome')),
    sa.ForeignKeyConstraint(['tenant_id', 'schedule_id'], ['schedules.tenant_id', 'schedules.id'], name=op.f('fk_schedule_runs_tenant_id_schedule_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'withdrawal_id'], ['withdrawals.tenant_id', 'withdrawals.id'], name=op.f('fk_schedule_runs_tenant_id_withdrawal_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'schedule_id', 'day', name=op.f('pk_schedule_runs'))
    )
    with op.batch_alter_table('withdrawals', schema=None) as batch_op:
        batch_op.add_column(sa.Column('batch_id', sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column('batch_line', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_withdrawals_tenant_id_batch_id_batch_line'), ['tenant_id', 'batch_id', 'batch_line'], unique=True)

