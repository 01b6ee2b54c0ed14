"""Request: a maker asks for a withdrawal. The gross is held at once, and the approvers are told."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import approval, audit, fees, jobs, ledger, webhooks
from services.errors import Changed, InsufficientBalance, NotFound, OverLimit
from services.errors.limits import TooManyWithdrawals
from services.errors.refunds import MoneyOwed
from services.facts import Destination, Quote
from services.money import Money
from services.news import Withdrawal, WithdrawalRequested
from services.people import people
from services.people.access import APPROVE, INITIATE
from services.points import point
from services.store.schema import withdrawals
from services.withdrawals import destinations, limits, low_balance, unusual
from services.withdrawals.record import WITHDRAWAL, facts, new_row, note, shown, tell
from services.work import Work


async def quote(work: Work, gross: Money, method_type: str) -> Quote:
    """What would be sent of this amount now.

    Raises ProviderNotConfigured, NotWholeShillings, BelowMinimum, MoneyOwed, InsufficientBalance, OverLimit,
    TooManyWithdrawals.
    """
    try:
        quoted = await fees.quote(work, gross, method_type)
        await limits.refuse_beyond(work, await people.tenant_of(work), gross)
    except (OverLimit, TooManyWithdrawals):
        await _refuse_uncovered(work, gross)  # of the two, what there is says more than what is allowed
        raise
    await _refuse_uncovered(work, gross)
    return quoted


async def _refuse_uncovered(work: Work, gross: Money) -> None:
    """Raises MoneyOwed, InsufficientBalance."""
    balance = await ledger.balance(work, gross.currency)
    if balance.owed:
        raise MoneyOwed(balance.owed)
    if balance.available < gross:
        raise InsufficientBalance(balance.available, gross)


async def request(
    work: Work,
    maker: UUID,
    withdrawal_id: UUID,
    quoted: Quote,
    destination: Destination,
    notes: str | None = None,
) -> Withdrawal:
    """Hold the gross and ask the approvers; the same id again returns the same withdrawal.

    The fee that was shown is the fee that is charged: where it is another one now, raises Changed.
    Raises also what `quote` raises, MissingScope and InvalidPhone; NotFound for an id that is taken.
    """
    await people.require(work, maker, INITIATE)
    # With the wallet locked, nobody spends between the sums read here and the hold written here.
    await ledger.lock_wallet(work, quoted.gross.currency)
    if await _stands(work, maker, withdrawal_id):
        return await shown(work, withdrawal_id)
    destination = destinations.of(destination.method_type, destination.details)
    if await quote(work, quoted.gross, destination.method_type) != quoted:
        raise Changed
    tenant = await people.tenant_of(work)
    await limits.refuse_beyond_for(work, tenant, quoted.gross, maker, destination)
    row = await row_of(work, tenant, maker, withdrawal_id, quoted, destination, notes)
    if not await ledger.hold(work, withdrawal_id, quoted.gross):
        raise RuntimeError(f"{withdrawal_id} holds something else")
    await low_balance.tell(work, quoted.gross)
    await _ask(work, tenant, row, quoted.gross)
    await work.connection.execute(sa.insert(withdrawals).values(row))
    await note(work, withdrawal_id, "pending", maker)
    webhooks.tell(work, "withdrawal.requested", withdrawal_id)
    withdrawal = await shown(work, withdrawal_id)
    await audit.record(work, maker, "withdrawal.requested", withdrawal_id, facts_of(withdrawal))
    await unusual.record(work, maker, withdrawal_id, withdrawal.flags)
    approvers = await people.with_scope(work, APPROVE)
    await tell(work, approvers, maker, WithdrawalRequested(withdrawal=withdrawal))
    point("withdrawal.requested")
    return withdrawal


def facts_of(withdrawal: Withdrawal) -> dict[str, Any]:
    """For the audit: masked."""
    return {
        "amount": str(withdrawal.amount),
        "fee": str(withdrawal.fee),
        "net": str(withdrawal.net),
        "currency": withdrawal.amount.currency,
        "method_type": withdrawal.method_type,
        "destination": withdrawal.destination,
        "new_destination": withdrawal.new_destination,
        "maker": str(withdrawal.maker_id),
        "digest": withdrawal.digest,
    }


async def _stands(work: Work, maker: UUID, withdrawal_id: UUID) -> bool:
    query = sa.select(withdrawals.c.maker_id).where(
        withdrawals.c.tenant_id == work.tenant, withdrawals.c.id == withdrawal_id
    )
    before = await work.connection.scalar(query)
    if before not in (None, maker):
        raise NotFound("withdrawal")
    return before is not None


async def row_of(
    work: Work,
    tenant: sa.Row[Any],
    maker: UUID,
    withdrawal_id: UUID,
    quoted: Quote,
    destination: Destination,
    notes: str | None,
) -> dict[str, Any]:
    new = await destinations.is_new(work, destination)
    found = await unusual.flags(work, tenant, quoted.gross, maker, destination, new=new)
    flags = [each.model_dump(mode="json", exclude_none=True) for each in found]
    return new_row(work, maker, withdrawal_id, quoted, destination, new=new, flags=flags, notes=notes)


async def _ask(work: Work, tenant: sa.Row[Any], row: dict[str, Any], gross: Money) -> None:
    policy = await limits.policy(work, tenant, gross)
    expires_at = work.now + timedelta(hours=tenant.approval_hours)
    await approval.ask(
        work,
        WITHDRAWAL,
        row["id"],
        row["maker_id"],
        facts(SimpleNamespace(**row)),
        needed=policy.approvals,
        expires_at=expires_at,
        step_up=policy.step_up,
    )
    await jobs.schedule(work, "withdrawal_expire", row["id"], expires_at)
