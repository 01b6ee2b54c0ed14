"""Limits: what the tenant has set for withdrawals."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from services.errors import OverLimit
from services.money import Money
from services.store.schema import withdrawals
from services.work import Work

_DAY = timedelta(hours=24)


async def refuse_beyond(work: Work, tenant: sa.Row[Any], gross: Money) -> None:
    """Raises OverLimit. The day is the last 24 hours, so that splitting an amount, or midnight, helps
    nobody; what was refused, canceled or failed does not count. Exact while the wallet is locked."""
    if tenant.per_withdrawal is not None and gross.minor > tenant.per_withdrawal:
        raise OverLimit(Money(tenant.per_withdrawal, gross.currency), gross)
    if tenant.per_day is None:
        return
    today = await _with_the_last_day(work, gross)
    if today > tenant.per_day:
        raise OverLimit(Money(tenant.per_day, gross.currency), Money(today, gross.currency))


@dataclass(frozen=True)
class Policy:
    """What approving a withdrawal takes: so many others than the maker, each with a one-time code or not."""

    approvals: int
    step_up: bool


async def policy(work: Work, tenant: sa.Row[Any], gross: Money) -> Policy:
    """For one that is asked for now. What counts is the sum of the last 24 hours with this one, so that
    many small ones take what a large one would. It is the whole tenant's, which is never less than any one
    maker's or destination's. Exact while the wallet is locked."""
    if not tenant.approvals_above and tenant.totp_above is None:
        return Policy(tenant.approvals, step_up=False)
    today = await _with_the_last_day(work, gross)
    bands = [approvals for above, approvals in tenant.approvals_above if today > above]
    step_up = tenant.totp_above is not None and today > tenant.totp_above
    return Policy(max([tenant.approvals, *bands]), step_up)


def takes_step_up(tenant: sa.Row[Any], amount: int) -> bool:
    """By itself, by what the tenant has set now."""
    return tenant.totp_above is not None and amount > tenant.totp_above


async def _with_the_last_day(work: Work, gross: Money) -> int:
    query = sa.select(sa.cast(sa.func.coalesce(sa.func.sum(withdrawals.c.amount), 0), sa.BigInteger)).where(
        withdrawals.c.tenant_id == work.tenant,
        withdrawals.c.currency == gross.currency,
        withdrawals.c.status.in_(["pending", "processing", "completed"]),
        withdrawals.c.created_at > work.now - _DAY,
    )
    return gross.minor + (await work.connection.scalar(query) or 0)
