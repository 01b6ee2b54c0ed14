"""Rules: what always holds in the books, each as the query for the rows where it does not.

A row says (tenant, what names it, what should be, what is). Within a scope a rule looks at what may have
changed since a moment; without one at everything.
"""

from typing import Any

import sqlalchemy as sa

from services.books import ledger_rules as ledger
from services.books import outcome_rules as outcomes
from services.books.refund_rules import OF_REFUNDS
from services.books.scope import Rule, Scope
from services.store.schema import attempts, payouts, refund_attempts


def _of_all_time(query: sa.Select[Any]) -> Rule:
    """A rule that has no scope of its own but the tenant."""

    def rule(scope: Scope) -> sa.Select[Any]:
        rows = query.subquery()
        columns = list(rows.c)
        return sa.select(*columns).where(sa.true() if scope.tenant is None else columns[0] == scope.tenant)

    return rule


# Proven in full only: at night, and by `ledger check`.
IN_FULL: dict[str, Rule] = {
    "a balance is the sum of its entries": ledger.balance_is_sum_of_entries,
    "the entries of an account are numbered without a gap": ledger.entries_have_no_gap,
    **{name: _of_all_time(query) for name, query in OF_REFUNDS.items()},
}

RULES: dict[str, Rule] = {
    "the posted balances of a tenant and currency sum to zero": ledger.sum_is_zero,
    **IN_FULL,
    "held is the sum of the open holds": ledger.held_is_sum_of_open_holds,
    "the available balance is not negative": ledger.available_is_not_negative,
    "a transfer is unique by cause and reason": ledger.transfer_is_unique,
    "a transfer is in the currency of its accounts": ledger.transfer_has_its_accounts_currency,
    "a sale belongs to an attempt that succeeded": ledger.sale_has_its_attempt,
    "a cost belongs to what succeeded": ledger.cost_has_its_item,
    "a receipt of a payment is applied once": outcomes.receipt_is_applied_once(attempts),
    "a receipt of a payout is applied once": outcomes.receipt_is_applied_once(payouts),
    "a succeeded attempt is posted once, in full": outcomes.success_is_posted_once,
    "a hold is open while its withdrawal is": outcomes.hold_follows_its_withdrawal,
    "a posted hold has left its account in full": outcomes.posted_hold_left_in_full,
    "a completed withdrawal has one payout that succeeded": outcomes.completed_withdrawal_has_its_payout,
    "a payout that came back is in the wallet once, in full": outcomes.returned_payout_is_posted_once,
    "a payout that was paid after all has left once, in full": outcomes.late_payout_is_posted_once,
    "what is owed is paid before anything is available": ledger.owed_is_paid_first,
    "a receipt of a refund is applied once": outcomes.receipt_is_applied_once(refund_attempts),
}
