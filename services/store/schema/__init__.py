"""The tables, for both databases: a file for each area.

Times are aware UTC. Amounts are minor units. Columns named `*_sealed` hold ciphertext of the vault,
`*_index` keyed blind indexes. A tenant's rows lead their keys with `tenant_id`; only the two logs
that order things (inbox, outbox) count by `seq`.
"""

from services.store.schema.approval import approvals, changes, lendings, operations
from services.store.schema.base import NOBODY, Moment, metadata
from services.store.schema.ledger import (
    OPEN_BREACH,
    account_proofs,
    accounts,
    book_checks,
    breaches,
    fees,
    holds,
    transfers,
)
from services.store.schema.payouts import LIVE_PAYOUT, payouts, withdrawal_history, withdrawals
from services.store.schema.people import (
    OPEN_HANDOFF,
    conversations,
    credentials,
    handoff_lines,
    handoffs,
    people,
    staff,
    tenants,
    totps,
)
from services.store.schema.record import api_answers, api_keys, audit, audit_heads, audit_private
from services.store.schema.refunds import OPEN_WISH, refund_attempts, refund_wishes, refunds, reversals
from services.store.schema.shop import (
    LIVE_ATTEMPT,
    attempts,
    carts,
    orders,
    payments,
    products,
    saved_methods,
)
from services.store.schema.traffic import (
    OPEN_OUTBOX,
    WAITS_ASIDE,
    WAITS_FOR_TURN,
    hooks,
    inbox,
    is_open,
    jobs,
    outbox,
    provider_tokens,
    waits_aside,
    waits_for_turn,
)

__all__ = [
    "LIVE_ATTEMPT",
    "LIVE_PAYOUT",
    "NOBODY",
    "OPEN_BREACH",
    "OPEN_HANDOFF",
    "OPEN_OUTBOX",
    "OPEN_WISH",
    "WAITS_ASIDE",
    "WAITS_FOR_TURN",
    "Moment",
    "account_proofs",
    "accounts",
    "api_answers",
    "api_keys",
    "approvals",
    "attempts",
    "audit",
    "audit_heads",
    "audit_private",
    "book_checks",
    "breaches",
    "carts",
    "changes",
    "conversations",
    "credentials",
    "fees",
    "handoff_lines",
    "handoffs",
    "holds",
    "hooks",
    "inbox",
    "is_open",
    "jobs",
    "lendings",
    "metadata",
    "operations",
    "orders",
    "outbox",
    "payments",
    "payouts",
    "people",
    "products",
    "provider_tokens",
    "refund_attempts",
    "refund_wishes",
    "refunds",
    "reversals",
    "saved_methods",
    "staff",
    "tenants",
    "totps",
    "transfers",
    "waits_aside",
    "waits_for_turn",
    "withdrawal_history",
    "withdrawals",
]
