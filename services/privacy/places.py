"""Places: what becomes of every column at the erasure of a person. Ids, times, numbers and flags say nothing
of a person once nobody knows whose id it is; so only what holds words, JSON or bytes is listed, and a test
fails where a column of these kinds is not.

    REMOVED   with its row
    EMPTIED   where the row stays
    SWEPT     opened or read, and emptied or removed where it names the person
    KEPT      for the reason given
"""

from enum import StrEnum


class Fate(StrEnum):
    REMOVED = "removed"
    EMPTIED = "emptied"
    SWEPT = "swept"
    KEPT = "kept"


_NOBODY = "is about no person"
_STAFF = "is of the staff, who are not erased while the record of money names them"
_TENANT = "is the tenant's own"
_WORD = "is a word of ours"
_MONEY = "is the record of a payment"

PLACES: dict[str, tuple[Fate, str]] = {
    # the person
    "people.name": (Fate.EMPTIED, "says that it was erased"),
    "people.language": (Fate.EMPTIED, ""),
    "people.preferred_provider": (Fate.EMPTIED, ""),
    "people.stopped_by": (Fate.EMPTIED, ""),
    "conversations.*": (Fate.REMOVED, "and addresses of others' chats that are theirs are swept"),
    "saved_methods.*": (Fate.REMOVED, ""),
    "carts.*": (Fate.REMOVED, ""),
    "handoffs.*": (Fate.REMOVED, ""),
    "handoff_lines.*": (Fate.REMOVED, "and swept, where the staff wrote of them to others"),
    # messages and what came in
    "inbox.*": (Fate.SWEPT, "their chats' are removed"),
    "outbox.body_sealed": (Fate.SWEPT, "their chats' are emptied"),
    "outbox.template_sealed": (Fate.SWEPT, "their chats' are emptied"),
    "outbox.wamid": (Fate.SWEPT, "it has the number inside"),
    "outbox.error": (Fate.SWEPT, "their chats' are emptied"),
    "outbox.about": (Fate.EMPTIED, ""),
    "outbox.purpose": (Fate.KEPT, _WORD),
    "outbox.state": (Fate.KEPT, _WORD),
    "outbox.price_category": (Fate.KEPT, "counts messages"),
    "outbox.price_type": (Fate.KEPT, "counts messages"),
    "outbox.price_country": (Fate.KEPT, "counts messages"),
    "jobs.kind": (Fate.KEPT, _WORD),
    "jobs.error": (Fate.SWEPT, ""),
    "hooks.token_hash": (Fate.KEPT, _NOBODY),
    "hooks.about": (Fate.KEPT, _WORD),
    "provider_tokens.*": (Fate.KEPT, _NOBODY),
    "api_answers.*": (Fate.SWEPT, "removed where they name the person"),
    # sales and payments
    "orders.note": (Fate.EMPTIED, "others' are swept"),
    "orders.lines": (Fate.SWEPT, "what was sold is kept as the books of sales; who is named in it is masked"),
    "orders.number": (Fate.KEPT, "the books of sales"),
    "orders.status": (Fate.KEPT, _WORD),
    "orders.currency": (Fate.KEPT, _MONEY),
    "payments.status": (Fate.KEPT, _WORD),
    "payments.currency": (Fate.KEPT, _MONEY),
    "payments.receipt": (Fate.KEPT, _MONEY),
    "attempts.provider": (Fate.KEPT, _MONEY),
    "attempts.details_sealed": (Fate.EMPTIED, ""),
    "attempts.label": (Fate.EMPTIED, "stars alone"),
    "attempts.state": (Fate.KEPT, _WORD),
    "attempts.because": (Fate.KEPT, _WORD),
    "attempts.detail": (Fate.EMPTIED, "others' are swept"),
    "attempts.reference_sealed": (Fate.EMPTIED, ""),
    "attempts.page_sealed": (Fate.EMPTIED, ""),
    "attempts.receipt": (Fate.KEPT, _MONEY),
    "attempts.doubt": (Fate.KEPT, _WORD),
    "attempts.told": (Fate.KEPT, _MONEY),
    "refund_wishes.reason": (Fate.EMPTIED, "others' are swept"),
    "refund_wishes.state": (Fate.KEPT, _WORD),
    "refunds.source": (Fate.KEPT, _WORD),
    "refunds.way": (Fate.KEPT, _WORD),
    "refunds.currency": (Fate.KEPT, _MONEY),
    "refunds.reason": (Fate.EMPTIED, "others' are swept"),
    "refunds.status": (Fate.KEPT, _WORD),
    "refunds.because": (Fate.KEPT, _WORD),
    "refunds.receipt": (Fate.KEPT, _MONEY),
    "refund_attempts.provider": (Fate.KEPT, _MONEY),
    "refund_attempts.state": (Fate.KEPT, _WORD),
    "refund_attempts.reference": (Fate.KEPT, _MONEY),
    "refund_attempts.receipt": (Fate.KEPT, _MONEY),
    "refund_attempts.because": (Fate.KEPT, _WORD),
    "refund_attempts.detail": (Fate.SWEPT, ""),
    "reversals.*": (Fate.KEPT, _MONEY),
    # providers' statements
    "statement_lines.party": (Fate.EMPTIED, "of what they paid; it is stars and the last digits"),
    "breaks.party": (Fate.EMPTIED, "of what they paid; it is stars and the last digits"),
    "breaks.reason": (Fate.SWEPT, ""),
    **{
        f"{table}.{column}": (Fate.KEPT, _MONEY)
        for table, columns in (
            (
                "statement_lines",
                ("provider", "key", "kind", "currency", "receipt", "reference", "of", "source"),
            ),
            ("statement_coverages", ("provider", "kind", "source")),
            (
                "breaks",
                ("provider", "subject", "type", "kind", "ours_currency", "theirs_currency", "line_key"),
            ),
            ("breaks", ("receipt", "label", "state")),
        )
        for column in columns
    },
    "products.*": (Fate.KEPT, _TENANT),
    # the ledger and its proof
    "accounts.*": (Fate.KEPT, "the ledger knows ids alone"),
    "transfers.*": (Fate.KEPT, "the ledger knows ids alone"),
    "holds.*": (Fate.KEPT, "the ledger knows ids alone"),
    "fees.*": (Fate.KEPT, _TENANT),
    "costs.*": (Fate.KEPT, _NOBODY),
    "message_rates.*": (Fate.KEPT, _NOBODY),
    "breaches.*": (Fate.KEPT, _NOBODY),
    "book_checks.*": (Fate.KEPT, _NOBODY),
    # money that leaves for the tenant
    "withdrawals.notes": (Fate.SWEPT, ""),
    "withdrawals.destination": (Fate.KEPT, f"{_TENANT}, masked; of a holder there are initials"),
    "withdrawals.details_sealed": (Fate.KEPT, _TENANT),
    "withdrawals.details_index": (Fate.KEPT, _TENANT),
    "withdrawals.currency": (Fate.KEPT, _MONEY),
    "withdrawals.status": (Fate.KEPT, _WORD),
    "withdrawals.method_type": (Fate.KEPT, _WORD),
    "withdrawals.flags": (Fate.KEPT, _WORD),
    "withdrawals.receipt": (Fate.KEPT, _MONEY),
    "withdrawal_history.status": (Fate.KEPT, _WORD),
    "withdrawal_history.reason": (Fate.SWEPT, ""),
    "payouts.provider": (Fate.KEPT, _MONEY),
    "payouts.state": (Fate.KEPT, _WORD),
    "payouts.turn": (Fate.KEPT, _WORD),
    "payouts.held": (Fate.KEPT, _WORD),
    "payouts.reference": (Fate.KEPT, _MONEY),
    "payouts.recipient": (Fate.KEPT, _TENANT),
    "payouts.receipt": (Fate.KEPT, _MONEY),
    "payouts.because": (Fate.KEPT, _WORD),
    "payouts.detail": (Fate.SWEPT, ""),
    "settlements.outcome": (Fate.KEPT, _WORD),
    "settlements.reference": (Fate.SWEPT, ""),
    "settlements.note": (Fate.SWEPT, ""),
    "settlements.state": (Fate.KEPT, _WORD),
    "settlements.because": (Fate.KEPT, _WORD),
    "batches.lines_sealed": (
        Fate.SWEPT,
        "a file's that nobody has decided waits; others are removed when it ends",
    ),
    "batches.name": (Fate.SWEPT, ""),
    "batches.*": (Fate.KEPT, "counts, sums and digests"),
    "schedules.*": (Fate.KEPT, f"{_TENANT}: where its own money goes, as it was approved"),
    "schedule_runs.*": (Fate.KEPT, _WORD),
    # the tenant and its staff
    "tenants.*": (Fate.KEPT, _TENANT),
    "rails.*": (Fate.KEPT, _WORD),
    "breakers.*": (Fate.KEPT, _WORD),
    "credentials.*": (Fate.KEPT, _TENANT),
    "staff.*": (Fate.KEPT, _STAFF),
    "totps.*": (Fate.KEPT, _STAFF),
    "api_keys.*": (Fate.KEPT, _STAFF),
    "operations.*": (Fate.KEPT, _STAFF),
    "approvals.*": (Fate.KEPT, _STAFF),
    "changes.kind": (Fate.KEPT, _WORD),
    "changes.state": (Fate.KEPT, _WORD),
    "changes.facts_sealed": (Fate.KEPT, _TENANT),
    "changes.before": (Fate.KEPT, _TENANT),
    "changes.after": (Fate.KEPT, _TENANT),
    "changes.keys": (Fate.KEPT, _TENANT),
    "changes.because": (Fate.SWEPT, ""),
    "webhook_endpoints.*": (Fate.KEPT, _TENANT),
    "webhook_deliveries.*": (Fate.KEPT, "bodies hold ids, amounts and words of ours; gone with retention"),
    "webhook_attempts.*": (Fate.KEPT, _WORD),
    # the record
    "audit.*": (Fate.KEPT, "a chain of ids and masked facts; words about a person are in audit_private"),
    "audit_heads.*": (Fate.KEPT, _NOBODY),
    "mails.kind": (Fate.KEPT, _WORD),
    "conditions.kind": (Fate.KEPT, _WORD),
    "conditions.subject": (Fate.KEPT, _NOBODY),
    "audit_private.*": (Fate.REMOVED, ""),
}


def placed(table: str, column: str) -> tuple[Fate, str] | None:
    """None where nobody has said what becomes of it."""
    return PLACES.get(f"{table}.{column}") or PLACES.get(f"{table}.*")
