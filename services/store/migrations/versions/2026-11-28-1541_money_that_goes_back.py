"""money that goes back"""

import sqlalchemy as sa
from alembic import op

from services.store import schema

revision = "1d6af4ab3fdc"
down_revision = "5c0d7be2a914"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table('refund_wishes',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('payment_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.Column('done_by', sa.Uuid(), nullable=True),
    sa.Column('done_at', schema.Moment(), nullable=True),
    sa.CheckConstraint("state IN ('open', 'taken', 'declined')", name=op.f('ck_refund_wishes_state')),
    sa.ForeignKeyConstraint(['tenant_id', 'payment_id'], ['payments.tenant_id', 'payments.id'], name=op.f('fk_refund_wishes_tenant_id_payment_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'person_id'], ['people.tenant_id', 'people.id'], name=op.f('fk_refund_wishes_tenant_id_person_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_refund_wishes'))
    )
    op.create_index('uq_refund_wishes_open', 'refund_wishes', ['tenant_id', 'payment_id'], unique=True, postgresql_where=sa.text("state = 'open'"), sqlite_where=sa.text("state = 'open'"))

    op.create_table('refunds',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('payment_id', sa.Uuid(), nullable=False),
    sa.Column('attempt_id', sa.Uuid(), nullable=False),
    sa.Column('maker_id', sa.Uuid(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('way', sa.Text(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('because', sa.Text(), nullable=True),
    sa.Column('receipt', sa.Text(), nullable=True),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.Column('expires_at', schema.Moment(), nullable=False),
    sa.Column('done_at', schema.Moment(), nullable=True),
    sa.CheckConstraint("source IN ('wallet', 'suspense')", name=op.f('ck_refunds_source')),
    sa.CheckConstraint("status IN ('pending', 'processing', 'completed', 'failed', 'canceled', 'rejected', 'expired')", name=op.f('ck_refunds_status')),
    sa.CheckConstraint("way <> 'sale' OR source = 'suspense'", name=op.f('ck_refunds_kept')),
    sa.CheckConstraint("way IN ('reversal', 'payout', 'sale')", name=op.f('ck_refunds_way')),
    sa.CheckConstraint('amount > 0', name=op.f('ck_refunds_amount')),
    sa.ForeignKeyConstraint(['tenant_id', 'attempt_id'], ['attempts.tenant_id', 'attempts.id'], name=op.f('fk_refunds_tenant_id_attempt_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'maker_id'], ['people.tenant_id', 'people.id'], name=op.f('fk_refunds_tenant_id_maker_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'payment_id'], ['payments.tenant_id', 'payments.id'], name=op.f('fk_refunds_tenant_id_payment_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_refunds'))
    )
    op.create_index(op.f('ix_refunds_tenant_id_payment_id'), 'refunds', ['tenant_id', 'payment_id'], unique=False)

    op.create_table('reversals',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('attempt_id', sa.Uuid(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('reference', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('owed', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.CheckConstraint("source IN ('wallet', 'suspense')", name=op.f('ck_reversals_source')),
    sa.ForeignKeyConstraint(['tenant_id', 'attempt_id'], ['attempts.tenant_id', 'attempts.id'], name=op.f('fk_reversals_tenant_id_attempt_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_reversals')),
    sa.UniqueConstraint('tenant_id', 'provider', 'reference', name=op.f('uq_reversals_tenant_id_provider_reference'))
    )
    op.create_index(op.f('ix_reversals_tenant_id_attempt_id'), 'reversals', ['tenant_id', 'attempt_id'], unique=False)

    op.create_table('refund_attempts',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('refund_id', sa.Uuid(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('reference', sa.Text(), nullable=True),
    sa.Column('receipt', sa.Text(), nullable=True),
    sa.Column('because', sa.Text(), nullable=True),
    sa.Column('detail', sa.Text(), nullable=True),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.Column('resolved_at', schema.Moment(), nullable=True),
    sa.CheckConstraint("state IN ('created', 'submitting', 'pending', 'unknown', 'succeeded', 'failed')", name=op.f('ck_refund_attempts_state')),
    sa.ForeignKeyConstraint(['tenant_id', 'refund_id'], ['refunds.tenant_id', 'refunds.id'], name=op.f('fk_refund_attempts_tenant_id_refund_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_refund_attempts')),
    sa.UniqueConstraint('tenant_id', 'provider', 'receipt', name=op.f('uq_refund_attempts_tenant_id_provider_receipt')),
    sa.UniqueConstraint('tenant_id', 'refund_id', name=op.f('uq_refund_attempts_tenant_id_refund_id'))
    )
