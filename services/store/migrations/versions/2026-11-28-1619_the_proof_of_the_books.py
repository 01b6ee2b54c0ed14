"""the proof of the books"""

import sqlalchemy as sa
from alembic import op

from services.store import schema

revision = "e1a7c05b9d24"
down_revision = "f60b2e9d417c"
branch_labels = None
depends_on = None

# Both sides of every transfer, numbered by account in the order of their times.
_LEGS = (
    "SELECT tenant_id, id, side, row_number() OVER "
    "(PARTITION BY tenant_id, account ORDER BY created_at, id, side) AS number FROM ("
    "SELECT tenant_id, id, source_id AS account, 's' AS side, created_at FROM transfers UNION ALL "
    "SELECT tenant_id, id, target_id, 't', created_at FROM transfers) AS sides"
)
_OPEN = sa.text("state = 'open'")
_OPEN_BREACH = sa.text("repaired_at IS NULL")


def upgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    if postgres:  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    nil = sa.text("0")
    op.add_column("accounts", sa.Column("entries", sa.BigInteger(), nullable=False, server_default=nil))
    for side in ("source", "target"):
        column = sa.Column(f"{side}_entry", sa.BigInteger(), nullable=False, server_default=nil)
        op.add_column("transfers", column)
    _number(postgres)
    op.create_index("ix_transfers_latest", "transfers", ["created_at"], postgresql_using="brin")
    op.create_index(
        "ix_holds_open", "holds", ["tenant_id", "account_id"], postgresql_where=_OPEN, sqlite_where=_OPEN
    )
    for table in ("holds", "attempts", "payouts"):
        op.create_index(f"ix_{table}_resolved_at", table, ["resolved_at"])
    op.create_table(
        "account_proofs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("posted", sa.BigInteger(), nullable=False),
        sa.Column("proven_at", schema.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["accounts.tenant_id", "accounts.id"],
            name=op.f("fk_account_proofs_tenant_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "account_id", name=op.f("pk_account_proofs")),
    )
    op.create_table(
        "breaches",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("found_at", schema.Moment(), nullable=False),
        sa.Column("repaired_at", schema.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_breaches")),
    )
    op.create_index(
        "uq_breaches_open",
        "breaches",
        ["tenant_id", "rule", "row"],
        unique=True,
        postgresql_where=_OPEN_BREACH,
        sqlite_where=_OPEN_BREACH,
    )
    op.create_table(
        "book_checks",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("snapshot_at", schema.Moment(), nullable=False),
        sa.Column("ended_at", schema.Moment(), nullable=False),
        sa.Column("accounts", sa.BigInteger(), nullable=False),
        sa.Column("found", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_book_checks")),
    )


def _number(postgres: bool) -> None:  # noqa: FBT001
    """What was posted before: the one change that its append-only rule steps aside for."""
    if postgres:
        op.execute("ALTER TABLE transfers DISABLE TRIGGER transfers_append_only")
    else:
        op.execute("DROP TRIGGER transfers_no_update")
    op.execute(f"CREATE TEMPORARY TABLE numbered AS {_LEGS}")
    op.execute("CREATE INDEX ix_numbered ON numbered (tenant_id, id, side)")
    for side in ("source", "target"):
        op.execute(
            f"UPDATE transfers SET {side}_entry = (SELECT number FROM numbered AS n WHERE "  # noqa: S608
            f"n.tenant_id = transfers.tenant_id AND n.id = transfers.id AND n.side = '{side[0]}')"
        )
    op.execute("DROP TABLE numbered")
    op.execute(
        "UPDATE accounts SET entries = (SELECT count(*) FROM transfers AS t WHERE t.tenant_id = accounts.tenant_id "
        "AND t.source_id = accounts.id) + (SELECT count(*) FROM transfers AS t WHERE "
        "t.tenant_id = accounts.tenant_id AND t.target_id = accounts.id)"
    )
    if postgres:
        op.execute("ALTER TABLE transfers ENABLE TRIGGER transfers_append_only")
    else:
        op.execute(
            "CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers "
            "BEGIN SELECT RAISE(ABORT, 'transfers is append-only'); END"
        )
