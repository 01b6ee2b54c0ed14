"""Access: scopes, and the roles that bundle them. What is not granted is denied."""

from collections.abc import Iterable, Mapping
from uuid import UUID

VIEW_CATALOG = "catalog:view"
EDIT_CATALOG = "catalog:edit"
VIEW_CONVERSATIONS = "conversations:view"
HAND_OFF = "handoff:perform"
VIEW_ORDERS = "orders:view"
EDIT_ORDERS = "orders:edit"
VIEW_ANALYTICS = "analytics:view"
VIEW_FINANCE = "finance:view"
INITIATE = "finance:withdraw:initiate"
APPROVE = "finance:withdraw:approve"
RECONCILE = "finance:reconcile"
MANAGE_INTEGRATIONS = "integrations:manage"
MANAGE_USERS = "users:manage"
VIEW_AUDIT = "audit:view"

SCOPES = (
    VIEW_CATALOG,
    EDIT_CATALOG,
    VIEW_CONVERSATIONS,
    HAND_OFF,
    VIEW_ORDERS,
    EDIT_ORDERS,
    VIEW_ANALYTICS,
    VIEW_FINANCE,
    INITIATE,
    APPROVE,
    RECONCILE,
    MANAGE_INTEGRATIONS,
    MANAGE_USERS,
    VIEW_AUDIT,
)

OWNER = "Owner"

# What of the business the staff may be told of, and the scopes of which each takes any.
NOTICES: dict[str, frozenset[str]] = {
    "sale": frozenset({VIEW_ORDERS, VIEW_FINANCE}),
    "summary": frozenset({VIEW_FINANCE}),
    "low_balance": frozenset({VIEW_FINANCE}),
}
OF_OWNERS = ("summary", "low_balance")  # where nothing else was said for them

ROLES: dict[str, frozenset[str]] = {
    OWNER: frozenset(SCOPES),
    "Admin": frozenset(SCOPES) - {APPROVE},
    "Finance Admin": frozenset(
        {VIEW_FINANCE, INITIATE, APPROVE, RECONCILE, VIEW_ANALYTICS, VIEW_ORDERS, VIEW_AUDIT}
    ),
    "Cashier": frozenset({VIEW_FINANCE, INITIATE, VIEW_ORDERS, EDIT_ORDERS}),
    "Catalog Manager": frozenset({VIEW_CATALOG, EDIT_CATALOG, VIEW_ANALYTICS}),
    "Support Lead": frozenset({VIEW_CONVERSATIONS, HAND_OFF, VIEW_ORDERS}),
    "Analyst": frozenset({VIEW_ANALYTICS, VIEW_CATALOG, VIEW_ORDERS}),
}


def granted(role: str | None, scopes: Iterable[str]) -> frozenset[str]:
    """What a role and single scopes grant together; a name that we do not know grants nothing."""
    return (ROLES.get(role or "", frozenset()) | frozenset(scopes)) & frozenset(SCOPES)


def who_may_withdraw(active: Mapping[UUID, frozenset[str]], approvals: int) -> set[UUID]:
    """Of the active staff and their scopes: the makers to whom enough others can say yes."""
    approvers = {person for person, scopes in active.items() if APPROVE in scopes}
    makers = {person for person, scopes in active.items() if INITIATE in scopes}
    return {maker for maker in makers if len(approvers - {maker}) >= approvals}
