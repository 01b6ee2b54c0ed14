"""the audit as chains"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from services.audit.chain import START, Entry, hash_of, written
from services.store import schema

revision = "a0d17c5e9b42"
down_revision = "e2b84c6f0a17"
branch_labels = None
depends_on = None

_PAGE = 1000


def upgrade() -> None:
    """The entries that are there are chained as they stand, each tenant's in their order."""
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("CREATE TABLE audit_before AS SELECT * FROM audit")
    op.execute("CREATE INDEX ix_audit_before ON audit_before (tenant_id, seq)")
    op.drop_table("audit")
    _create()
    _chain()
    op.drop_table("audit_before")
    _append_only()


def _create() -> None:
    op.create_table(
        "audit",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", schema.Moment(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("via", sa.Text()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        sa.Column("private", sa.LargeBinary()),
        sa.Column("alert", sa.Boolean(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name=op.f("pk_audit")),
    )
    op.create_index(
        "ix_audit_alerts",
        "audit",
        ["tenant_id", "seq"],
        postgresql_where=sa.text("alert"),
        sqlite_where=sa.text("alert"),
    )
    op.create_table(
        "audit_heads",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("anchored_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_audit_heads")),
    )
    op.create_table(
        "audit_private",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("facts_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "digest", name=op.f("pk_audit_private")),
    )
    op.create_index(op.f("ix_audit_private_tenant_id_subject_id"), "audit_private", ["tenant_id", "subject_id"])


_OLD = sa.table(
    "audit_before",
    sa.column("tenant_id", sa.Uuid),
    sa.column("seq", sa.BigInteger),
    sa.column("at", schema.Moment),
    sa.column("actor", sa.Text),
    sa.column("action", sa.Text),
    sa.column("target", sa.Text),
    sa.column("facts", sa.JSON),
    sa.column("alert", sa.Boolean),
)
_NEW = sa.table(
    "audit",
    sa.column("tenant_id", sa.Uuid),
    sa.column("seq", sa.BigInteger),
    sa.column("at", schema.Moment),
    sa.column("actor", sa.Text),
    sa.column("channel", sa.Text),
    sa.column("action", sa.Text),
    sa.column("target", sa.Text),
    sa.column("facts", sa.JSON),
    sa.column("alert", sa.Boolean),
    sa.column("previous", sa.LargeBinary),
    sa.column("hash", sa.LargeBinary),
)
_HEADS = sa.table(
    "audit_heads",
    sa.column("tenant_id", sa.Uuid),
    sa.column("seq", sa.BigInteger),
    sa.column("previous", sa.LargeBinary),
    sa.column("hash", sa.LargeBinary),
)
_CHANNELS = {"operator": "cli", "provider": "provider", "whatsapp": "chat", "clock": "clock"}


def _chain() -> None:
    bind = op.get_bind()
    for tenant in bind.scalars(sa.select(_OLD.c.tenant_id).distinct()).all():
        seq, last, before, own = 0, -1, START, START
        page = sa.select(_OLD).where(_OLD.c.tenant_id == tenant).order_by(_OLD.c.seq).limit(_PAGE)
        while rows := bind.execute(page.where(_OLD.c.seq > last)).all():
            for row in rows:
                seq, before = seq + 1, own
                own = hash_of(seq, before, _entry(row).digest())
                _insert(bind, row, seq, before, own)
            last = rows[-1].seq
        bind.execute(sa.insert(_HEADS).values(tenant_id=tenant, seq=seq, previous=before, hash=own))


def _entry(row: Any) -> Entry:
    """How a person had reached us was not recorded."""
    return Entry(
        tenant=row.tenant_id,
        at=row.at,
        alert=row.alert,
        private=None,
        actor=row.actor,
        channel=_CHANNELS.get(row.actor, "unsaid"),
        via=None,
        action=row.action,
        target=row.target,
        facts=written(row.facts),
        before=None,
        after=None,
    )


def _insert(bind: sa.Connection, row: Any, seq: int, before: bytes, own: bytes) -> None:
    """The facts by the very text that was hashed."""
    entry = _entry(row)
    facts: Any = sa.literal(entry.facts, sa.Text())
    bind.execute(
        sa.insert(_NEW).values(
            tenant_id=entry.tenant,
            seq=seq,
            at=entry.at,
            actor=entry.actor,
            channel=entry.channel,
            action=entry.action,
            target=entry.target,
            facts=sa.cast(facts, sa.JSON) if bind.dialect.name == "postgresql" else facts,
            alert=entry.alert,
            previous=before,
            hash=own,
        )
    )


def _append_only() -> None:
    """Entries stay, and a head goes on by one at a time."""
    onward = "NEW.tenant_id <> OLD.tenant_id OR NEW.seq NOT IN (OLD.seq, OLD.seq + 1)"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        for table in ("audit", "audit_heads"):
            op.execute(
                f"CREATE TRIGGER {table}_stays BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        op.execute(
            "CREATE TRIGGER audit_heads_no_delete BEFORE DELETE ON audit_heads "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            "CREATE TRIGGER audit_heads_onward BEFORE UPDATE ON audit_heads "
            f"FOR EACH ROW WHEN ({onward}) EXECUTE FUNCTION refuse_change()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
        )
    for name, when in (("no_delete", "DELETE ON audit_heads"), ("onward", "UPDATE ON audit_heads")):
        condition = f"WHEN {onward} " if name == "onward" else ""
        op.execute(
            f"CREATE TRIGGER audit_heads_{name} BEFORE {when} {condition}"
            "BEGIN SELECT RAISE(ABORT, 'audit_heads is append-only'); END"
        )
