"""Grants: what each scope may do with each table. PostgreSQL's roles are granted it, and the guard in code
holds every statement against it, so that SQLite refuses what PostgreSQL would.

A tenant's scope may do with its own rows what is not left out in `_NEVER`: what the code never changes or
removes, nobody changes or removes by mistake. The others may do what is listed, with the rows of all.
"""

from collections.abc import Mapping
from uuid import UUID

from services.store.reach import DELETE, INSERT, SELECT, UPDATE, tenant_column
from services.store.schema import metadata
from services.store.scope import AUDITOR, OWNER, PLATFORM, Scope

Grants = Mapping[str, frozenset[str]]

EVERYTHING = frozenset({SELECT, INSERT, UPDATE, DELETE})

# Not even of one's own.
_NEVER = {
    "transfers": {UPDATE, DELETE},
    "withdrawal_history": {DELETE},  # a reason that names who is erased is masked
    "reversals": {UPDATE, DELETE},
    "audit": {UPDATE, DELETE},
    "accounts": {DELETE},
    "holds": {DELETE},
    "operations": {DELETE},
    "withdrawals": {DELETE},
    "payouts": {DELETE},
    "refunds": {DELETE},
    "refund_attempts": {DELETE},
    "orders": {DELETE},
    "payments": {DELETE},
    "attempts": {DELETE},
    "approvals": {UPDATE},
    "audit_heads": {DELETE},
    "api_keys": {DELETE},
    "breaches": {DELETE},
    "tenants": {DELETE},
}

# The installation's, which every tenant may read: of `costs` those for all and their own.
_SHARED = {"costs": frozenset({SELECT})}

_PLATFORM = {
    # What came in and goes out: batches of turns, of many tenants at once.
    "inbox": {SELECT, INSERT, UPDATE},
    "outbox": {SELECT, INSERT, UPDATE},
    "conversations": {SELECT, INSERT, UPDATE},
    "people": {SELECT, INSERT},
    "staff": {SELECT},
    "lendings": {SELECT},
    # What is due.
    "jobs": {SELECT, INSERT, UPDATE},
    # What finds a tenant: by its slug or number, a key, the address of a callback.
    "tenants": {SELECT},
    "credentials": {SELECT},
    "products": {SELECT},
    "api_keys": {SELECT, UPDATE},
    "hooks": {SELECT},
    "attempts": {SELECT},
    "payouts": {SELECT},
    "refund_attempts": {SELECT},
    "statement_coverages": {SELECT},
    "breakers": {SELECT},
    "mails": {SELECT, INSERT, DELETE},
    "conditions": {SELECT, INSERT, UPDATE, DELETE},
    "webhook_deliveries": {SELECT},
    # The installation's own.
    "costs": EVERYTHING,
    "message_rates": EVERYTHING,
    "provider_tokens": {SELECT, INSERT, UPDATE},
    "book_checks": {SELECT, INSERT, UPDATE},
    "account_proofs": {SELECT, INSERT, UPDATE},
    "audit_heads": {SELECT, UPDATE},
}


def _own() -> Grants:
    own = {
        name: EVERYTHING - _NEVER.get(name, set())
        for name in metadata.tables
        if tenant_column(name) is not None
    }
    return own | _SHARED


TENANT: Grants = _own()
WIDE: Mapping[Scope, Grants] = {
    PLATFORM: {name: frozenset(uses) for name, uses in _PLATFORM.items()},
    AUDITOR: dict.fromkeys(metadata.tables, frozenset({SELECT})),
    OWNER: dict.fromkeys(metadata.tables, EVERYTHING),
}


def grants(scope: Scope) -> Grants:
    return TENANT if isinstance(scope, UUID) else WIDE[scope]
