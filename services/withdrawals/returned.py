"""Returned: a provider gives back what it had told as paid out: the bank took it for some days, and then not.

What is in the books stays there, and entries of its own undo it: the net comes back to the wallet from what
the provider holds, and the fee with it, since nothing was paid out for it. What the provider charged is the
platform's, and is put right where the provider's statement says so (`services/costs`).
"""

from services import audit, inbox, ledger
from services.dispatch import PAYOUT
from services.ledger import WALLET, WITHDRAWAL_FEES, Transfer, provider_account
from services.money import Money
from services.news import Unsent, WithdrawalClosed
from services.people import people
from services.people.access import APPROVE
from services.withdrawals.attempt import Sending
from services.withdrawals.record import advance, shown
from services.work import Work

GIVEN_BACK, FEE_BACK = "payout_returned", "withdrawal_fee_returned"  # reasons of transfers


async def returned(work: Work, one: Sending, amount: Money, detail: str) -> None:
    """Of a payout that has succeeded, under its lock. Told again it changes nothing, and another amount than
    was sent moves nothing."""
    row = one.withdrawal
    if not await PAYOUT.came_back(work, one, amount, detail):
        return
    moves = [Transfer(provider_account(one.row.provider), WALLET, one.amount, GIVEN_BACK)]
    if row.fee:
        moves.append(Transfer(WITHDRAWAL_FEES, WALLET, Money(row.fee, row.currency), FEE_BACK))
    await ledger.post(work, row.id, moves)
    await advance(work, row, "completed", "failed", None, Unsent.RETURNED, receipt=row.receipt)
    facts = {"payout": str(one.row.id), "net": str(one.amount), "receipt": row.receipt, "detail": detail}
    await audit.record(
        work,
        audit.PROVIDER,
        "payout.returned",
        row.id,
        facts,
        before={"status": "completed"},
        after={"status": "failed", "because": Unsent.RETURNED},
        alert=True,
    )
    news = WithdrawalClosed(
        withdrawal=await shown(work, row.id, carrier=one.row.provider), because=Unsent.RETURNED
    )
    concerned = {row.maker_id} | await people.with_scope(work, APPROVE) | await people.reconcilers(work)
    await inbox.tell_people(work, concerned, news)
