"""purposes of messages"""

import sqlalchemy as sa
from alembic import op

revision = "b7d2049ce1f6"
down_revision = "c94e02b7d1a6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("tenants", sa.Column("waba_id", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("purpose", sa.Text(), server_default="answer", nullable=False))
    op.add_column("outbox", sa.Column("about", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("template_sealed", sa.LargeBinary(), nullable=True))
    op.create_index(
        "ix_outbox_about",
        "outbox",
        ["conversation_id", "about", "seq"],
        postgresql_where=sa.text("about IS NOT NULL"),
        sqlite_where=sa.text("about IS NOT NULL"),
    )
