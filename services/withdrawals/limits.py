"""Limits: what the tenant has set for withdrawals."""

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
    query = sa.select(sa.cast(sa.func.coalesce(sa.func.sum(withdrawals.c.amount), 0), sa.BigInteger)).where(
        withdrawals.c.tenant_id == work.tenant,
        withdrawals.c.currency == gross.currency,
        withdrawals.c.status.in_(["pending", "processing", "completed"]),
        withdrawals.c.created_at > work.now - _DAY,
    )
    today = await work.connection.scalar(query) or 0
    if today + gross.minor > tenant.per_day:
        raise OverLimit(Money(tenant.per_day, gross.currency), Money(today + gross.minor, gross.currency))


def takes_step_up(tenant: sa.Row[Any], gross: Money) -> bool:
    """Whether whoever approves it has to type a one-time code."""
    return tenant.totp_above is not None and gross.minor > tenant.totp_above
