"""What one person asks for and others approve."""

import sqlalchemy as sa

from services.store.schema.base import Moment, key, metadata, of, one_of

# It waits for others than its maker.
PENDING_OPERATION = sa.text("state = 'pending'")

# Operations: what one person asks for and others approve. What is to be done is kept by its kind, under
# the same id.
operations = sa.Table(
    "operations",
    metadata,
    *key(),
    sa.Column("kind", sa.Text, nullable=False),  # withdrawal...
    sa.Column("maker_id", sa.Uuid, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),  # how often it was asked: approvals count for one
    sa.Column("approvals_needed", sa.Integer, nullable=False),  # of others than the maker
    sa.Column("step_up", sa.Boolean, nullable=False),  # whoever approves types a one-time code
    sa.Column("digest", sa.Text, nullable=False),  # of all that decides what is done
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("wrong_codes", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("decided_by", sa.Uuid),
    sa.Column("decided_at", Moment),
    sa.CheckConstraint("approvals_needed > 0", name="approvals_needed"),
    one_of("state", "pending", "approved", "rejected", "canceled", "expired"),
    sa.UniqueConstraint("tenant_id", "id", "maker_id"),
    of("people", "maker_id"),
    sa.Index(None, "tenant_id", "state"),
    sa.Index(
        "ix_operations_pending",
        "kind",
        "created_at",
        postgresql_where=PENDING_OPERATION,
        sqlite_where=PENDING_OPERATION,
    ),
)

# An approver's right, lent to another of the staff for some days. It is an operation of the same id.
lendings = sa.Table(
    "lendings",
    metadata,
    *key(),
    sa.Column("lender_id", sa.Uuid, nullable=False),
    sa.Column("borrower_id", sa.Uuid, nullable=False),
    sa.Column("begins_at", Moment),  # when it was approved
    sa.Column("until", Moment, nullable=False),
    sa.Column("ended_at", Moment),  # taken back sooner
    sa.CheckConstraint("lender_id <> borrower_id", name="two_people"),
    sa.ForeignKeyConstraint(["tenant_id", "lender_id"], ["staff.tenant_id", "staff.person_id"]),
    sa.ForeignKeyConstraint(["tenant_id", "borrower_id"], ["staff.tenant_id", "staff.person_id"]),
    sa.Index(None, "tenant_id", "borrower_id"),
)

# Approvals: the maker stands in each row, so that the database itself refuses a maker's own.
approvals = sa.Table(
    "approvals",
    metadata,
    *key("operation_id"),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("approver_id", sa.Uuid, primary_key=True),
    sa.Column("right_of", sa.Uuid, nullable=False),  # the approver's own, or who lent it: used once
    sa.Column("maker_id", sa.Uuid, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.CheckConstraint("approver_id <> maker_id AND right_of <> maker_id", name="four_eyes"),
    sa.UniqueConstraint("tenant_id", "operation_id", "round", "right_of"),
    sa.ForeignKeyConstraint(
        ["tenant_id", "operation_id", "maker_id"],
        ["operations.tenant_id", "operations.id", "operations.maker_id"],
        name="fk_approvals_operation_maker",
    ),
    of("people", "approver_id"),
)

# What the staff change of the tenant's settings; its approvals are those of the operation of its id.
changes = sa.Table(
    "changes",
    metadata,
    *key(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("facts_sealed", sa.LargeBinary, nullable=False),  # what is to be, and what it was asked upon
    sa.Column("before", sa.JSON, nullable=False),  # masked
    sa.Column("after", sa.JSON, nullable=False),  # masked
    sa.Column("keys", sa.JSON, nullable=False),  # of the tenant file
    sa.Column(
        "cools", sa.Boolean, nullable=False
    ),  # after its approval it waits, so that it can be taken back
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("because", sa.Text),  # why it did not take effect
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("due_at", Moment),  # when it takes effect
    sa.Column("ended_at", Moment),
    one_of(
        "state",
        "pending",
        "cooling",
        "done",
        "undone",
        "rejected",
        "canceled",
        "expired",
        "taken_back",
        "void",
    ),
    one_of("kind", "destination", "limits", "staff", "fees", "resume"),
    of("operations", "id"),
    sa.Index(None, "tenant_id", "state"),
)
