"""what statements say, and when they are compared with the books"""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from services.store import schema

revision = '42dc1f24fe3a'
down_revision = "a41c7e90d2b5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table('statement_coverages',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('since', schema.Moment(), nullable=False),
    sa.Column('until', schema.Moment(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('read_at', schema.Moment(), nullable=False),
    sa.CheckConstraint("kind IN ('paid', 'sent', 'back', 'returned', 'fee', 'own')", name=op.f('ck_statement_coverages_kind')),
    sa.CheckConstraint("source IN ('file', 'api')", name=op.f('ck_statement_coverages_source')),
    sa.CheckConstraint('since <= until', name=op.f('ck_statement_coverages_period')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_statement_coverages')),
    sa.UniqueConstraint('tenant_id', 'provider', 'kind', 'since', 'until', name=op.f('uq_statement_coverages_tenant_id_provider_kind_since_until'))
    )
    op.create_table('statement_lines',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('at', schema.Moment(), nullable=False),
    sa.Column('receipt', sa.Text(), nullable=True),
    sa.Column('reference', sa.Text(), nullable=True),
    sa.Column('of', sa.Text(), nullable=True),
    sa.Column('fee', sa.BigInteger(), nullable=True),
    sa.Column('party', sa.Text(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('read_at', schema.Moment(), nullable=False),
    sa.CheckConstraint("kind IN ('paid', 'sent', 'back', 'returned', 'fee', 'own')", name=op.f('ck_statement_lines_kind')),
    sa.CheckConstraint("source IN ('file', 'api')", name=op.f('ck_statement_lines_source')),
    sa.CheckConstraint('amount > 0', name=op.f('ck_statement_lines_amount')),
    sa.PrimaryKeyConstraint('tenant_id', 'provider', 'key', name=op.f('pk_statement_lines'))
    )
    with op.batch_alter_table('statement_lines', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_statement_lines_tenant_id_provider_at'), ['tenant_id', 'provider', 'at'], unique=False)
        batch_op.create_index(batch_op.f('ix_statement_lines_tenant_id_provider_of'), ['tenant_id', 'provider', 'of'], unique=False)
        batch_op.create_index(batch_op.f('ix_statement_lines_tenant_id_provider_receipt'), ['tenant_id', 'provider', 'receipt'], unique=False)
        batch_op.create_index(batch_op.f('ix_statement_lines_tenant_id_provider_reference'), ['tenant_id', 'provider', 'reference'], unique=False)

    op.create_table('breaks',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('at', schema.Moment(), nullable=False),
    sa.Column('ours', sa.BigInteger(), nullable=True),
    sa.Column('ours_currency', sa.String(length=3), nullable=True),
    sa.Column('theirs', sa.BigInteger(), nullable=True),
    sa.Column('theirs_currency', sa.String(length=3), nullable=True),
    sa.Column('item_id', sa.Uuid(), nullable=True),
    sa.Column('line_key', sa.Text(), nullable=True),
    sa.Column('receipt', sa.Text(), nullable=True),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('party', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('found_at', schema.Moment(), nullable=False),
    sa.Column('explained_at', schema.Moment(), nullable=True),
    sa.Column('told_at', schema.Moment(), nullable=True),
    sa.Column('closed_at', schema.Moment(), nullable=True),
    sa.Column('closed_by', sa.Uuid(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL AND closed_by IS NOT NULL AND reason IS NOT NULL)", name=op.f('ck_breaks_closed')),
    sa.CheckConstraint("state IN ('open', 'explained', 'closed')", name=op.f('ck_breaks_state')),
    sa.CheckConstraint("type IN ('late', 'missing_at_provider', 'missing_in_books', 'duplicate', 'unknown_reference', 'amount_differs', 'currency_differs', 'fee_differs')", name=op.f('ck_breaks_type')),
    sa.ForeignKeyConstraint(['tenant_id', 'closed_by'], ['people.tenant_id', 'people.id'], name=op.f('fk_breaks_tenant_id_closed_by')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_breaks')),
    sa.UniqueConstraint('tenant_id', 'provider', 'subject', name=op.f('uq_breaks_tenant_id_provider_subject'))
    )
    with op.batch_alter_table('breaks', schema=None) as batch_op:
        batch_op.create_index('ix_breaks_open', ['tenant_id', 'at'], unique=False, postgresql_where=sa.text("state = 'open'"), sqlite_where=sa.text("state = 'open'"))
    _begin_nights()


def _begin_nights() -> None:
    """The job of the installation; due at once, it finds its times by itself."""
    jobs = sa.table(
        "jobs",
        sa.column("tenant_id", sa.Uuid),
        sa.column("target_id", sa.Uuid),
        sa.column("kind", sa.Text),
        sa.column("due_at", schema.Moment),
    )
    nobody, long_ago = UUID(int=0), datetime(2026, 11, 28, tzinfo=UTC)
    op.execute(sa.insert(jobs).values(tenant_id=nobody, target_id=nobody, kind="reconcile", due_at=long_ago))
