"""operations under four eyes"""

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from services.store.schema import Moment

revision = "7d1f5a90c3e8"
down_revision = "d27f6a10c8b5"
branch_labels = None
depends_on = None

_STATES = {
    "pending": "pending",
    "rejected": "rejected",
    "canceled": "canceled",
    "expired": "expired",
    "processing": "approved",
    "completed": "approved",
    "failed": "approved",
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # wait briefly rather than block everybody
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "operations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("maker_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("approvals_needed", sa.Integer(), nullable=False),
        sa.Column("step_up", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", Moment(), nullable=True),
        sa.CheckConstraint("approvals_needed > 0", name=op.f("ck_operations_approvals_needed")),
        sa.CheckConstraint(
            "state IN ('pending', 'approved', 'rejected', 'canceled', 'expired')",
            name=op.f("ck_operations_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "maker_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_operations_tenant_id_maker_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_operations")),
        sa.UniqueConstraint(
            "tenant_id", "id", "maker_id", name=op.f("uq_operations_tenant_id_id_maker_id")
        ),
    )
    op.create_index(op.f("ix_operations_tenant_id_state"), "operations", ["tenant_id", "state"])
    _move_withdrawals()
    _move_approvals()
    for column in ("approvals_needed", "digest", "expires_at"):
        op.drop_column("withdrawals", column)


def _move_withdrawals() -> None:
    """Each becomes an operation. Its digest is made anew by the new rule where it was right by the old
    one; a wrong one stays wrong, so that what was tampered with is refused as before."""
    connection = op.get_bind()
    names = (
        "tenant_id id maker_id amount fee net currency status method_type details_index approvals_needed "
        "digest created_at expires_at"
    ).split()
    before = sa.table("withdrawals", *(sa.column(name, _TYPES.get(name, sa.Text())) for name in names))
    tenants = sa.table("tenants", sa.column("id", sa.Uuid()), sa.column("totp_above", sa.BigInteger()))
    limits = {row.id: row.totp_above for row in connection.execute(sa.select(tenants))}
    rows = connection.execute(sa.select(before)).all()
    made = [_operation(row, limits.get(row.tenant_id)) for row in rows]
    for start in range(0, len(made), 500):
        connection.execute(sa.insert(_OPERATIONS), made[start : start + 500])
    connection.execute(
        sa.text(
            "UPDATE operations SET decided_by = line.by_id, decided_at = line.at FROM ("
            "SELECT tenant_id, withdrawal_id, by_id, at, row_number() OVER ("
            "PARTITION BY tenant_id, withdrawal_id ORDER BY seq DESC) AS latest FROM withdrawal_history "
            "WHERE status IN ('processing', 'rejected', 'canceled', 'expired')) AS line "
            "WHERE line.latest = 1 AND line.tenant_id = operations.tenant_id "
            "AND line.withdrawal_id = operations.id"
        )
    )


def _move_approvals() -> None:
    op.execute("CREATE TABLE approvals_before AS SELECT * FROM approvals")
    op.drop_table("approvals")
    op.create_table(
        "approvals",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("approver_id", sa.Uuid(), nullable=False),
        sa.Column("maker_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.CheckConstraint("approver_id <> maker_id", name=op.f("ck_approvals_four_eyes")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "approver_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_approvals_tenant_id_approver_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "operation_id", "maker_id"],
            ["operations.tenant_id", "operations.id", "operations.maker_id"],
            name="fk_approvals_operation_maker",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "operation_id", "round", "approver_id", name=op.f("pk_approvals")
        ),
    )
    # An approval of what the withdrawal was is one of what its operation is; of anything else, of nothing.
    op.execute(
        "INSERT INTO approvals "
        "(tenant_id, operation_id, round, approver_id, maker_id, digest, created_at) "
        "SELECT b.tenant_id, b.withdrawal_id, 1, b.approver_id, b.maker_id, "
        "CASE WHEN b.digest = w.digest THEN o.digest ELSE b.digest END, b.created_at "
        "FROM approvals_before b "
        "JOIN withdrawals w ON w.tenant_id = b.tenant_id AND w.id = b.withdrawal_id "
        "JOIN operations o ON o.tenant_id = b.tenant_id AND o.id = b.withdrawal_id"
    )
    op.drop_table("approvals_before")


_TYPES: dict[str, Any] = {
    "tenant_id": sa.Uuid(),
    "id": sa.Uuid(),
    "maker_id": sa.Uuid(),
    "decided_by": sa.Uuid(),
    "details_index": sa.LargeBinary(),
    "created_at": Moment(),
    "expires_at": Moment(),
    "decided_at": Moment(),
    "step_up": sa.Boolean(),
}
_OPERATIONS = sa.table(
    "operations",
    *(
        sa.column(name, _TYPES.get(name))
        for name in (
            "tenant_id id kind maker_id round approvals_needed step_up digest state created_at expires_at"
        ).split()
    ),
)


def _operation(row: Any, totp_above: int | None) -> dict[str, Any]:
    needed = max(row.approvals_needed, 1)
    step_up = totp_above is not None and row.amount > totp_above
    return {
        "tenant_id": row.tenant_id,
        "id": row.id,
        "kind": "withdrawal",
        "maker_id": row.maker_id,
        "round": 1,
        "approvals_needed": needed,
        "step_up": step_up,
        "digest": _new_digest(row, needed, step_up=step_up) if row.digest == _old_digest(row) else row.digest,
        "state": _STATES[row.status],
        "created_at": row.created_at,
        "expires_at": row.expires_at,
    }


def _old_digest(row: Any) -> str:
    told = {
        "id": str(row.id),
        "tenant": str(row.tenant_id),
        "amount": row.amount,
        "currency": row.currency,
        "fee": row.fee,
        "net": row.net,
        "method_type": row.method_type,
        "details_index": row.details_index.hex(),
        "maker": str(row.maker_id),
        "approvals_needed": row.approvals_needed,
    }
    return _sha256(told)


def _new_digest(row: Any, needed: int, *, step_up: bool) -> str:
    told = {
        "tenant": str(row.tenant_id),
        "id": str(row.id),
        "kind": "withdrawal",
        "maker": str(row.maker_id),
        "round": 1,
        "policy": {"approvals": needed, "step_up": step_up},
        "facts": {
            "amount": row.amount,
            "currency": row.currency,
            "fee": row.fee,
            "net": row.net,
            "method_type": row.method_type,
            "destination": row.details_index.hex(),
        },
    }
    return _sha256(told)


def _sha256(told: dict[str, Any]) -> str:
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
