"""Put right: what a payout's provider says against what was said before, by itself or by two people.

The books follow the money by entries of their own; what stood there stays. What was paid after all is taken
from what is available in the wallet, the rest is owed, and no fee is taken of it. What only people had
said to be paid, and was not, comes back with its fee. Where a yes and a no are both the provider's own, the
yes is in the books: it may be the no that is wrong, and the wallet must not be paid twice.
"""

from services import audit, inbox, ledger, webhooks
from services.dispatch import PAYOUT, alert
from services.ledger import WALLET, WITHDRAWAL_FEES, Transfer, provider_account
from services.money import Money
from services.news import Unsent, WithdrawalClosed, WithdrawalPaidLate
from services.people import people
from services.people.access import APPROVE
from services.withdrawals.attempt import Sending
from services.withdrawals.record import advance, note, shown
from services.withdrawals.returned import FEE_BACK, GIVEN_BACK
from services.work import Work

LATE = "payout_late"  # reason of transfers; what is owed of it has its own
PAID_LATE = "paid_after_all"  # in the history of the withdrawal


async def paid_after_all(work: Work, one: Sending, receipt: str | None) -> None:
    """It had failed, or was found not to be paid: its hold is gone, or another payout's. The status of the
    withdrawal stays, since it may be that other one's."""
    row, before = one.withdrawal, one.row
    values = {"left_at": work.now, "resolved_at": work.now, "receipt": receipt or before.receipt}
    if not await PAYOUT.move(work, before.id, before.state, **values):
        return
    owed = await ledger.take_back(work, before.id, before.provider, one.amount, LATE)
    await note(work, row.id, row.status, None, PAID_LATE)
    webhooks.tell(work, "withdrawal.paid_late", row.id)
    facts = {"payout": str(before.id), "net": str(one.amount), "owed": str(owed), "receipt": receipt}
    was = {"payout": before.state, "because": before.because}
    after = was | {"left": True}
    await audit.record(work, audit.PROVIDER, "payout.paid_late", row.id, facts, before=was, after=after)
    news = WithdrawalPaidLate(
        withdrawal=await shown(work, row.id, carrier=one.row.provider),
        owed=owed or Money(0, row.currency),
        receipt=receipt,
    )
    await _tell(work, one, news)


async def came_back(work: Work, one: Sending, amount: Money, detail: str) -> None:
    """What was paid after all is given back; told again it changes nothing. It took no fee."""
    if not await PAYOUT.came_back(work, one, amount, detail):
        return
    move = Transfer(provider_account(one.row.provider), WALLET, one.amount, GIVEN_BACK)
    await ledger.post(work, one.row.id, [move])
    await note(work, one.withdrawal.id, one.withdrawal.status, None, Unsent.RETURNED)
    await alert(work, one, "payout.returned", detail=detail)


async def denied(work: Work, one: Sending, detail: str) -> None:
    """Two people had settled it as paid, and the provider, which had not said so, says that it failed."""
    row = one.withdrawal
    if not await PAYOUT.move(work, one.row.id, "succeeded", denied_at=work.now, resolved_at=work.now):
        return
    moves = [Transfer(provider_account(one.row.provider), WALLET, one.amount, GIVEN_BACK)]
    if row.fee:
        moves.append(Transfer(WITHDRAWAL_FEES, WALLET, Money(row.fee, row.currency), FEE_BACK))
    await ledger.post(work, row.id, moves)
    await advance(work, row, "completed", "failed", None, Unsent.DENIED, receipt=row.receipt)
    facts = {"payout": str(one.row.id), "net": str(one.amount), "receipt": row.receipt, "detail": detail}
    after = {"status": "failed", "because": Unsent.DENIED}
    before = {"status": "completed"}
    await audit.record(work, audit.PROVIDER, "payout.denied", row.id, facts, before=before, after=after)
    await _tell(
        work,
        one,
        WithdrawalClosed(
            withdrawal=await shown(work, row.id, carrier=one.row.provider), because=Unsent.DENIED
        ),
    )


async def _tell(work: Work, one: Sending, news: WithdrawalClosed | WithdrawalPaidLate) -> None:
    """Of a line of a batch too: its batch has been told otherwise."""
    concerned = {one.withdrawal.maker_id} | await people.with_scope(work, APPROVE)
    await inbox.tell_people(work, concerned | await people.reconcilers(work), news)
