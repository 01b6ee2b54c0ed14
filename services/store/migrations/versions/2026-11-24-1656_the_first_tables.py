"""the first tables"""

import sqlalchemy as sa
from alembic import op

from services.store import schema

revision = '140a9b27164e'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table('accounts',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('posted', sa.BigInteger(), nullable=False),
    sa.Column('held', sa.BigInteger(), nullable=False),
    sa.Column('limited', sa.Boolean(), nullable=False),
    sa.CheckConstraint('NOT limited OR posted - held >= 0', name=op.f('ck_accounts_available')),
    sa.CheckConstraint('held >= 0', name=op.f('ck_accounts_held')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_accounts')),
    sa.UniqueConstraint('tenant_id', 'name', 'currency', name=op.f('uq_accounts_tenant_id_name_currency'))
    )
    op.create_table('audit',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('at', schema.Moment(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('alert', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_audit'))
    )
    op.create_index('ix_audit_alerts', 'audit', ['seq'], unique=False, postgresql_where=sa.text('alert'), sqlite_where=sa.text('alert'))
    op.create_index(op.f('ix_audit_tenant_id_seq'), 'audit', ['tenant_id', 'seq'], unique=False)
    op.create_table('fees',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('method_type', sa.Text(), nullable=False),
    sa.Column('from_amount', sa.BigInteger(), nullable=False),
    sa.Column('to_amount', sa.BigInteger(), nullable=True),
    sa.Column('flat', sa.BigInteger(), nullable=False),
    sa.Column('ppm', sa.Integer(), nullable=False),
    sa.Column('valid_from', schema.Moment(), nullable=True),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_fees'))
    )
    op.create_table('hooks',
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('about', sa.Text(), nullable=False),
    sa.Column('target_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_hooks'))
    )
    op.create_table('inbox',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('external_id', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('conversation_id', sa.Uuid(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('tries', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('due_at', schema.Moment(), nullable=False),
    sa.Column('received_at', schema.Moment(), nullable=False),
    sa.Column('body_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'done', 'kept', 'parked')", name=op.f('ck_inbox_state')),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_inbox')),
    sa.UniqueConstraint('tenant_id', 'kind', 'external_id', 'status', name=op.f('uq_inbox_tenant_id_kind_external_id_status'))
    )
    op.create_index('ix_inbox_parked', 'inbox', ['seq'], unique=False, postgresql_where=sa.text("state = 'parked'"), sqlite_where=sa.text("state = 'parked'"))
    op.create_index('ix_inbox_waiting_rest', 'inbox', ['kind', 'seq'], unique=False, postgresql_where=sa.text("state = 'waiting' AND conversation_id IS NULL"), sqlite_where=sa.text("state = 'waiting' AND conversation_id IS NULL"))
    op.create_index('ix_inbox_turns', 'inbox', ['received_at', 'seq'], unique=False, postgresql_where=sa.text("state = 'waiting' AND conversation_id IS NOT NULL"), sqlite_where=sa.text("state = 'waiting' AND conversation_id IS NOT NULL"))
    op.create_table('jobs',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('target_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('due_at', schema.Moment(), nullable=False),
    sa.Column('tries', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('leased_until', schema.Moment(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('tenant_id', 'target_id', 'kind', name=op.f('pk_jobs'))
    )
    op.create_index('ix_jobs_due', 'jobs', ['due_at'], unique=False)
    op.create_table('outbox',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('conversation_id', sa.Uuid(), nullable=False),
    sa.Column('body_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('tries', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('unknown_sends', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('due_at', schema.Moment(), nullable=False),
    sa.Column('wamid', sa.Text(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.CheckConstraint("state IN ('waiting', 'sending', 'unknown', 'sent', 'delivered', 'read', 'played', 'failed', 'held')", name=op.f('ck_outbox_state')),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_outbox')),
    sqlite_autoincrement=True
    )
    op.create_index('ix_outbox_due', 'outbox', ['due_at'], unique=False, postgresql_where=sa.text("state IN ('waiting', 'sending', 'unknown')"), sqlite_where=sa.text("state IN ('waiting', 'sending', 'unknown')"))
    op.create_index('ix_outbox_open', 'outbox', ['conversation_id', 'seq'], unique=False, postgresql_where=sa.text("state IN ('waiting', 'sending', 'unknown')"), sqlite_where=sa.text("state IN ('waiting', 'sending', 'unknown')"))
    op.create_index('ix_outbox_held', 'outbox', ['conversation_id'], unique=False, postgresql_where=sa.text("state = 'held'"), sqlite_where=sa.text("state = 'held'"))
    op.create_index('ix_outbox_wamid', 'outbox', ['wamid'], unique=False)
    op.create_table('people',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('language', sa.Text(), nullable=True),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_people'))
    )
    op.create_table('provider_tokens',
    sa.Column('app_hash', sa.LargeBinary(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('expires_at', schema.Moment(), nullable=True),
    sa.Column('leased_until', schema.Moment(), nullable=True),
    sa.PrimaryKeyConstraint('app_hash', name=op.f('pk_provider_tokens'))
    )
    op.create_table('tenants',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('slug', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('timezone', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('payment_fee_ppm', sa.Integer(), nullable=False),
    sa.Column('phone_number_id', sa.Text(), nullable=True),
    sa.Column('display_phone_number', sa.Text(), nullable=True),
    sa.Column('templates', sa.JSON(), nullable=False),
    sa.Column('per_withdrawal', sa.BigInteger(), nullable=True),
    sa.Column('per_day', sa.BigInteger(), nullable=True),
    sa.Column('totp_above', sa.BigInteger(), nullable=True),
    sa.Column('approvals', sa.Integer(), nullable=False),
    sa.Column('approval_hours', sa.Integer(), nullable=False),
    sa.Column('new_destination_hours', sa.Integer(), nullable=False),
    sa.Column('payout_method_type', sa.Text(), nullable=True),
    sa.Column('payout_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('payouts_frozen', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('frozen_because', sa.Text(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tenants')),
    sa.UniqueConstraint('phone_number_id', name=op.f('uq_tenants_phone_number_id')),
    sa.UniqueConstraint('slug', name=op.f('uq_tenants_slug'))
    )
    op.create_table('conversations',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('phone_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('phone_index', sa.LargeBinary(), nullable=True),
    sa.Column('user_id_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('user_id_index', sa.LargeBinary(), nullable=True),
    sa.Column('heard_at', schema.Moment(), nullable=True),
    sa.Column('rests_until', schema.Moment(), nullable=True),
    sa.Column('place_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'person_id'], ['people.tenant_id', 'people.id'], name=op.f('fk_conversations_tenant_id_person_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_conversations')),
    sa.UniqueConstraint('tenant_id', 'phone_index', name=op.f('uq_conversations_tenant_id_phone_index')),
    sa.UniqueConstraint('tenant_id', 'user_id_index', name=op.f('uq_conversations_tenant_id_user_id_index'))
    )
    op.create_index(op.f('ix_conversations_tenant_id_person_id'), 'conversations', ['tenant_id', 'person_id'], unique=False)
    op.create_table('credentials',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('part', sa.Text(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_credentials_tenant_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'part', name=op.f('pk_credentials'))
    )
    op.create_table('holds',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.Column('resolved_at', schema.Moment(), nullable=True),
    sa.CheckConstraint("state IN ('open', 'posted', 'voided', 'expired')", name=op.f('ck_holds_state')),
    sa.CheckConstraint('amount > 0', name=op.f('ck_holds_amount')),
    sa.ForeignKeyConstraint(['tenant_id', 'account_id'], ['accounts.tenant_id', 'accounts.id'], name=op.f('fk_holds_tenant_id_account_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_holds'))
    )
    op.create_table('orders',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('conversation_id', sa.Uuid(), nullable=True),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('total', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('lines', sa.JSON(), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.CheckConstraint("status IN ('open', 'awaiting_payment', 'paid', 'fulfilled', 'canceled', 'refunded')", name=op.f('ck_orders_status')),
    sa.CheckConstraint('total > 0', name=op.f('ck_orders_total')),
    sa.ForeignKeyConstraint(['tenant_id', 'person_id'], ['people.tenant_id', 'people.id'], name=op.f('fk_orders_tenant_id_person_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_orders')),
    sa.UniqueConstraint('tenant_id', 'number', name=op.f('uq_orders_tenant_id_number'))
    )
    op.create_index(op.f('ix_orders_tenant_id_person_id'), 'orders', ['tenant_id', 'person_id'], unique=False)
    op.create_table('products',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('sku', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('price', sa.BigInteger(), nullable=False),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('stock', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_products_tenant_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'sku', name=op.f('pk_products'))
    )
    op.create_table('saved_methods',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('details_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('details_index', sa.LargeBinary(), nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('is_default', sa.Boolean(), nullable=False),
    sa.Column('saved_at', schema.Moment(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'person_id'], ['people.tenant_id', 'people.id'], name=op.f('fk_saved_methods_tenant_id_person_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_saved_methods')),
    sa.UniqueConstraint('tenant_id', 'person_id', 'provider', 'details_index', name=op.f('uq_saved_methods_tenant_id_person_id_provider_details_index'))
    )
    op.create_index('uq_saved_methods_default', 'saved_methods', ['tenant_id', 'person_id'], unique=True, postgresql_where=sa.text('is_default'), sqlite_where=sa.text('is_default'))
    op.create_table('staff',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('role', sa.Text(), nullable=True),
    sa.Column('scopes', sa.JSON(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'person_id'], ['people.tenant_id', 'people.id'], name=op.f('fk_staff_tenant_id_person_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'person_id', name=op.f('pk_staff'))
    )
    op.create_table('transfers',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('source_id', sa.Uuid(), nullable=False),
    sa.Column('target_id', sa.Uuid(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('cause_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.CheckConstraint('amount > 0', name=op.f('ck_transfers_amount')),
    sa.CheckConstraint('source_id <> target_id', name=op.f('ck_transfers_legs')),
    sa.ForeignKeyConstraint(['tenant_id', 'source_id'], ['accounts.tenant_id', 'accounts.id'], name=op.f('fk_transfers_tenant_id_source_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'target_id'], ['accounts.tenant_id', 'accounts.id'], name=op.f('fk_transfers_tenant_id_target_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_transfers')),
    sa.UniqueConstraint('tenant_id', 'cause_id', 'reason', name=op.f('uq_transfers_tenant_id_cause_id_reason'))
    )
    op.create_index(op.f('ix_transfers_tenant_id_created_at'), 'transfers', ['tenant_id', 'created_at'], unique=False)
    op.create_table('withdrawals',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('maker_id', sa.Uuid(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('fee', sa.BigInteger(), nullable=False),
    sa.Column('net', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('method_type', sa.Text(), nullable=False),
    sa.Column('details_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('details_index', sa.LargeBinary(), nullable=False),
    sa.Column('destination', sa.Text(), nullable=False),
    sa.Column('new_destination', sa.Boolean(), nullable=False),
    sa.Column('approvals_needed', sa.Integer(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('notes', sa.Text(), nullable=True),
    sa.Column('receipt', sa.Text(), nullable=True),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.Column('expires_at', schema.Moment(), nullable=False),
    sa.CheckConstraint("status IN ('pending', 'processing', 'completed', 'failed', 'canceled', 'rejected', 'expired')", name=op.f('ck_withdrawals_status')),
    sa.CheckConstraint('amount = fee + net AND net > 0 AND fee >= 0', name=op.f('ck_withdrawals_net')),
    sa.ForeignKeyConstraint(['tenant_id', 'maker_id'], ['people.tenant_id', 'people.id'], name=op.f('fk_withdrawals_tenant_id_maker_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_withdrawals')),
    sa.UniqueConstraint('tenant_id', 'id', 'maker_id', name=op.f('uq_withdrawals_tenant_id_id_maker_id'))
    )
    op.create_index(op.f('ix_withdrawals_tenant_id_status'), 'withdrawals', ['tenant_id', 'status'], unique=False)
    op.create_table('approvals',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('withdrawal_id', sa.Uuid(), nullable=False),
    sa.Column('approver_id', sa.Uuid(), nullable=False),
    sa.Column('maker_id', sa.Uuid(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.CheckConstraint('approver_id <> maker_id', name=op.f('ck_approvals_four_eyes')),
    sa.ForeignKeyConstraint(['tenant_id', 'approver_id'], ['people.tenant_id', 'people.id'], name=op.f('fk_approvals_tenant_id_approver_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'withdrawal_id', 'maker_id'], ['withdrawals.tenant_id', 'withdrawals.id', 'withdrawals.maker_id'], name='fk_approvals_withdrawal_maker'),
    sa.PrimaryKeyConstraint('tenant_id', 'withdrawal_id', 'approver_id', name=op.f('pk_approvals'))
    )
    op.create_table('payments',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('order_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('conversation_id', sa.Uuid(), nullable=True),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('receipt', sa.Text(), nullable=True),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.Column('paid_at', schema.Moment(), nullable=True),
    sa.CheckConstraint("status IN ('awaiting_customer', 'pending', 'succeeded', 'failed', 'expired', 'canceled', 'partially_refunded', 'refunded')", name=op.f('ck_payments_status')),
    sa.CheckConstraint('amount > 0', name=op.f('ck_payments_amount')),
    sa.ForeignKeyConstraint(['tenant_id', 'order_id'], ['orders.tenant_id', 'orders.id'], name=op.f('fk_payments_tenant_id_order_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_payments')),
    sa.UniqueConstraint('tenant_id', 'order_id', name=op.f('uq_payments_tenant_id_order_id'))
    )
    op.create_table('payouts',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('withdrawal_id', sa.Uuid(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('reference', sa.Text(), nullable=True),
    sa.Column('receipt', sa.Text(), nullable=True),
    sa.Column('because', sa.Text(), nullable=True),
    sa.Column('detail', sa.Text(), nullable=True),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.Column('resolved_at', schema.Moment(), nullable=True),
    sa.CheckConstraint("state IN ('created', 'submitting', 'pending', 'unknown', 'succeeded', 'failed')", name=op.f('ck_payouts_state')),
    sa.ForeignKeyConstraint(['tenant_id', 'withdrawal_id'], ['withdrawals.tenant_id', 'withdrawals.id'], name=op.f('fk_payouts_tenant_id_withdrawal_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_payouts')),
    sa.UniqueConstraint('tenant_id', 'provider', 'receipt', name=op.f('uq_payouts_tenant_id_provider_receipt'))
    )
    op.create_index('uq_payouts_live', 'payouts', ['tenant_id', 'withdrawal_id'], unique=True, postgresql_where=sa.text("state IN ('created', 'submitting', 'pending', 'unknown', 'succeeded')"), sqlite_where=sa.text("state IN ('created', 'submitting', 'pending', 'unknown', 'succeeded')"))
    op.create_table('withdrawal_history',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('withdrawal_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('by_id', sa.Uuid(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('at', schema.Moment(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'withdrawal_id'], ['withdrawals.tenant_id', 'withdrawals.id'], name=op.f('fk_withdrawal_history_tenant_id_withdrawal_id')),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_withdrawal_history'))
    )
    op.create_index(op.f('ix_withdrawal_history_tenant_id_withdrawal_id'), 'withdrawal_history', ['tenant_id', 'withdrawal_id'], unique=False)
    op.create_table('attempts',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('payment_id', sa.Uuid(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('method_id', sa.Uuid(), nullable=True),
    sa.Column('details_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('because', sa.Text(), nullable=True),
    sa.Column('detail', sa.Text(), nullable=True),
    sa.Column('reference_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('receipt', sa.Text(), nullable=True),
    sa.Column('asked', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('doubt', sa.Text(), nullable=True),
    sa.Column('created_at', schema.Moment(), nullable=False),
    sa.Column('resolved_at', schema.Moment(), nullable=True),
    sa.CheckConstraint("doubt IN ('unconfirmed', 'contradicted', 'other_amount')", name=op.f('ck_attempts_doubt')),
    sa.CheckConstraint("state IN ('created', 'submitting', 'pending', 'unknown', 'succeeded', 'failed', 'expired')", name=op.f('ck_attempts_state')),
    sa.ForeignKeyConstraint(['tenant_id', 'payment_id'], ['payments.tenant_id', 'payments.id'], name=op.f('fk_attempts_tenant_id_payment_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_attempts')),
    sa.UniqueConstraint('tenant_id', 'provider', 'receipt', name=op.f('uq_attempts_tenant_id_provider_receipt'))
    )
    op.create_index(op.f('ix_attempts_tenant_id_payment_id'), 'attempts', ['tenant_id', 'payment_id'], unique=False)
    op.create_index('uq_attempts_live', 'attempts', ['tenant_id', 'payment_id'], unique=True, postgresql_where=sa.text("state IN ('created', 'submitting', 'pending', 'unknown')"), sqlite_where=sa.text("state IN ('created', 'submitting', 'pending', 'unknown')"))
    _append_only("transfers", "audit")


def _append_only(*tables: str) -> None:
    """What is written there stays: corrections are further rows."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
        for table in tables:
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
        return
    for table in tables:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
